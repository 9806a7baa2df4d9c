"""Deciding by a program: the door, citations, obligations, and the shipped directives at work."""

from collections.abc import Mapping

import pytest

import abac
from abac import Decision
from abac.errors import RequestError
from abac.policy.request import assertions
from tests.reading import DIRECTIVES, MODELS, ROOT, SHIPPED_SCHEMA

BEFORE, IN_FORCE, AFTER = "2026-06-12T21:20:59.999999Z", "2026-06-12T21:21:00Z", "2026-06-26T21:00:00Z"
ALL = {"kind": "person", "relation": "customer", "residencies_permanent": [], "protected_individual": False}


@pytest.fixture(scope="module")
def compiled():
    def compile_(*names):
        files = [DIRECTIVES / f"{name}.yaml" for name in names]
        return abac.compile(SHIPPED_SCHEMA, MODELS / "abac.conf", [*files, ROOT / "policies/rules/baseline.csv"])

    made = {}
    return lambda *names: made.setdefault(names, compile_(*names))


def person(citizenships, *, assurance="documented", **more):
    held = {"value": citizenships, "assurance": assurance, "complete": True}
    sure = {
        name: {"value": value, "assurance": "verified", "complete": True}
        for name, value in ({**ALL, **more}).items()
    }
    return {**sure, "citizenships_current": held}


def ask(program, subject, *, model="fable-5", now=IN_FORCE, action="invoke", discharges=frozenset(), **resource):
    held = {"id": model, "access": "public", "released": "2026-01-01T00:00:00Z", "cyber_tier": 5, **resource}
    return abac.decide(program, abac.Request(subject, action, held, {"now": now}), discharges=discharges)


# --- the shipped directives -----------------------------------------------------------------------------------


def test_a_decision_cites_directive_clause_and_person_test(compiled):
    outcome = ask(compiled("d1-foreign-nationals"), person(["CN"]))
    assert (outcome.decision, outcome.permitted) == (Decision.DENY, False)
    (reason,) = outcome.reasons
    cited = reason.citation
    assert (cited.directive, cited.clause, cited.person_test) == (
        "d1-foreign-nationals",
        "fable-5",
        "foreign-person-ear@1",
    )
    assert str(reason) == "DENY by d1-foreign-nationals clause fable-5, person test foreign-person-ear@1 (TRUE)"


def test_a_directive_is_in_force_from_its_first_microsecond_to_before_its_last(compiled):
    program = compiled("d1-foreign-nationals")
    nows = (BEFORE, IN_FORCE, "2026-06-26T20:59:59.999999Z", AFTER)
    assert [ask(program, person(["CN"]), now=now).decision.value for now in nows] == [
        "PERMIT",
        "DENY",
        "DENY",
        "PERMIT",
    ]


@pytest.mark.parametrize(
    ("subject", "decision"),
    [
        (person(["US"]), Decision.PERMIT),
        (person(["FR", "US"]), Decision.PERMIT),
        (person(["FR"]), Decision.DENY),
        (person([]), Decision.DENY),
        (person(["FR"], residencies_permanent=["US"]), Decision.PERMIT),
        (person(["FR"], protected_individual=True), Decision.PERMIT),
        (person(["FR"], assurance="declared"), Decision.INDETERMINATE),
        (person(["US"], assurance="declared"), Decision.INDETERMINATE),
        ({}, Decision.INDETERMINATE),
    ],
)
def test_who_is_a_foreign_person_needs_documents(compiled, subject, decision):
    assert ask(compiled("d1-foreign-nationals"), subject).decision is decision


def test_an_undecided_outcome_names_what_would_settle_it_and_nothing_else(compiled):
    outcome = ask(compiled("d1-foreign-nationals"), person(["FR"], assurance="declared"))
    assert outcome.unknown == ("subject.citizenships_current",)
    assert ask(compiled("d1-foreign-nationals"), person(["FR"])).unknown == ()


def test_two_readings_of_one_letter_disagree_on_a_permanent_resident(compiled):
    resident = person(["FR"], residencies_permanent=["US"])
    assert ask(compiled("d1-foreign-nationals"), resident).decision is Decision.PERMIT
    assert ask(compiled("d1-passport-reading"), resident).decision is Decision.DENY


def test_a_lifted_directive_denies_nobody(compiled):
    assert ask(compiled("d3-rescinded"), person(["CN"]), now="2026-07-01T00:00:00Z").permitted


def test_an_exemption_holds_for_its_clause_alone(compiled):
    program = compiled("d2-annex-a")
    partner = person(["FR"], organisation="org-00111")
    now = "2026-06-27T00:00:00Z"
    assert ask(program, partner, now=now).decision is Decision.DENY
    assert ask(program, partner, model="mythos-5", now=now, access="limited").decision is Decision.PERMIT


def test_the_safeguard_of_t3_makes_a_permit_conditional(compiled):
    program, duty = compiled("t3-capability"), frozenset({"cyber-safeguard-on"})
    for known, owed in (({}, True), ({"identity_verified": False}, True), ({"identity_verified": True}, False)):
        outcome = ask(program, person(["FR"], **known))
        assert outcome.decision is Decision.PERMIT
        assert outcome.permitted is not owed
        assert [o.id for o in outcome.obligations] == (["cyber-safeguard-on"] if owed else [])
        assert ask(program, person(["FR"], **known), discharges=duty).permitted


def test_the_advice_of_v0_never_attaches_while_its_term_is_pending(compiled):
    outcome = ask(compiled("v0-framework"), person(["US"]))
    assert (outcome.decision, outcome.permitted, outcome.advice) == (Decision.PERMIT, True, ())


def test_a_directive_grants_nothing(compiled):
    program = compiled("d1-foreign-nationals")
    assert ask(program, person(["US"]), access="withheld").decision is Decision.DENY
    assert ask(program, person(["US"]), access="withheld").reasons == ()


# --- the door ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (abac.Request({"identity_verified": 1}), "subject.identity_verified"),
        (abac.Request({"account_age_days": True}), "subject.account_age_days"),
        (abac.Request({"account_age_days": 2**63}), "subject.account_age_days"),
        (abac.Request({"listed_ownership": float("nan")}), "subject.listed_ownership"),
        (abac.Request({"listed_ownership": float("inf")}), "subject.listed_ownership"),
        (abac.Request({"citizenships_current": ["US", None]}), "subject.citizenships_current"),
        (abac.Request({"citizenships_current": ["UK"]}), "subject.citizenships_current"),
        (abac.Request({"citizenship": ["US"]}), "subject.citizenship"),
        (abac.Request(resource={"cyber_tier": 5.0}), "resource.cyber_tier"),
        (abac.Request(action="steal"), "action.name"),
        (abac.Request(environment={"now": "2026-06-12T21:21:00"}), "environment.now"),
        (abac.Request("ann"), "subject"),  # type: ignore[arg-type]  # that is the test
        (abac.Request(5), "subject"),  # type: ignore[arg-type]  # as above
        (abac.Request({}, None), "action"),  # type: ignore[arg-type]  # as above
        (abac.Request({5: "x"}), "subject.5"),  # type: ignore[dict-item]  # as above
        (abac.Request({"id": "\ud800"}), "subject.id"),
        (abac.Request(resource={"id": "a\0"}), "resource.id"),
        (abac.Request({"citizenships_current": [b"US"]}), "subject.citizenships_current"),
        (abac.Request({"citizenships_current": [[["US"]]]}), "subject.citizenships_current"),
    ],
)
def test_the_door_of_the_index_is_the_door_of_the_reference(compiled, request_, path):
    program = compiled("d1-foreign-nationals")
    refusals = []
    for open_ in (lambda: abac.decide(program, request_), lambda: assertions(request_, program.schema)):
        for _ in range(2):  # a memo must not let in what was refused
            with pytest.raises(RequestError) as refused:
                open_()
            refusals.append(refused.value.path)
    assert refusals == [path] * 4


class Directory(Mapping):
    """A mapping that looks things up, and cannot always."""

    def __init__(self, held):
        self.held = held

    def __getitem__(self, name):
        if self.held[name] is ...:
            raise ConnectionError("directory is away")
        return self.held[name]

    def __iter__(self):
        return iter(self.held)

    def __len__(self):
        return len(self.held)


class Account:
    """A user object whose attributes are looked up when they are read."""

    def __init__(self, held):
        self._held = held

    def __getattr__(self, name):
        if self._held.get(name) is ...:
            raise ConnectionError("directory is away")
        if name not in self._held:
            raise AttributeError(name)
        return self._held[name]


@pytest.mark.parametrize("kind", [Directory, Account])
def test_an_attribute_that_raises_when_it_is_read_is_refused_with_its_path(compiled, kind):
    program = compiled("d1-foreign-nationals")
    assert ask(program, kind(person(["US"]))).permitted
    held = kind({**person(["US"]), "citizenships_current": ...})
    request = abac.Request(held, "invoke", {"id": "fable-5", "access": "public"}, {"now": IN_FORCE})
    for asked in (abac.decide, abac.explain, abac.residual):
        with pytest.raises(
            RequestError, match=r"^subject\.citizenships_current: reading it raised Connection"
        ) as why:
            asked(program, request)
        assert isinstance(why.value.__cause__, ConnectionError)
    absent = {k: v for k, v in person(["US"]).items() if k != "citizenships_current"}
    assert ask(program, kind(absent)).unknown == ask(program, absent).unknown


def test_only_what_rules_read_is_read_of_an_object(compiled):
    account = Account({**person(["US"]), "listed_ownership": ...})
    assert ask(compiled("d1-foreign-nationals"), account).permitted


def test_an_attribute_that_no_rule_reads_is_checked_all_the_same(compiled):
    with pytest.raises(RequestError):
        ask(compiled("t3-capability"), {"trust_tier": "untrusted"})
    assert ask(compiled("t3-capability"), {"trust_tier": "new"}).decision is Decision.PERMIT


def test_true_is_never_one_whatever_was_asked_before(tmp_path):
    (tmp_path / "schema.yaml").write_text(
        "schema: abac/1\nattributes:\n  subject:\n    marks: {type: {set of: int}}\n    age: {type: int}\n"
        "    flag: {type: bool}\n    weight: {type: float}\n  resource: {id: {type: string}}\n"
        "  action: {name: {type: string}}\n",
        encoding="utf-8",
    )
    (tmp_path / "r.csv").write_text(
        "p, 1 in r.sub.marks || r.sub.age == 1, true, a, allow\np, r.sub.flag, true, a, allow\n"
        "p, r.sub.weight == 1, true, a, allow\n",
        encoding="utf-8",
    )
    program = abac.compile(tmp_path / "schema.yaml", MODELS / "abac.conf", [tmp_path / "r.csv"])

    def answers(subject):
        try:
            return abac.decide(program, abac.Request(subject, "a")).permitted
        except RequestError:
            return "refused"

    for _ in range(2):
        assert answers({"age": 1}) is True
        assert answers({"age": True}) == "refused"
        assert answers({"age": 1.0}) == "refused"
        assert answers({"marks": [1]}) is True
        assert answers({"marks": [True]}) == "refused"
        assert answers({"marks": [1, True]}) == "refused"
        assert answers({"marks": [1.0]}) == "refused"
        assert answers({"flag": True}) is True
        assert answers({"flag": 1}) == "refused"
        assert answers({"weight": 1.0}) is True
        assert answers({"weight": 1}) is True
        assert answers({"weight": True}) == "refused"


def test_a_memo_keeps_sources_and_assurances_apart(compiled):
    program = compiled("d1-foreign-nationals")
    base = person(["US"])

    def asked(citizenships, source):
        subject = {**base, "citizenships_current": citizenships}
        resource = {"id": "fable-5", "access": "public", "released": "2026-01-01T00:00:00Z"}
        given = {
            name: {"value": value, "assurance": "verified", "complete": True} for name, value in resource.items()
        }
        now = {"value": IN_FORCE, "assurance": "verified"}
        action = {"name": {"value": "invoke", "assurance": "verified"}}
        return abac.decide(program, abac.Request(subject, action, given, {"now": now}, source)).decision

    sure = abac.Source("directory", schema_defaults=True)
    for _ in range(2):
        for source in (abac.EMBEDDED, abac.UNTRUSTED, sure):
            assert asked(["US"], source) is Decision.INDETERMINATE  # declared at best, and documents are demanded
            assert asked({"value": ["US"], "assurance": "documented", "complete": True}, source) is Decision.PERMIT
            assert asked({"value": ["US"], "assurance": "documented"}, source) is Decision.PERMIT
            assert asked({"value": ["FR"], "assurance": "documented"}, source) is Decision.INDETERMINATE
            assert asked({"value": ["FR"], "assurance": "documented", "complete": True}, source) is Decision.DENY


def test_order_and_repetition_inside_a_set_do_not_matter(compiled):
    program = compiled("d1-foreign-nationals")
    for citizenships in (["FR", "US"], ["US", "FR"], ("US", "FR", "US"), {"US", "FR"}, frozenset({"FR", "US"})):
        assert ask(program, person(citizenships)).decision is Decision.PERMIT

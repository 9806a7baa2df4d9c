import pytest

from abac.compiler.link import RowLinker, link
from abac.condition.expr import And, Attribute, Not, walk
from abac.condition.reference import Reference
from abac.condition.text import condition_text
from abac.errors import Findings
from abac.language.casbin import Rows, read_model, read_rows
from abac.policy.decision import Effect
from abac.policy.persons import PersonTest
from abac.policy.rule import Algorithm, policies
from tests.reading import condition, context

HEAD = """\
[request_definition]
r = sub, obj, act
[policy_definition]
p = {fields}
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = {matcher}
"""


def linked(
    rows: str, matcher: str = "eval(p.rule) && r.act == p.act", fields: str = "rule, act, eft", persons=None
):
    findings = Findings()
    model, read = read_model(HEAD.format(fields=fields, matcher=matcher), "m.conf", {}, findings), Rows()
    findings.raise_errors()
    read_rows(rows, "rows.csv", model, read, findings)
    rules = RowLinker(model, read, context().vocabulary, {}, persons or {}, findings).rules()
    return model, rules, findings


def texts(rows: str, **more) -> list[str]:
    _, rules, findings = linked(rows, **more)
    findings.raise_errors()
    return [condition_text(rule.condition) for rule in rules]


def test_a_row_is_its_rule_and_the_matchers_own_parts():
    assert texts("p, r.sub.age > 3 || r.sub.flag, read, allow") == [
        '(subject.age > 3 || subject.flag) && action.name == "read"'
    ]


def test_a_rule_is_never_spliced_into_the_matcher():
    assert texts("p, r.sub.flag || r.obj.hidden, read, deny") == [
        '(subject.flag || resource.hidden) && action.name == "read"'
    ]


def test_rows_are_rules_in_order_with_effect_id_and_place():
    _, (first, second), _ = linked("# c\np, r.sub.flag, read, allow\n\np, r.sub.flag, write, deny\n")
    assert (first.id, first.effect, first.citation.file, first.citation.line) == (
        "rows#1",
        Effect.PERMIT,
        "rows.csv",
        2,
    )
    assert (second.id, second.effect, second.citation.line) == ("rows#2", Effect.DENY, 4)


def test_a_row_may_name_its_rule_and_a_name_stands_once():
    _, rules, findings = linked("p, a, true, read, allow\np, a, true, write, allow", fields="id, rule, act, eft")
    assert [rule.id for rule in rules] == ["a", "a"]
    (found,) = findings.errors
    assert (found.code, found.span.line) == ("duplicate-id", 2)


@pytest.mark.parametrize(
    ("row", "matcher", "place", "says"),
    [
        ("p, r.sub.agee > 3, read, allow", None, "rows.csv:1:4", "no attribute `subject.agee`"),
        ("p, r.sub.age > 'x', read, allow", None, "rows.csv:1:16", "cannot compare int with string"),
        ("p, r.sub.age >, read, allow", None, "rows.csv:1:15", "found end of text"),
        ("p, r.sub.flag, raed, allow", None, "rows.csv:1:16", "`raed` is not a value of enum"),
        ("p, p.nothing == 1, read, allow", None, "rows.csv:1:4", "no field `nothing`"),
        ("p, eval(p.act), read, allow", None, "rows.csv:1:4", "`eval` has no meaning inside a row"),
        ("p, eval(p.rule) && true, read, deny", None, "rows.csv:1:4", "`eval` has no meaning inside a row"),
        ('p, person("x@1"), read, allow', None, "rows.csv:1:11", "no person test `x@1`"),
        ("p, g(r.sub.id), read, allow", None, "rows.csv:1:4", "takes who, then a role from the row"),
        ("p, g(r.sub.id, r.sub.name), read, allow", None, "rows.csv:1:4", "takes who, then a role from the row"),
        ("p, g(r.sub.id, 'a', 'd'), read, allow", None, "rows.csv:1:4", "takes who, then a role from the row"),
        ("p, g(r.sub.id, 'a') == true, read, allow", None, "rows.csv:1:4", "no function `g`"),
        ("p, true, read, allow", "eval(p.rule) && r.sub.nobody == p.act", "m.conf:10:21", "no attribute"),
        (
            "p, true, 3, allow",
            "eval(p.rule) && r.sub.age == p.act",
            "rows.csv:1:10",
            "cannot compare int with string",
        ),
    ],
)
def test_a_fault_is_at_its_place_in_the_row_or_in_the_matcher(row, matcher, place, says):
    _, rules, findings = linked(row, **({"matcher": matcher} if matcher else {}))
    (found,) = findings.errors
    assert (str(found.span), rules) == (place, [])
    assert says in found.message


def test_a_fault_of_the_matcher_is_told_once_however_many_rows_there_are():
    _, _, findings = linked("p, true, read, allow\n" * 500, matcher="eval(p.rule) && r.sub.nobody == p.act")
    assert len(findings.errors) == 1


def test_a_role_question_is_a_test_of_membership():
    rows = "p, admin, allow\ng, ann, lead\ng, lead, admin\ng, bob, staff"
    assert texts(rows, matcher="g(r.sub, p.role)", fields="role, eft") == [
        'subject.id in {"admin", "ann", "lead"}'
    ]


def test_a_role_may_be_asked_for_inside_a_rule():
    rows = "p, g(r.sub.organisation, 'partner') && !g(r.sub, 'banned'), read, allow\ng, acme, partner"
    assert texts(rows) == [
        'subject.organisation in {"acme", "partner"} && subject.id not in {"banned"} && action.name == "read"'
    ]


def in_domains(rows: str, matcher: str, fields: str) -> list[str]:
    head = HEAD.replace("g = _, _", "g = _, _, _")
    findings = Findings()
    model, read = read_model(head.format(fields=fields, matcher=matcher), "m.conf", {}, findings), Rows()
    read_rows(rows, "rows.csv", model, read, findings)
    rules = RowLinker(model, read, context().vocabulary, {}, {}, findings).rules()
    findings.raise_errors()
    return [condition_text(rule.condition) for rule in rules]


DOMAINS = "p, admin, acme, allow\ng, ann, admin, acme\ng, bob, admin, other\ng, cid, staff, third"


def test_a_domain_that_the_conjunction_sets_equal_to_the_row_s_is_the_row_s():
    matcher = "g(r.sub, p.role, r.sub.organisation) && r.sub.organisation == p.dom"
    assert in_domains(DOMAINS, matcher, "role, dom, eft") == [
        'subject.id in {"admin", "ann"} && subject.organisation == "acme"'
    ]


def test_a_domain_that_only_the_request_names_is_asked_of_each_that_has_links():
    (found,) = in_domains(DOMAINS, "g(r.sub, p.role, r.sub.organisation)", "role, dom, eft")
    assert found == (
        'subject.id in {"admin"} || (subject.organisation == "acme" && subject.id in {"admin", "ann"})'
        ' || (subject.organisation == "other" && subject.id in {"admin", "bob"})'
    )


def test_a_domain_set_equal_under_a_negation_or_an_alternative_pins_nothing():
    for matcher in (
        "g(r.sub, p.role, r.sub.organisation) && !(r.sub.organisation == p.dom)",
        "g(r.sub, p.role, r.sub.organisation) && (r.sub.organisation == p.dom || r.sub.flag)",
    ):
        (found,) = in_domains(DOMAINS, matcher, "role, dom, eft")
        assert '"bob"' in found


def test_a_person_test_stands_in_a_row():
    persons = {"foreign@1": PersonTest("foreign", 1, condition('"US" not in r.sub.citizenships'))}
    assert texts('p, person("foreign@1") && r.sub.flag, read, deny', persons=persons) == [
        '"US" not in subject.citizenships && subject.flag && action.name == "read"'
    ]


def test_the_deepest_row_in_the_deepest_matcher_can_still_be_evaluated():
    row, matcher = "!(" * 48 + "r.sub.flag" + ")" * 48, "!(" * 48 + "eval(p.rule)" + ")" * 48
    ands = "(r.sub.flag && (r.obj.hidden || " * 24 + "r.sub.flag" + "))" * 24
    for deep in (row, ands):
        _, (rule,), findings = linked(f"p, {deep}, read, allow", matcher=f"{matcher} && r.act == p.act")
        assert not findings.errors
        assert Reference({}, {}).truth(rule.condition).name == "UNKNOWN"


def test_a_row_that_grows_beyond_bounds_by_its_person_tests_is_refused():
    whole = condition("r.sub.flag && r.sub.age > 3")
    for _ in range(30):
        whole = And((whole, Not(whole)))
    persons = {"x@1": PersonTest("x", 1, whole)}
    _, rules, findings = linked('p, person("x@1"), read, deny', persons=persons)
    assert [f.code for f in findings.errors] == ["too-large"]
    assert rules == []


def test_the_root_denies_over_the_rows_and_grants_nothing_itself():
    model, rules, _ = linked("p, true, read, allow")
    root = link(model, rules, [], None)
    assert root.algorithm is Algorithm.DENY_OVERRIDES
    assert [p.id for p in policies(root)] == ["rows"]
    assert link(None, [], [], None).children == ()


def test_fields_are_text_whatever_they_look_like():
    _, (rule,), findings = linked("p, true, allow", matcher="r.sub.name == p.what", fields="what, eft")
    assert not findings.errors
    assert condition_text(rule.condition) == 'subject.name == "true"'
    assert [n.path for n in walk(rule.condition) if isinstance(n, Attribute)] == ["subject.name"]

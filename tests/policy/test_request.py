from datetime import UTC, datetime

import pytest

from abac.condition.schema import Assurance
from abac.errors import RequestError
from abac.policy.request import EMBEDDED, UNTRUSTED, Request, Source, assertions, read_assertion
from tests.reading import schema

I, C, O, V = Assurance.INFERRED, Assurance.DECLARED, Assurance.DOCUMENTED, Assurance.VERIFIED  # noqa: E741  # levels


def _read(value, name="age", source=EMBEDDED):
    return assertions(Request(subject={name: value}, source=source), schema()).get(f"subject.{name}")


@pytest.mark.parametrize(
    ("request_", "path", "says"),
    [
        (Request(subject={"age": True}), "subject.age", "expected int, got bool True"),
        (Request(subject={"age": 1.0}), "subject.age", "expected int, got float"),
        (Request(subject={"age": "1"}), "subject.age", "expected int, got str"),
        (Request(subject={"age": 2**63}), "subject.age", "outside 64 bits"),
        (Request(subject={"age": 10**5_000}), "subject.age", "outside 64 bits"),
        (Request(subject={"name": 10**5_000}), "subject.name", "outside 64 bits"),
        (Request(subject={"weight": float("nan")}), "subject.weight", "not a finite number"),
        (Request(subject={"weight": float("-inf")}), "subject.weight", "not a finite number"),
        (Request(subject={"country": "UK"}), "subject.country", "`UK` is not a value of"),
        (Request(subject={"tags": "abc"}), "subject.tags", "expected set of string, got str"),
        (Request(subject={"tags": ["a", None]}), "subject.tags", "null inside a set"),
        (Request(subject={"marks": [1, True]}), "subject.marks", "expected int, got bool True"),
        (Request(subject={"tags": [["a"]]}), "subject.tags", "expected string, got list"),
        (Request(subject={"born": datetime(2026, 6, 12)}), "subject.born", "no offset"),  # noqa: DTZ001  # naive
        (Request(subject={"born": "2026-06-12T00:00:00"}), "subject.born", "no offset"),
        (Request(subject={"born": "0001-01-01T00:00:00+14:00"}), "subject.born", "outside the years"),
        (Request(subject={"citizenship": ["US"]}), "subject.citizenship", "did you mean `citizenships`?"),
        (Request(resource={"age": 1}), "resource.age", "no such attribute"),
        (Request(action="delete"), "action.name", "`delete` is not a value of"),
        (Request(action={"verb": "read"}), "action.verb", "no such attribute"),
        (Request(subject=["age"]), "subject", "expected a mapping"),  # type: ignore[arg-type]  # that is the test
        (Request(environment="now"), "environment", "expected a mapping"),  # type: ignore[arg-type]  # as above
        (
            Request(subject={"age": {"value": 1, "assurence": "verified"}}),
            "subject.age",
            "did you mean `assurance`?",
        ),
        (
            Request(subject={"age": {"value": 1, "assurance": "sure"}}),
            "subject.age.assurance",
            "'sure' is not one of",
        ),
        (Request(subject={"age": {"value": 1, "assurance": 3}}), "subject.age.assurance", "int 3 is not one of"),
        (Request(subject={"age": {"value": 1, "assurance": 10**5_000}}), "subject.age.assurance", "is not one of"),
        (Request(subject={"tags": {"value": [], "complete": 1}}), "subject.tags.complete", "true or false"),
        (Request(subject={"tags": {"value": [], "complete": None}}), "subject.tags.complete", "true or false"),
        (Request(subject={"age": {"value": 1, "as_of": "2026-06-12"}}), "subject.age.as_of", "no offset"),
        (Request(subject={"age": {"value": [1]}}), "subject.age", "expected int, got list"),
        (
            Request(subject={"tags": {"value": {"value": ["a"]}}}),
            "subject.tags",
            "expected set of string, got dict",
        ),
        (Request(subject={"tags": ["a", {"value": "b", "assured": 1}]}), "subject.tags[1]", "nothing else"),
        (Request(subject={"tags": ["a", {"assurance": "verified"}]}), "subject.tags[1]", "nothing else"),
        (Request(subject={"tags": [{"value": None}]}), "subject.tags[0]", "null or nested"),
        (Request(subject={"tags": [{"value": ["a"]}]}), "subject.tags[0]", "null or nested"),
        (Request(subject={"marks": [{"value": 1}, {"value": True}]}), "subject.marks[1]", "got bool True"),
        (
            Request(subject={"marks": [{"value": 1, "assurance": "x"}]}),
            "subject.marks[0].assurance",
            "is not one of",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_value_that_is_not_of_its_type_is_refused_with_the_path_to_it(request_, path, says):
    with pytest.raises(RequestError) as refused:
        assertions(request_, schema())
    assert refused.value.path == path
    assert says in str(refused.value)


def test_a_bare_value_has_the_schemas_assurance_only_where_the_sources_configuration_says_so():
    bare = _read("acme", "organisation")
    assert (bare.assurance, bare.source) == (O, "embedded")
    assert _read("acme", "organisation", UNTRUSTED).assurance is I
    assert _read("acme", "organisation", Source("idp", schema_defaults=True)).source == "idp"


def test_a_bare_set_is_complete_only_where_the_sources_configuration_says_so():
    assert _read(["a"], "tags").complete
    assert not _read(["a"], "tags", UNTRUSTED).complete
    assert _read("x", "name", UNTRUSTED).complete


@pytest.mark.parametrize("source", [EMBEDDED, UNTRUSTED], ids=lambda s: s.name)
def test_an_annotated_value_that_says_nothing_of_itself_is_inferred_and_a_set_incomplete(source):
    one, many = _read({"value": "acme"}, "organisation", source), _read({"value": ["a"]}, "tags", source)
    assert (one.assurance, many.assurance, many.complete) == (I, I, False)


def test_an_annotated_value_says_all_of_itself():
    said = {
        "value": ["a"],
        "assurance": "verified",
        "complete": True,
        "source": "idp",
        "as_of": "2026-06-12T02:00:00+02:00",
    }
    one = _read(said, "tags")
    assert (one.value, one.assurance, one.complete, one.source) == (frozenset({"a"}), V, True, "idp")
    assert one.as_of == datetime(2026, 6, 12, tzinfo=UTC)


def test_an_element_may_carry_its_own_assurance_and_the_better_of_two_counts():
    said = [{"value": "a", "assurance": "verified"}, {"value": "a", "assurance": "inferred"}, "b", {"value": "c"}]
    one = _read(said, "tags")
    assert one.value == frozenset("abc")
    assert dict(one.elements) == {"a": V, "c": I}
    assert one.assurance is C


def test_an_element_beside_its_bare_twin_has_at_least_the_sets_assurance():
    one = _read(["a", {"value": "a", "assurance": "inferred"}], "tags")
    assert one.elements == ()


@pytest.mark.parametrize("absent", [None, {"value": None}, {"value": None, "assurance": "verified"}, {}])
def test_null_is_absent(absent):
    assert _read(absent) is None


def test_an_action_may_be_its_name_alone():
    assert assertions(Request(action="read"), schema())["action.name"].value == "read"
    assert assertions(Request(action={"name": "read"}), schema())["action.name"].value == "read"


def test_an_assurance_may_be_given_as_itself():
    assert read_assertion({"value": 1, "assurance": V}, schema()["subject.age"], UNTRUSTED).assurance is V


def test_date_times_are_equal_whatever_their_offset():
    one, other = _read("2026-06-12T02:00:00+02:00", "born"), _read("2026-06-12T00:00:00Z", "born")
    assert one.value == other.value

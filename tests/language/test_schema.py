import pytest

from abac.condition.schema import Assurance, Category
from abac.condition.types import INT, STRING, Kind, SetType
from abac.errors import Findings
from abac.language.schema import read_schema
from tests.reading import SCHEMA_TEXT, SHIPPED_SCHEMA


def read(text: str):
    findings = Findings()
    return read_schema(text, "s.yaml", findings), findings


def attribute(body: str):
    return read(f"schema: abac/1\nattributes:\n  subject:\n    x: {body}\n")


def test_the_shipped_schema_reads():
    schema, findings = read(SHIPPED_SCHEMA.read_text(encoding="utf-8"))
    assert not findings.errors
    assert {d.category for d in schema} == set(Category)
    assert schema["subject.citizenships_current"].type.element.values[0] == "AD"
    assert schema["subject.trust_tier"].type.rank("trusted") == 2
    assert schema["environment.now"].type.kind is Kind.DATETIME
    assert schema["subject.location"].assurance is Assurance.INFERRED
    assert schema["subject.citizenships_ever"].sensitive


def test_an_attribute_is_declared_complete_insensitive_and_with_a_type():
    schema, _ = attribute("{type: {set of: int}}")
    defined = schema["subject.x"]
    assert (defined.type, defined.complete, defined.sensitive) == (SetType(INT), True, False)
    assert defined.assurance is Assurance.DECLARED
    assert attribute("{type: string}")[0]["subject.x"].type == STRING


@pytest.mark.parametrize(
    ("body", "column", "says"),
    [
        ("string", 8, "needs a `type`"),
        ("{}", 8, "needs a `type`"),
        ("{type: strin}", 15, "`strin` is not a type"),
        ("{type: {set of: {set of: int}}}", 15, "sets of sets"),
        ("{type: {enum: []}}", 15, "at least one"),
        ("{type: {enum: [a, a]}}", 15, "distinct"),
        ("{type: {enum: [1, 2]}}", 15, "strings"),
        ("{type: {ordered: a}}", 15, "is not a type"),
        ("{type: {enum: [a], ordered: [b]}}", 15, "is not a type"),
        ("{type: int, assurance: sure}", 31, "not an assurance"),
        ("{type: int, complete: 1}", 30, "true or false"),
        ("{type: int, sensitive: maybe}", 31, "true or false"),
        ("{type: int, sensitiv: true}", 30, "unknown key `sensitiv`"),
    ],
)
def test_a_fault_is_found_at_its_place(body, column, says):
    _, findings = attribute(body)
    (found,) = findings.errors
    assert says in found.message
    assert (found.span.line, found.span.column) == (4, column)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("[]", "starts with `schema: abac/1`"),
        ("schema: abac/2\nattributes: {}", "starts with"),
        ("schema: abac/1", "maps categories"),
        ("schema: abac/1\nattributes: {subjects: {}}", "not a category"),
        ("schema: abac/1\nattributes: {subject: []}", "maps attribute names"),
        ("schema: abac/1\nattributes: {subject: {a b: {type: int}}}", "cannot be an attribute's name"),
        ("schema: abac/1\nattributes: {subject: {'True': {type: int}}}", "cannot be an attribute's name"),
        ("schema: abac/1\nattributes: {subject: {x: {type: int}, x: {type: int}}}", "stands twice"),
    ],
)
def test_what_is_no_schema_is_refused(text, says):
    _, findings = read(text)
    assert any(says in f.message for f in findings.errors)


def test_misspelt_words_are_hinted_at_and_all_faults_come_at_once():
    text = SCHEMA_TEXT.replace("type: string}", "type: sting}", 1).replace("environment:", "enviroment:")
    _, findings = read(text)
    assert [f.hint for f in findings.errors] == ["did you mean `string`?", "did you mean `environment`?"]

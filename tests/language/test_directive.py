"""Directive and person-test documents: what they come to, and every way of getting one wrong."""

import copy
import json
import random
from datetime import date

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from abac.condition.expr import Attribute, walk
from abac.condition.functions import SHIPPED
from abac.condition.schema import Assurance
from abac.condition.terms import Vocabulary
from abac.condition.text import condition_text
from abac.errors import Diagnostic, Findings
from abac.language import yaml_source
from abac.language.condition import Context
from abac.language.directive import read_directive, read_person_test
from abac.language.document import json_schema
from abac.language.lists import read_country_groups, read_list
from abac.language.schema import read_schema
from abac.policy import persons
from abac.policy.directive import ClauseKind, Directive, rules
from tests.reading import DIRECTIVES, ROOT, SHIPPED_SCHEMA

FILES = sorted(DIRECTIVES.glob("*.yaml"))
PERSONS = sorted((ROOT / "policies" / "persons").glob("*.yaml"))

DOCUMENT = """\
directive: d
title: A directive
kind: broad
binding: true
firmness: assumption
authority: {body: Us, theory: Because}
status:
  - {event: effective, at: 2026-06-12T00:00:00Z, recorded: 2026-06-12T00:00:00Z}
requires:
  subject.organisation: documented
terms:
  resource.covered: {definition: r.obj.cyber_tier >= 4}
clauses:
  - id: one
    kind: deny
    subject: r.sub.organisation == "acme"
    resource: resource.covered
    actions: [invoke]
  - id: two
    kind: oblige
    obligations: [{id: log, parameters: {days: 30}}]
exemptions:
  - {id: staff, condition: 'r.sub.relation == "staff"', clauses: [one]}
"""


def shipped() -> Context:
    findings = Findings()
    schema = read_schema(SHIPPED_SCHEMA.read_text(encoding="utf-8"), "schema.yaml", findings)
    lists = {}
    for file in sorted((ROOT / "policies" / "lists").glob("*.yaml")):
        lists |= read_list(_document(file.read_text(encoding="utf-8")), findings)
    groups = (ROOT / "policies" / "lists" / "country-groups.csv").read_text(encoding="utf-8")
    lists |= read_country_groups(groups, "groups.csv", date(2026, 6, 12), findings)
    bare = Context(Vocabulary(schema, SHIPPED), lists)
    tests = [read_person_test(_document(f.read_text(encoding="utf-8")), bare, findings) for f in PERSONS]
    linked = persons.link({t.id: t for t in tests if t is not None}, findings)
    findings.raise_errors()
    return Context(bare.vocabulary, lists, linked)


def _document(text: str) -> yaml_source.Document:
    findings = Findings()
    document = yaml_source.read(text, "d.yaml", findings)
    findings.raise_errors()
    assert document is not None
    return document


CONTEXT = shipped()


def read(text: str) -> tuple[Directive | None, Findings]:
    findings = Findings()
    document = yaml_source.read(text, "d.yaml", findings)
    return (None if document is None else read_directive(document, CONTEXT, findings)), findings


def sound(text: str) -> Directive:
    directive, findings = read(text)
    findings.raise_errors()
    assert directive is not None
    return directive


def refusals(text: str) -> tuple[Diagnostic, ...]:
    directive, findings = read(text)
    assert directive is None
    return findings.errors


def changed(old: str, new: str) -> str:
    assert DOCUMENT.count(old) == 1
    return DOCUMENT.replace(old, new)


# --- what it comes to -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_shipped_directive_is_valid_and_reads(file):
    text = file.read_text(encoding="utf-8")
    Draft202012Validator(json_schema("directive")).validate(_document(text).value)
    directive = sound(text)
    assert directive.id == file.stem
    assert directive.in_force()
    assert all(rule.citation.directive == file.stem for part in rules(directive) for rule in part)


@pytest.mark.parametrize("file", PERSONS, ids=lambda f: f.stem)
def test_a_shipped_person_test_is_valid(file):
    Draft202012Validator(json_schema("person")).validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert f"{file.stem}@1" in CONTEXT.persons


@pytest.mark.parametrize("kind", ["directive", "person", "list"])
def test_a_published_schema_is_a_schema(kind):
    Draft202012Validator.check_schema(json_schema(kind))


def test_a_clause_is_its_subject_its_resource_with_terms_and_its_actions():
    one = sound(DOCUMENT).clauses[0]
    assert condition_text(one.subject) == 'subject.organisation == "acme"'
    assert condition_text(one.resource) == "resource.cyber_tier >= 4"
    assert condition_text(one.action) == 'action.name in {"invoke"}'


def test_what_a_directive_requires_is_demanded_of_the_person_test_the_terms_and_the_exemptions_too():
    text = DOCUMENT.replace("authority:", "person_test: foreign-person-ear@1\nauthority:")
    text = text.replace(
        "requires:\n",
        "requires:\n  subject.citizenships_current: verified\n  subject.relation: verified\n"
        "  resource.cyber_tier: verified\n",
    )
    directive = sound(text)
    wanted = {"subject.citizenships_current", "subject.relation", "resource.cyber_tier"}
    found = {
        node.path: node.least
        for rule in rules(directive)[0]
        for node in walk(rule.condition)
        if isinstance(node, Attribute)
    }
    assert {path for path, least in found.items() if least is Assurance.VERIFIED} == wanted
    assert found["subject.organisation"] is Assurance.DOCUMENTED
    assert found["subject.kind"] is Assurance.INFERRED


def test_the_person_test_stands_before_every_clause():
    directive = sound(DOCUMENT.replace("authority:", "person_test: non-citizen@1\nauthority:"))
    assert all("citizenships_current" in condition_text(c.subject) for c in directive.clauses)


def test_a_pending_term_is_unknown_and_warned_of():
    directive, findings = read(changed("r.obj.cyber_tier >= 4", "pending"))
    assert condition_text(directive.clauses[0].resource) == 'pending("resource.covered")'
    (warning,) = findings.warnings
    assert (warning.code, warning.span.line) == ("pending-term", 12)


@pytest.mark.parametrize(
    "everyone", ["'true'", 'r.sub.organisation == "acme"', "resource.covered", "'r.sub.flag || true'"]
)
def test_a_directive_that_exempts_everyone_it_reaches_is_warned_of(everyone):
    text = changed("'r.sub.relation == \"staff\"'", everyone.replace("r.sub.flag", "r.sub.identity_verified"))
    _, findings = read(text)
    assert [w.code for w in findings.warnings] == ["exempts-everyone"]
    assert not findings.errors


def test_an_exemption_that_ends_exempts_nobody_for_ever():
    text = changed("condition: 'r.sub.relation == \"staff\"'", "condition: 'true', expires: 2026-07-01T00:00:00Z")
    assert not read(text)[1].warnings


def test_a_directive_never_in_force_is_warned_of():
    text = changed("event: effective", "event: published")
    assert [w.code for w in read(text)[1].warnings] == ["never-in-force"]


def test_a_clause_that_denies_nobody_is_no_warning_where_none_denies():
    text = (DIRECTIVES / "t3-capability.yaml").read_text(encoding="utf-8")
    directive, findings = read(text)
    assert not findings.warnings
    assert directive.clauses[0].kind is ClauseKind.OBLIGE


# --- what is refused ------------------------------------------------------------------------------------------


AT = "at: 2026-06-12T00:00:00Z, recorded"
AUTHORITY = "authority: {body: Us, theory: Because}"


@pytest.mark.parametrize(
    ("old", "new", "code", "line", "says"),
    [
        ("title: A directive", "titel: A directive", "unknown-key", 2, "unknown key `titel`"),
        ("kind: broad", "kind: brod", "document", 3, "'brod' is not one of"),
        ("binding: true", "binding: yes please", "document", 4, "is not of type 'boolean'"),
        ("event: effective", "event: effectiv", "document", 8, "is not one of"),
        (AT, "at: 2026-06-12T00:00:00, recorded", "document", 8, "does not match"),
        (AT, "at: 2026-13-45T00:00:00Z, recorded", "date-time", 8, "RFC 3339"),
        (AT, 'at: "2026-06-12T00:00:00Z\\n", recorded', "document", 8, "not match"),
        (AT, "at: 0001-01-01T00:00:00+14:00, recorded", "date-time", 8, "years 1"),
        (
            "subject.organisation: documented",
            "subject.organization: documented",
            "unknown-attribute",
            10,
            "no attrib",
        ),
        ("subject.organisation: documented", "subject.organisation: sure", "document", 10, "is not one of"),
        ("r.obj.cyber_tier >= 4", "r.obj.cyber_teir >= 4", "unknown-attribute", 12, "resource.cyber_teir"),
        ("r.obj.cyber_tier >= 4", "r.obj.cyber_tier >= '4'", "type-clash", 12, "cannot compare int with string"),
        ("- id: one", "- id: two", "duplicate-id", 19, "`two` stands twice in `clauses`"),
        ("- id: one", "- id: 'one\n\n    '", "document", 14, "does not match"),
        ("actions: [invoke]", "actions: [invok]", "type-clash", 18, "`invok` is not a value"),
        ("actions: [invoke]", "actions: []", "document", 18, "should be non-empty"),
        ("resource: resource.covered", "resource: resource.coverd", "unknown-attribute", 17, "resource.coverd"),
        ("kind: oblige", "kind: oblige # nothing", "no-obligation", 19, "names no obligation"),
        ("parameters: {days: 30}", "parameters: {days: .nan}", "document", 21, "JSON cannot say"),
        ("parameters: {days: 30}", "parameters: {days: !!binary aGk=}", "document", 21, "JSON cannot say"),
        ("clauses: [one]", "clauses: [oen]", "unknown-clause", 23, "no clause `oen`"),
        ('relation == "staff"', 'relation == "stuff"', "type-clash", 23, "`stuff` is not a value"),
        (
            AUTHORITY,
            "person_test: nobody@1\nauthority: {body: U, theory: B}",
            "unknown-person-test",
            6,
            "no person test",
        ),
        (
            AUTHORITY,
            "in_flight: {until: 2026-02-30T00:00:00Z}\nauthority: {body: U, theory: B}",
            "date-time",
            6,
            "RFC 3339",
        ),
        (
            AUTHORITY,
            "times: {received: 2026-02-30T00:00:00Z}\nauthority: {body: U, theory: B}",
            "date-time",
            6,
            "RFC 3339",
        ),
        ("directive: d\n", "directive: d e\n", "document", 1, "does not match"),
    ],
)
def test_a_fault_in_a_document_is_found_at_its_line(old, new, code, line, says):
    text = changed(old, new)
    if code == "no-obligation":
        text = text.replace("    obligations: [{id: log, parameters: {days: 30}}]\n", "")
    found = [f for f in refusals(text) if f.code == code]
    assert found
    assert says in found[0].message
    assert found[0].span.line == line


def test_misspelt_words_of_a_document_are_hinted_at():
    assert refusals(changed("title: A", "titel: A"))[0].hint in ("did you mean `title`?", "")
    hints = {f.hint for f in refusals(changed("kind: broad", "kind: brod"))}
    hints |= {f.hint for f in refusals(changed("clauses: [one]", "clauses: [oen]"))}
    hints |= {f.hint for f in refusals(changed("subject.organisation: d", "subject.organization: d"))}
    assert hints == {"did you mean `broad`?", "did you mean `one`?", "did you mean `subject.organisation`?"}


def test_all_faults_of_a_document_come_at_once_in_order():
    text = DOCUMENT.replace("cyber_tier", "cyber_teir").replace('== "acme"', "== 1").replace('"staff"', '"stuff"')
    found = refusals(text)
    assert [f.span.line for f in found] == [12, 16, 23]
    assert len({f.code for f in found}) == 2


def test_a_fault_inside_a_folded_condition_is_at_its_own_line_and_column():
    text = changed(
        'subject: r.sub.organisation == "acme"',
        'subject: >-\n      r.sub.organisation == "acme"\n      && r.sub.nothing',
    )
    (found,) = refusals(text)
    assert (found.span.line, found.span.column) == (18, 10)


# --- documents damaged at random --------------------------------------------------------------------------------


def _paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _paths(inner, (*path, i))


PUT = (
    None,
    0,
    -1,
    2.5,
    True,
    "",
    "x",
    "pending",
    "true",
    "r.sub.kind",
    [],
    {},
    [1],
    {"id": "x"},
    "2026-06-12T00:00:00Z",
    "é\n",
    float("nan"),
    10**30,
)


def _damaged(value, source: random.Random):
    value = copy.deepcopy(value)
    for _ in range(source.randint(1, 3)):
        path = source.choice([p for p in _paths(value) if p])
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        act = source.random()
        if act < 0.35:
            del parent[path[-1]]
        elif act < 0.5 and isinstance(parent, dict):
            parent[source.choice(["x", "id", "kind", "definition", "at", "1", "condition"])] = parent.pop(path[-1])
        elif act < 0.6 and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[path[-1]]))
        else:
            parent[path[-1]] = source.choice(PUT)
        if not isinstance(value, dict) or not value:
            break
    return value


@given(st.sampled_from([*FILES, None]), st.integers(0, 2**32))
def test_a_damaged_document_has_findings_with_places_or_is_still_a_directive(file, seed):
    text = DOCUMENT if file is None else file.read_text(encoding="utf-8")
    damaged = yaml.safe_dump(
        _damaged(_document(text).value, random.Random(seed)), sort_keys=False, allow_unicode=True
    )
    directive, findings = read(damaged)
    assert (directive is None) == bool(findings.errors)
    lines = damaged.count("\n") + 1
    for found in findings.errors:
        assert 1 <= found.span.line <= lines, found
        assert found.span.column >= 1
        json.dumps(found.as_json())
    if directive is not None:
        for part in rules(directive):
            assert all(condition_text(rule.condition) for rule in part)


@given(
    st.sampled_from(FILES), st.integers(0, 4_000), st.integers(0, 12), st.text("{}[]:-'\"|>\n #&*!x0,", max_size=4)
)
def test_a_document_damaged_as_text_has_findings_or_is_still_a_directive(file, at, cut, put):
    text = file.read_text(encoding="utf-8")
    damaged = text[:at] + put + text[at + cut :]
    findings = Findings()
    document = yaml_source.read(damaged, "d.yaml", findings)
    if document is not None:
        directive = read_directive(document, CONTEXT, findings)
        assert (directive is None) == bool(findings.errors)
    else:
        assert findings.errors


def test_no_fault_of_a_person_test_stays_unfound():
    base = 'person: p\nversion: 1\ntitle: T\nsource: S\ncondition: r.sub.kind == "person"\n'
    for old, new, code in (
        ("version: 1", "version: 0", "document"),
        ("version: 1", "version: one", "document"),
        ("person: p", "person: P", "document"),
        ("person: p", 'person: "p\\n"', "document"),
        ("title: T\n", "", "document"),
        ('"person"', '"persn"', "type-clash"),
        ("r.sub.kind ==", "r.sub.knd ==", "unknown-attribute"),
        ("r.sub.kind ==", "r.sub.kind = ", "syntax"),
    ):
        findings = Findings()
        assert read_person_test(_document(base.replace(old, new)), CONTEXT, findings) is None
        assert findings.errors[0].code == code

"""Documents of sources: every breach at its line and column, and what a sound one declares."""

import pytest

from abac.condition.schema import Assurance, Category
from abac.errors import Findings
from abac.language.sources import read_sources
from tests.reading import schema


def read(text):
    findings = Findings()
    return read_sources(text, "sources.yaml", schema(), findings), findings.errors


def source(**keys):
    """The document of one source, one key a line."""
    lines = [f"{key}: {value}" for key, value in keys.items()]
    return "sources:\n  - " + "\n    ".join(lines) + "\n"


def yaml(**keys):
    made = {"name": "hr", "kind": "yaml", "entity": "subject", "assurance": "verified", "file": "hr.yaml"}
    return source(**(made | keys))


def test_a_sound_document_says_what_each_source_gives_and_how_well_founded_it_is():
    text = """\
sources:
  - name: hr
    kind: table
    entity: subject
    type: user
    assurance: documented
    complete: true
    as_of: seen
    database: {env: HR}
    table: staff.people
    id: account
    lists: true
    owns: [subject.tier, subject.citizenships]
    mapping:
      subject.tier: level
      subject.citizenships: {from: passports, assurance: verified, complete: false}
  - name: crm
    kind: http
    entity: subject
    assurance: declared
    url: https://crm.example/people/{id}?fields=tier
    attests: [subject.tier]
  - name: caller
    kind: none
    owns: [subject.name]
"""
    (hr, crm), errors = read(text)
    assert errors == ()
    tier, citizenships = hr.gives
    assert (tier.column, tier.assurance, tier.complete, tier.as_of) == (
        "level",
        Assurance.DOCUMENTED,
        True,
        "seen",
    )
    assert (citizenships.column, citizenships.assurance) == ("passports", Assurance.VERIFIED)
    assert citizenships.complete is False
    assert (hr.category, hr.type, hr.id_column) == (Category.SUBJECT, "user", "account")
    assert hr.owns == {"subject.tier", "subject.citizenships"}
    assert (crm.owns, crm.attests) == (frozenset(), {"subject.tier"})
    assert crm.gives[0].column == "tier"


def test_a_set_is_whole_only_where_that_is_said():
    (one,), _ = read(yaml(owns="[subject.tags, subject.tier]"))
    assert [g.complete for g in one.gives] == [False, True]


@pytest.mark.parametrize(
    ("text", "place", "code", "message"),
    [
        ("sources: 7\n", "1:10", "document", "not of type 'array'"),
        (yaml(kind="excel"), "3:11", "document", "is not one of"),
        (yaml(flie="x"), "7:11", "unknown-key", "unknown key `flie`"),
        (yaml(url="https://x/{id}"), "7:10", "unknown-key", "means nothing for a source of kind yaml"),
        (source(name="hr", kind="yaml"), "2:5", "document", "is a required property"),
        (source(name="hr", kind="http", entity="subject", assurance="verified"), "2:5", "document", "'url'"),
        (source(name="hr", kind="http", url="https://x/all"), "4:10", "document", "does not match"),
        (yaml(owns="[subject.teir]"), "7:12", "unknown-attribute", "no attribute `subject.teir`"),
        (yaml(owns="[subject.id]"), "7:12", "not-owned", "sources are asked by `subject.id`"),
        (yaml(owns="[environment.now]"), "7:12", "not-owned", "the service says what time it is"),
        (yaml(owns="[resource.cost]"), "7:12", "other-entity", "not an attribute of the subject"),
        (yaml(attests="[subject.tier]"), "7:15", "not-owned", "no source owns `subject.tier`"),
        (yaml(owns="[subject.tier]", attests="[subject.tier]"), "8:15", "owned-twice", "does not attest itself"),
        (yaml(mapping="{subject.tier: x}"), "7:29", "not-given", "neither owned nor attested here"),
        (source(name="c", kind="none", owns="[environment.now]"), "4:12", "not-owned", "the service says"),
    ],
)
def test_every_breach_is_found_at_its_place(text, place, code, message):
    _, errors = read(text)
    found = {(f"{e.span.line}:{e.span.column}", e.code) for e in errors if message in e.message}
    assert (place, code) in found, errors


@pytest.mark.parametrize(
    ("first", "second", "twice"),
    [
        ({}, {}, True),
        ({"type": "user"}, {"type": "agent"}, False),
        ({"type": "user"}, {}, True),
        ({"kind": "none"}, {}, True),
    ],
)
def test_an_attribute_has_one_owner_for_entities_of_one_type(first, second, twice):
    head = {"entity": "subject", "assurance": "verified", "file": "a.yaml", "owns": "[subject.tier]"}
    if first.get("kind") == "none":
        head = {"owns": "[subject.tier]"}
    one = source(name="one", **({"kind": "yaml"} | head | first))
    two = yaml(name="two", owns="[subject.tier]", **second).removeprefix("sources:\n")
    _, errors = read(one + two)
    assert [e.code for e in errors] == (["owned-twice"] if twice else [])


def test_entities_of_one_type_are_listed_by_one_source():
    two = yaml(name="two", lists="true").removeprefix("sources:\n")
    _, errors = read(yaml(name="one", lists="true") + two)
    assert [e.code for e in errors] == ["listed-twice"]
    two = yaml(name="two", lists="true", entity="resource").removeprefix("sources:\n")
    assert read(yaml(name="one", lists="true") + two)[1] == ()


def test_names_are_given_once():
    assert [e.code for e in read(yaml() + yaml().removeprefix("sources:\n"))[1]] == ["duplicate-source"]


def test_all_breaches_come_at_once():
    _, errors = read(yaml(owns="[subject.id, subject.nobody]", mapping="{resource.cost: x}", lists="true"))
    assert [e.code for e in errors] == ["not-owned", "unknown-attribute", "not-given"]

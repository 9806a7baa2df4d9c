"""Whatever a program file says, it is read whole and sound or refused with its place; no code in it ever runs."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
import random

import pytest

from abac.compiler.disk import program_text, read_program_text
from abac.compiler.disk.tree import MAX_NESTING
from abac.condition.functions import Function
from abac.condition.types import BOOL, FLOAT, INT
from abac.errors import CompileError
from tests.compiler.golden import program

ODD = program().functions["isOdd"]
TEXT = program_text(program())


def read(text: str, *functions: Function, revision: str | None = None):
    return read_program_text(text, "p.abac", functions or [ODD], revision)


def refusal(text: str, *functions: Function, revision: str | None = None) -> str:
    with pytest.raises(CompileError) as caught:
        read(text, *functions, revision=revision)
    (found,) = caught.value.diagnostics
    assert found.span.file == "p.abac"
    return str(found)


def forged(change) -> str:
    """The text with its second line changed and digested again, as somebody with bad intentions would."""
    head, body = (json.loads(line) for line in TEXT.splitlines())
    change(body)
    line = json.dumps(body)
    head |= {"bytes": len(line), "sha256": hashlib.sha256(line.encode()).hexdigest()}
    return f"{json.dumps(head)}\n{line}\n"


def test_the_text_itself_is_read():
    assert read(TEXT).revision == program().revision
    assert read(TEXT, revision=program().revision).root == program().root


@pytest.mark.parametrize("at", [0, 1, 50, 300, len(TEXT) // 2, len(TEXT) - 2])
def test_a_truncated_file_is_refused(at):
    assert refusal(TEXT[:at]).startswith(("p.abac:1:1", "p.abac:2:1"))


def test_every_changed_character_is_noticed():
    source = random.Random(1)
    start = TEXT.index("\n")
    for at in [source.randrange(start + 1, len(TEXT) - 1) for _ in range(200)]:
        changed = TEXT[:at] + ("x" if TEXT[at] != "x" else "y") + TEXT[at + 1 :]
        assert "SHA-256 does not fit" in refusal(changed)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("abac-program/1", "abac-program/2", "head.format: `abac-program/2` is not abac-program/1"),
        ('"meaning": 1', '"meaning": 2', "head.meaning: decides by meaning 2; this abac knows meaning 1 only"),
        ('"revision": "', '"revision": "0', "head.revision: comes to revision"),
        ('"format"', '"formal"', "head: no `format`"),
        ('"bytes": ', '"bytes": 1', "not as it was written"),
        ("{", "[", "not JSON"),
        ('{"format"', '{"format": 1, "format"', "a key stands twice"),
        ('"meaning": 1', '"meaning": NaN', "`NaN` is not a JSON number"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(old, new, message):
    assert message in refusal(TEXT.replace(old, new, 1))


def test_another_revision_than_the_one_wanted_is_refused():
    assert "wanted 00" in refusal(TEXT, revision="00")


def test_a_function_that_is_missing_is_named():
    other = Function("other", 1, (INT,), BOOL, bool)
    assert "decides.functions.isOdd: function `isOdd` version 3 is not here" in refusal(TEXT, other)


@pytest.mark.parametrize(
    ("offered", "message"),
    [
        (Function("isOdd", 4, (INT,), BOOL, bool), "wanted in version 3, and is here in version 4"),
        (Function("isOdd", 3, (FLOAT,), BOOL, bool), "with other parameters"),
        (Function("isOdd", 3, (INT,), INT, int), "or another result"),
    ],
)
def test_a_function_of_another_version_or_signature_is_refused(offered, message):
    assert message in refusal(TEXT, offered)


def test_functions_that_the_program_does_not_name_do_not_change_it():
    assert read(TEXT, ODD, Function("other", 1, (INT,), BOOL, bool)).revision == program().revision


def _rule(body):
    return body["decides"]["root"]["children"][0]["rules"][0]


def _set_condition(condition):
    def change(body):
        _rule(body)["condition"] = condition

    return change


AGE = {"attribute": "subject.age", "type": "int"}
NAME = {"attribute": "subject.name", "type": "string"}
THREE = {"constant": 3, "type": "int"}


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"compare": ["==", AGE, NAME]}, "cannot compare int with string"),
        ({"compare": ["<", {"constant": True, "type": "bool"}, {"constant": True, "type": "bool"}]}, "no order"),
        ({"compare": ["==", AGE, {"constant": True, "type": "int"}]}, "expected int, got bool"),
        ({"compare": ["==", AGE, {"constant": 2**63, "type": "int"}]}, "outside 64 bits"),
        ({"compare": ["==", AGE, {"constant": 1, "type": "float"}]}, "not in the normal form of float"),
        ({"compare": ["==", AGE, {"constant": 3}]}, "no type"),
        ({"compare": ["~", AGE, THREE]}, "`~` is none of ==, <, <=, >, >="),
        ({"compare": [AGE, THREE]}, "expected 3 items, got 2"),
        ({"holds": AGE}, "expected bool"),
        ({"holds": {"attribute": "subject.nobody", "type": "bool"}}, "no such attribute in the schema"),
        ({"holds": {"attribute": "subject.age", "type": "bool"}}, "is int, not bool"),
        ({"holds": {"call": ["isOdd", NAME], "type": "bool"}}, "`isOdd` takes other arguments"),
        ({"holds": {"call": ["open", NAME], "type": "bool"}}, "no function `open`"),
        ({"holds": {"call": [], "type": "bool"}}, "expected a string"),
        ({"holds": {"field": "sub_rule"}}, "a row's field that was not linked"),
        ({"definition": ["person", "someone"]}, "a definition that was not linked"),
        ({"in": [AGE, {"set": ["a"], "type": "set of string"}]}, "expected a set of the element's type"),
        ({"in": [NAME, {"set": ["b", "a"], "type": "set of string"}]}, "stand once each, in order"),
        ({"any_of": [AGE, AGE]}, "expected two sets of one type"),
        ({"holds": {"arithmetic": ["+", NAME, NAME], "type": "int"}}, "`+` takes numbers"),
        ({"holds": {"constant": "a", "type": "enum:00"}}, "no type `enum:00`"),
        ({"literal": "MAYBE"}, "`MAYBE` is none of FALSE, UNKNOWN, TRUE"),
        ({"and": [{"literal": "TRUE"}], "or": []}, "expected one of"),
        ({"exec": "import os"}, "expected one of"),
        ([], "expected an object"),
        (None, "expected an object"),
    ],
)
def test_a_condition_that_cannot_be_evaluated_is_refused_with_the_way_to_it(condition, message):
    found = refusal(forged(_set_condition(condition)))
    assert found.startswith("p.abac:2:1: error[program]: program.decides.root.children[0].rules[0].condition")
    assert message in found


def test_nesting_is_bounded():
    def deep(levels: int):
        condition: dict = {"literal": "TRUE"}
        for _ in range(levels):
            condition = {"not": condition}
        return condition

    assert "nested more than" in refusal(forged(_set_condition(deep(230))))
    line = TEXT.splitlines()[1].replace('"meaning":1', '"meaning":' + "[" * 100_000 + "]" * 100_000, 1)
    head = json.loads(TEXT.splitlines()[0])
    head |= {"bytes": len(line), "sha256": hashlib.sha256(line.encode()).hexdigest()}
    assert "nested too deep" in refusal(f"{json.dumps(head)}\n{line}\n")

    def nest(body):
        for _ in range(MAX_NESTING + 1):
            root = body["decides"]["root"]
            body["decides"]["root"] = {
                "id": "s", "algorithm": "deny-overrides", "default_deny": False, "children": [root]
            }  # fmt: skip

    assert "policy sets nested more than" in refusal(forged(nest))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("decides", "posture"), "lenient", "`lenient` is none of strict"),
        (("decides", "meaning"), 2, "decides by meaning 2"),
        (("decides", "root", "algorithm"), "permit-all", "`permit-all` is none of"),
        (("decides", "root", "default_deny"), 0, "expected true or false, got int 0"),
        (("decides", "root", "extra"), 0, "unknown key `extra`"),
        (("decides", "lists", "tiers"), ["low", "high"], "stand once each, in order"),
        (("decides", "schema", "age"), {}, "`age` is not the full name of an attribute"),
        (("decides", "persons", "t@1", "version"), "1", "expected a whole number"),
        (
            ("decides", "directives", "d", "events"),
            [["effective", {"at": "2026-06-12T00:00"}, 0]],
            "has no offset",
        ),
        (("decides", "directives", "d", "requires"), {"subject.age": "sure"}, "`sure` is none of"),
        (("told", "places"), [], "expected 2 items, got 0"),
        (("told", "places"), [[0, 1]] * 9, "more places than rules"),
        (("told", "places"), [[9, 1]] * 3, "no file 9"),
        (("told", "attributes"), [], "tells of other attributes"),
        (("told", "directives"), [], "does not tell of every directive"),
        (("told", "directives"), [["x", []]], "no such directive"),
        (("told", "persons"), {}, "tells of other person tests"),
        (("more",), {}, "unknown key `more`"),
    ],
)
def test_every_part_is_looked_over(path, value, message):
    def change(body):
        *way, last = path
        for key in way:
            body = body[key]
        body[last] = value

    assert message in refusal(forged(change))


def test_what_is_told_is_no_part_of_the_revision_and_what_decides_is():
    def move(body):
        body["told"]["files"][-1] = "elsewhere.csv"

    assert read(forged(move)).revision == program().revision

    def permit(body):
        _rule(body)["condition"] = {"literal": "TRUE"}

    assert "head.revision: comes to revision" in refusal(forged(permit))


def test_no_value_of_any_type_anywhere_is_more_than_a_refusal():
    """Put odd values everywhere: only `CompileError` comes out, or a program of the same revision."""
    source = random.Random(7)
    odd = [None, True, -1, 1.5, "", "x" * 300, [], {}, [[]], {"at": 1}, 10**30]
    for _ in range(300):
        text = forged(lambda body: _spoil(body, source, odd))
        try:
            assert read(text).revision == program().revision
        except CompileError as error:
            assert error.diagnostics  # noqa: PT017  # it says what, and nothing else is raised


def _spoil(body, source: random.Random, odd: list) -> None:
    node, last = body, None
    while isinstance(node, dict | list) and node:
        key = source.choice(list(node) if isinstance(node, dict) else range(len(node)))
        parent, last, node = node, key, node[key]
        if source.random() < 0.12:
            break
    parent[last] = copy.deepcopy(source.choice(odd))


def test_a_pickle_is_just_not_json():
    assert "not JSON" in refusal(pickle.dumps({"a": 1}, 0).decode("ascii"))

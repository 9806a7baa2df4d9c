"""A program in a file: what is read back decides as what was written, in every field, and is named the same."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import abac
from abac.compiler.canonical.nodes import NodeForm, canonical_json
from abac.compiler.disk import program_text, read_program_text
from abac.compiler.disk.nodes import Nodes, enum_type
from abac.compiler.disk.source import At
from abac.compiler.program import Program, assemble, select
from abac.condition.check import MAX_DEPTH
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Call,
    Condition,
    Constant,
    Definition,
    Field,
    Holds,
    Literal,
    Member,
    Not,
    Or,
    SetConstant,
    Term,
    walk,
)
from abac.condition.schema import Category
from abac.condition.truth import TRUE
from abac.errors import CompileError
from abac.policy.decision import Effect, Obligation
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from tests.agreement.strategies import FUNCTIONS, SCHEMA, as_request, assertions, conditions, trees
from tests.compiler.golden import BYTES, EVERY, REVISION
from tests.reading import DIRECTIVES, MODELS, ROOT, condition, schema

RELAXED = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


@cache
def shipped() -> Program:
    return abac.compile(
        ROOT / "policies" / "schema.yaml",
        MODELS / "abac.conf",
        [DIRECTIVES, ROOT / "policies" / "rules" / "baseline.csv"],
    )


def again(program: Program) -> Program:
    return read_program_text(program_text(program), functions=program.functions.values())


def validator(part: str = "") -> Draft202012Validator:
    text = resources.files("abac.compiler").joinpath("schemas/program.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]} if part else schema)


# --- nodes --------------------------------------------------------------------------------------------------


def _round(node: Condition) -> Condition:
    form = NodeForm()
    written = canonical_json(form.condition(node))
    enums = {name: enum_type(At(e)) for name, e in json.loads(canonical_json(form.enums)).items()}
    return Nodes(enums).condition(At(json.loads(written)))


@settings(RELAXED, max_examples=300)
@given(conditions)
def test_every_typed_condition_comes_back_as_it_was(node):
    found = _round(node)
    assert found == node
    assert [_exact(n) for n in walk(found)] == [_exact(n) for n in walk(node)]


def _exact(node) -> object:
    """What equality alone would not see: `1 == True == 1.0`."""
    if isinstance(node, Constant):
        return type(node.value)
    if isinstance(node, SetConstant):
        return sorted({type(v).__name__ for v in node.values}), node.name
    return type(node)


UNTYPED = Attribute(Category.SUBJECT, "name")


@pytest.mark.parametrize(
    "node",
    [
        Definition("person", "someone@1"),
        Holds(Field("sub_rule")),
        Holds(UNTYPED),
        Member(Constant("a"), SetConstant(frozenset({"a", "b"}), name="friends")),
        Not(And(())),
        Or(()),
        AnyOf(UNTYPED, UNTYPED),
        AllOf(UNTYPED, SetConstant(frozenset())),
        Holds(Call("now", ())),
    ],
    ids=lambda node: type(node).__name__,
)
def test_a_node_that_no_text_was_linked_to_comes_back_too(node):
    assert _round(node) == node


def test_every_node_of_the_closed_union_is_in_the_golden_program_or_listed():
    held = {type(node) for node in walk(EVERY)}
    assert held | {Definition, Field} == set(get_args(Condition)) | set(get_args(Term))
    assert _round(EVERY) == EVERY


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_comes_back_to_the_bit(value):
    assert json.loads(canonical_json(value)).hex() == value.hex()


@given(st.text())
def test_text_is_kept_code_point_by_code_point(value):
    written = canonical_json(value)
    assert written.isascii()
    assert json.loads(written) == value


# --- programs -----------------------------------------------------------------------------------------------


@RELAXED
@given(trees(), st.lists(assertions(), min_size=3, max_size=3))
def test_a_random_program_comes_back_and_decides_alike(root, asked):
    program = assemble(SCHEMA, root, FUNCTIONS)
    found = again(program)
    assert (found.root, found.schema, dict(found.functions)) == (root, SCHEMA, dict(FUNCTIONS))
    assert found.revision == program.revision
    for one in asked:
        assert abac.decide(found, as_request(one)) == abac.decide(program, as_request(one))


def test_the_shipped_program_comes_back_with_all_that_people_are_told():
    program = shipped()
    found = again(program)
    assert program.warnings
    for name in ("schema", "root", "directives", "persons", "lists", "warnings", "revision"):
        assert getattr(found, name) == getattr(program, name), name
    assert [d.description for d in found.schema] == [d.description for d in program.schema]
    assert list(found.schema.attributes) == list(program.schema.attributes)
    assert program_text(found) == program_text(program)


def test_a_program_read_back_can_be_narrowed_and_cites_the_same_places():
    request = abac.Request({"kind": "person"}, "invoke", {"id": "fable-5"}, {"now": "2026-06-13T00:00:00Z"})
    one, other = (select(p, ["d1-foreign-nationals"]) for p in (shipped(), again(shipped())))
    assert abac.decide(one, request) == abac.decide(other, request)
    files = {r.citation.file for r in again(shipped()).root.children[1].rules}
    assert all(f.endswith("policies/rules/baseline.csv") for f in files)


def test_what_is_written_is_what_the_published_schema_says():
    head, body = program_text(shipped()).splitlines()
    assert not list(validator().iter_errors(json.loads(body)))
    assert not list(validator("head").iter_errors(json.loads(head)))


@settings(RELAXED, max_examples=8)
@given(trees())
def test_any_program_is_what_the_published_schema_says(root):
    body = program_text(assemble(SCHEMA, root, FUNCTIONS)).splitlines()[1]
    assert not list(validator().iter_errors(json.loads(body)))


def test_a_condition_as_deep_as_the_checker_lets_through_comes_back():
    deep = condition("r.sub.flag")
    for _ in range(MAX_DEPTH - 2):
        deep = Not(deep)
    rule = Rule("r", Effect.PERMIT, deep)
    root = PolicySet("root", Algorithm.DENY_OVERRIDES, (Policy("p", Algorithm.DENY_OVERRIDES, (rule,)),))
    assert again(assemble(schema(), root, {})).root == root


@pytest.mark.parametrize("parameters", [{"days": (1, 2)}, {"when": object()}, {"share": float("nan")}, {1: 2}])
def test_what_cannot_be_read_back_is_never_written(parameters):
    rule = Rule("r", Effect.PERMIT, Literal(TRUE), (Obligation("log", parameters),))
    root = PolicySet("root", Algorithm.DENY_OVERRIDES, (Policy("p", Algorithm.DENY_OVERRIDES, (rule,)),))
    try:
        program = assemble(SCHEMA, root, {})
    except (TypeError, ValueError):
        return  # no revision either
    with pytest.raises(CompileError, match=r"error\[program\]"):
        program_text(program)


# --- its name ----------------------------------------------------------------------------------------------

GOLDEN = """\
import hashlib
from abac.compiler.disk import program_text
from tests.compiler.golden import program
text = program_text(program())
print(program().revision, hashlib.sha256(text.encode()).hexdigest())
"""


def test_the_name_and_the_bytes_are_the_same_on_every_machine_and_under_every_hash_seed():
    said = {
        subprocess.run(
            [sys.executable, "-c", GOLDEN],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo"), ("4242", "America/New_York"))
    }
    assert said == {f"{REVISION} {BYTES}\n"}


def test_the_order_of_attributes_directives_and_members_is_no_part_of_the_name():
    program = shipped()
    mixed = assemble(
        replace(program.schema, attributes=dict(reversed(program.schema.attributes.items()))),
        program.root,
        dict(reversed(program.functions.items())),
        directives=tuple(reversed(program.directives)),
        persons=dict(reversed(program.persons.items())),
        lists=dict(reversed(program.lists.items())),
    )
    assert mixed.revision == program.revision

"""Policy text is data: whatever is written in it, nothing of it runs.

Every hostile text is refused with file, line and column as a matcher, as the rule of a row and as a directive's
condition. Whatever mutation of a sound text is let through reads attributes of the schema and does nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import abac
from abac.compiler.program import assemble
from abac.condition.expr import Attribute, Call, walk
from abac.condition.functions import SHIPPED
from abac.condition.schema import Category
from abac.errors import CompileError, Findings
from abac.language.condition import read_condition
from abac.pdp.decide import decide
from abac.policy.decision import Effect
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from tests.laws.hostile_texts import HOSTILE
from tests.laws.watching import Witness, nothing_runs, touched
from tests.reading import ROOT, SCHEMA_TEXT, context, schema, text

MODEL = """\
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub_rule, act, eft
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = {}
"""
DIRECTIVE = """\
directive: d
title: T
kind: broad
binding: true
firmness: assumption
authority: {body: B, theory: T}
status: [{event: effective, at: 2026-06-12T00:00:00Z, recorded: 2026-06-12T00:00:00Z}]
clauses:
  - id: c
    kind: deny
    subject: %s
"""


# --- the law -----------------------------------------------------------------------------------------------


def _refusal(folder: Path, model: str, file: str, policy: str):
    (folder / "schema.yaml").write_text(SCHEMA_TEXT, encoding="utf-8")
    (folder / "m.conf").write_text(model, encoding="utf-8", newline="")
    (folder / file).write_text(policy, encoding="utf-8", newline="")
    with pytest.raises(CompileError) as refused, nothing_runs():
        abac.compile(folder / "schema.yaml", folder / "m.conf", [folder / file])
    found = refused.value.diagnostics
    assert all(d.span.line > 0 and d.span.column > 0 and d.message for d in found)
    return [(Path(d.span.file).name, d.span.line) for d in found]


def test_there_are_enough_hostile_texts():
    assert len(HOSTILE) >= 140


@pytest.fixture(scope="module", autouse=True)
def _warm(tmp_path_factory):
    """Compile once, so that what is loaded on first use is loaded."""
    folder = tmp_path_factory.mktemp("warm")
    texts = {
        "schema.yaml": SCHEMA_TEXT,
        "m.conf": MODEL.format("eval(p.sub_rule)"),
        "p.csv": "p, r.sub.flag, read, allow\n",
        "d.yaml": DIRECTIVE % "r.sub.flag",
    }
    files = [folder / name for name in texts]
    for file in files:
        file.write_text(texts[file.name], encoding="utf-8")
    assert abac.compile(files[0], files[1], files[2:]).root.children
    assert all(read_condition(text(sound), context(), Findings()) for sound in SOUND)


@pytest.mark.parametrize("name", HOSTILE)
def test_as_a_matcher_it_is_refused_with_its_place(name, tmp_path):
    matcher = HOSTILE[name]
    found = _refusal(tmp_path, MODEL.format(matcher), "p.csv", "p, true, read, allow\n")
    assert {file for file, _ in found} == {"m.conf"}
    assert min(line for _, line in found) >= (1 if {"\n", "\r"} & set(matcher) else 8)


@pytest.mark.parametrize("name", HOSTILE)
def test_as_the_rule_of_a_row_it_is_refused_with_its_place(name, tmp_path):
    rows = f"p, r.sub.flag, read, allow\np, {HOSTILE[name]}, read, allow\n"
    found = _refusal(tmp_path, MODEL.format("eval(p.sub_rule) && r.act == p.act"), "p.csv", rows)
    assert {file for file, _ in found} == {"p.csv"}
    assert min(line for _, line in found) >= 2


@pytest.mark.parametrize("name", HOSTILE)
def test_in_a_directive_it_is_refused_with_its_place(name, tmp_path):
    written = DIRECTIVE % json.dumps(HOSTILE[name])
    found = _refusal(tmp_path, MODEL.format("eval(p.sub_rule)"), "d.yaml", written)
    assert {file for file, _ in found} == {"d.yaml"}
    assert min(line for _, line in found) >= 11


# --- mutations ---------------------------------------------------------------------------------------------

SOUND = (
    "r.sub.flag && r.sub.age > 3",
    'r.sub.name == "a" || !(r.obj.owner in ("a", "b"))',
    'any_of(r.sub.citizenships, {"US", "FR"}) && r.act == "read"',
    'keyMatch2(r.obj.id, "/orgs/:org/*") || regexMatch(r.sub.name, "[a-z]+$")',
    'r.env.now - "2026-06-12T00:00:00Z" < 3600 && timeMatch("_", "2026-06-13 00:00:00")',
    "r.sub.age + 2 * r.obj.cost >= 4.5 - r.sub.weight",
    'lower(r.sub.name) not in ["a"] && ipMatch(r.sub.name, "10.0.0.0/8")',
)
FRAGMENTS = (
    "()", ".__class__", "(", ")", '"', "'", "\\", "\n", "#", ";", ",", "&&", "||", "!", " ", ".", "[0]", "{", "}",
    "r.", "r.sub", "r.sub.tags", "r.obj.hidden", "lower(", "eval(", "lambda", ":=", "f'", "%", "1", "e9", "True",
    "None", "subject.age", "\u202e", "\x00", "==", "in", "not ", "-", "/", "*",
)  # fmt: skip


@st.composite
def mutated(draw):
    """A sound text after up to five insertions, deletions, repetitions and splices."""
    written = draw(st.sampled_from(SOUND))
    for _ in range(draw(st.integers(1, 5))):
        at, to = sorted((draw(st.integers(0, len(written))), draw(st.integers(0, len(written)))))
        kept = draw(st.sampled_from(("insert", "delete", "repeat", "splice")))
        if kept == "insert":
            written = written[:at] + draw(st.sampled_from(FRAGMENTS)) + written[at:]
        elif kept == "delete":
            written = written[:at] + written[min(to, at + 6) :]
        elif kept == "repeat":
            written = written[:to] + written[at:]
        else:
            written = written[:at] + draw(st.sampled_from(SOUND))[at:]
    return written


def _read(written):
    """What is made of a text, with nothing run on the way; and the findings, each with a place inside the text."""
    findings = Findings()
    with nothing_runs():
        condition = read_condition(text(written), context(), findings)
    assert (condition is None) == bool(findings.errors)
    lines = written.split("\n")
    for found in findings.errors:
        assert 1 <= found.span.line <= len(lines)
        assert 1 <= found.span.column <= len(lines[found.span.line - 1]) + 1
    return condition


def _observed(condition):
    """Decide a condition over objects that keep what is done to them, and check that they were only read."""
    root = PolicySet("root", Algorithm.DENY_OVERRIDES, (_policy(condition),))
    program = assemble(schema(), root, SHIPPED)
    witnesses = {category: Witness.of(category) for category in Category}
    with nothing_runs():
        outcome = decide(program, abac.Request(*(witnesses[c] for c in ASKED)))
    for category, witness in witnesses.items():
        asked = touched(witness) - {"__class__"}  # `isinstance` looks there
        assert asked <= set(schema().names(category)), asked
    return outcome


ASKED = (Category.SUBJECT, Category.ACTION, Category.RESOURCE, Category.ENVIRONMENT)


def _policy(condition):
    return Policy("p", Algorithm.DENY_OVERRIDES, (Rule("r", Effect.PERMIT, condition),))


def check_mutated(written):
    condition = _read(written)
    if condition is None:
        return
    for node in walk(condition):
        assert not isinstance(node, Attribute) or node.path in schema()
        assert not isinstance(node, Call) or node.function in SHIPPED
    _observed(condition)


@settings(max_examples=500)
@given(mutated())
def test_a_mutated_text_is_refused_at_a_place_or_only_reads_the_schema(written):
    check_mutated(written)


@pytest.mark.law
@settings(max_examples=50_000)
@given(mutated())
def test_a_mutated_text_is_refused_at_a_place_or_only_reads_the_schema_many_times_over(written):
    check_mutated(written)


@pytest.mark.parametrize("written", SOUND)
def test_a_sound_text_reads_what_it_names_of_an_object_and_touches_nothing_else(written):
    condition = _read(written)
    assert condition is not None
    assert _observed(condition).decision.name != "DENY"


def test_the_witness_sees_everything_that_could_be_done_to_it():
    witness = Witness.of(Category.SUBJECT)
    acts = (
        lambda: witness(1),
        lambda: hash(witness),
        lambda: witness == 1,
        lambda: witness < 1,
        lambda: len(witness),
        lambda: witness[0],
        lambda: witness + 1,
        lambda: str(witness),
        lambda: witness.__class__,
        lambda: witness.flag,
    )
    for act in acts:
        with suppress(TypeError):
            act()
    names = ("call", "hash", "eq", "lt", "len", "getitem", "add", "str")
    assert touched(witness) == {*(f"__{name}__()" for name in names), "__class__", "flag"}


# --- work --------------------------------------------------------------------------------------------------

STALLS = """
from casbin.util.builtin_operators import regex_match
regex_match("a" * 60 + "!", "(a+)+$")
"""
ANSWERS = """
from abac.condition.functions import SHIPPED
match, glob, key = (SHIPPED[name].value for name in ("regexMatch", "globMatch", "keyMatch2"))
for size in (10_000, 100_000, 1_000_000):
    value = "a" * size + "!"
    for pattern in ("(a+)+$", "(a|a)*$", "(a*)*b", "(a|aa)+$", "(.*a){12}b", "(?:a?){30}a{30}b", r"(\\w+\\s?)+$"):
        assert match(value, pattern) is False, pattern
    assert glob(value, "*a" * 30 + "b") is False
    assert key("/a" * (size // 2), "/*" * 30 + "/b") is False
"""


def test_a_pattern_that_stalls_pythons_own_expressions_is_answered():
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([sys.executable, "-c", STALLS], check=True, timeout=3, cwd=ROOT)
    subprocess.run([sys.executable, "-c", ANSWERS], check=True, timeout=100, cwd=ROOT)


def test_and_one_that_re2_has_not_is_refused_because_it_could_stall(tmp_path):
    (tmp_path / "schema.yaml").write_text(SCHEMA_TEXT, encoding="utf-8")
    (tmp_path / "m.conf").write_text(MODEL.format("regexMatch(r.sub.name, p.sub_rule)"), encoding="utf-8")
    (tmp_path / "p.csv").write_text("p, a+, read, allow\np, (a+)+(?=b), read, allow\n", encoding="utf-8")
    with pytest.raises(CompileError) as refused:
        abac.compile(tmp_path / "schema.yaml", tmp_path / "m.conf", [tmp_path / "p.csv"])
    (found,) = refused.value.diagnostics
    assert (Path(found.span.file).name, found.span.line, found.span.column) == ("p.csv", 2, 4)
    assert (
        "look-ahead is refused: regular expressions are RE2's, so that a decision cannot be stalled"
        in found.message
    )

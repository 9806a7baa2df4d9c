"""The parser, held to Python's own precedence and to what may never be written."""

import ast
import random
import sys
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from abac.backends.closure import lower
from abac.condition.expr import (
    And,
    AnyOf,
    Arithmetic,
    Attribute,
    Comparison,
    Constant,
    Definition,
    Field,
    Holds,
    Member,
    Not,
    Or,
    SetConstant,
    walk,
)
from abac.condition.reference import Assertion, Reference
from abac.condition.schema import Assurance, Category
from abac.condition.text import condition_text
from abac.condition.truth import FALSE, TRUE, truth
from abac.errors import Findings
from abac.language.condition import read_condition
from abac.language.names import REFUSED, Names
from abac.language.parser import MAX_DEPTH, parse
from tests.reading import condition, context, text, untyped


def _refusal(value: str, names: Names | None = None):
    findings = Findings()
    assert parse(text(value), names or Names(), findings) is None
    (found,) = findings.errors
    return found


# --- precedence, against Python itself ------------------------------------------------------------------------

NUMBERS = {"r.sub.age": "age", "r.obj.cost": "cost"}
HELD = {"age": 3, "cost": 2, "flag": True, "hidden": False}
BOOLS = {"r.sub.flag": "flag", "r.obj.hidden": "hidden"}


def _number(source: random.Random, depth: int) -> str:
    kind = source.random()
    if depth == 0 or kind < 0.3:
        return source.choice([*NUMBERS, "1", "2", "7", "2.5"])
    if kind < 0.4:
        return f"-{_number(source, depth - 1)}"
    if kind < 0.55:
        return f"({_number(source, depth - 1)})"
    mark = source.choice(["+", "-", "*", "/"])
    return f"{_number(source, depth - 1)} {mark} {_number(source, depth - 1)}"


def _test(source: random.Random, depth: int) -> str:
    kind = source.random()
    if depth == 0 or kind < 0.2:
        return source.choice([*BOOLS, "True", "False"])
    if kind < 0.45:
        mark = source.choice(["==", "!=", "<", "<=", ">", ">="])
        return f"{_number(source, 2)} {mark} {_number(source, 2)}"
    if kind < 0.55:
        return f"{_number(source, 1)} {source.choice(['in', 'not in'])} (1, 2, 3)"
    if kind < 0.65:
        return f"!{_test(source, depth - 1)}"
    if kind < 0.75:
        return f"({_test(source, depth - 1)})"
    mark = source.choice(["&&", "||"])
    return f"{_test(source, depth - 1)} {mark} {_test(source, depth - 1)}"


def _python(written: str) -> str:
    for ours, theirs in (("!=", "≠"), ("!", " not "), ("≠", "!="), ("&&", " and "), ("||", " or ")):
        written = written.replace(ours, theirs)
    for name, plain in {**NUMBERS, **BOOLS}.items():
        written = written.replace(name, plain)
    return written.strip()


@given(st.integers(0, 2**32))
def test_precedence_and_grouping_are_pythons(seed):
    source = random.Random(seed)
    held = {
        path: Assertion(HELD[path.rpartition(".")[2]], Assurance.VERIFIED)
        for path in ("subject.age", "resource.cost", "subject.flag", "resource.hidden")
    }
    for _ in range(20):
        written = _test(source, 4)
        meant = None
        try:
            meant = bool(eval(_python(written), {"__builtins__": {}}, HELD))  # noqa: S307  # the oracle
        except ZeroDivisionError:
            continue  # which of the parts Python looks at is its own affair
        answer = Reference(held, {}).truth(condition(written))
        assert answer is truth(meant), written


@pytest.mark.parametrize(
    ("written", "grouped"),
    [
        ("a || b && c", "a || (b && c)"),
        ("!a && b", "(!a) && b"),
        ("!a == b", "!(a == b)"),
        ("a && !b == c || d", "(a && (!(b == c))) || d"),
        ("a - b - c == d", "((a - b) - c) == d"),
        ("a - b * c < d / e / f", "(a - (b * c)) < ((d / e) / f)"),
        ("-a * b == c", "((-a) * b) == c"),
        ("- - a == b", "(-(-a)) == b"),
        ("a + b in c", "(a + b) in c"),
        ("not a in b", "!(a in b)"),
        ("a not in b and c or d", "((a not in b) && c) || d"),
    ],
)
def test_the_grouping_is_that_of_the_parentheses(written, grouped):
    whole, fully = (_named(w) for w in (written, grouped))
    assert untyped(whole)[0] == untyped(fully)[0] is not None


def _named(written: str) -> str:
    return "".join(f"r.sub.{c}" if c in "abcdef" and not _inside(written, i) else c for i, c in enumerate(written))


def _inside(written: str, at: int) -> bool:
    around = written[max(0, at - 1) : at] + written[at + 1 : at + 2]
    return any(c.isalpha() for c in around)


# --- what the names mean --------------------------------------------------------------------------------------


def test_casbins_names_and_our_own_mean_the_same_attributes():
    short, long = untyped("r.sub.age == r.obj.cost && r.act.name in r.env.x")[0], None
    long = untyped("subject.age == resource.cost && action.name in environment.x")[0]
    assert short == long
    named = untyped("r.sub == r.obj && r.act == r.dom")[0]
    paths = {n.path for n in walk(named) if isinstance(n, Attribute)}
    assert paths == {"subject.id", "resource.id", "action.name", "subject.domain"}
    assert untyped("r.env")[0] == Holds(Attribute(Category.ENVIRONMENT, "now"))


def test_set_operators_and_references_are_parsed():
    names = Names({"D:5": frozenset({"CN"})}, terms=frozenset({"resource.covered"}))
    findings = Findings()
    whole = parse(
        text('none_of(r.sub.c, list("D:5")) && person("foreign@1") && resource.covered'), names, findings
    )
    none, person, term = whole.operands
    assert none == Not(AnyOf(Attribute(Category.SUBJECT, "c"), SetConstant(frozenset({"CN"}))))
    assert (person, term) == (Definition("person", "foreign@1"), Definition("term", "resource.covered"))


def test_fields_of_a_row_and_eval_are_parsed_where_there_are_rows():
    names = Names(fields=frozenset({"sub_rule", "act"}))
    findings = Findings()
    whole = parse(text("eval(p.sub_rule) && r.act == p.act"), names, findings)
    assert whole.operands[0] == Definition("rule", "sub_rule")
    assert whole.operands[1].right == Field("act")


@pytest.mark.parametrize("written", ['("a",)', '("a", "b")', '{"a"}', '["a", "b",]', "()", "{}", "[]"])
def test_sets_are_written_in_any_brackets(written):
    whole = untyped(f"r.sub.x in {written}")[0]
    assert isinstance(whole, Member)
    assert whole.collection == SetConstant(frozenset(ast.literal_eval(written)))


def test_one_value_in_parentheses_is_no_set():
    assert untyped('r.sub.x in ("abc")')[0].collection == Constant("abc")


def test_long_chains_are_flat():
    for mark, kind in (("&&", And), ("||", Or)):
        whole = untyped(f" {mark} ".join(["r.sub.x"] * 9_000))[0]
        assert isinstance(whole, kind)
        assert len(whole.operands) == 9_000


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code", "column", "says"),
    [
        ("", "syntax", 1, "found end of text"),
        ("r.sub.x &&", "syntax", 11, "found end of text"),
        ("True) or (True", "syntax", 5, "expected end of text, found `)`"),
        ("(r.sub.x", "syntax", 9, "expected `)`"),
        ("r.sub.x == 1)", "syntax", 13, "expected end of text"),
        ("r.sub.x r.sub.y", "syntax", 9, "expected end of text"),
        ("1 < r.sub.x < 3", "syntax", 13, "do not chain"),
        ("r.sub.x == r.sub.y == true", "syntax", 20, "do not chain"),
        ("(r.sub.x == 1) == true", "type-clash", 10, "a condition stands where a value is due"),
        ("(r.sub.a && r.sub.b) + 1 == 2", "type-clash", 10, "where a value is due"),
        ("r.sub.x == None", "refused", 12, "an absent attribute is UNKNOWN"),
        ("null != r.sub.x", "refused", 1, "comparing with nothing"),
        ("known(r.sub.x)", "refused", 1, "knowing less must never permit more"),
        ("size(r.sub.x) > 1", "refused", 1, "size of a set"),
        ("len(r.sub.x) > 1", "refused", 1, "size of a set"),
        ("r.sub.name.startswith('a')", "refused", 22, "methods cannot be called"),
        ("r.sub.__class__.__mro__ == 1", "unknown-name", 1, "names no attribute"),
        ("x == 1", "unknown-name", 1, "`x` stands alone"),
        ("r.subject.x == 1", "unknown-name", 1, "names no attribute"),
        ("r.sub.a.b == 1", "unknown-name", 1, "names no attribute"),
        ("r == 1", "unknown-name", 1, "stands alone"),
        ("p.act == 1", "unknown-name", 1, "names no attribute"),
        ("r.sub. == 1", "syntax", 8, "expected a name"),
        ("eval('1')", "refused", 1, "takes a field of the policy row"),
        ("eval(r.sub.x)", "refused", 1, "takes a field of the policy row"),
        ("list(r.sub.x)", "syntax", 1, "takes a name in quotes"),
        ('r.sub.x in list("nowhere")', "unknown-list", 17, "no list `nowhere`"),
        ("any_of(r.sub.x)", "syntax", 1, "takes two sets"),
        ("all_of()", "syntax", 1, "takes two sets"),
        ("r.sub.x in {1, 'a'}", "type-clash", 12, "one type"),
        ("r.sub.x in {true, 1}", "type-clash", 12, "one type"),
        ("r.sub.x in {r.sub.y}", "syntax", 13, "plain values"),
        ("r.sub.x in {{1}}", "syntax", 13, "plain values"),
        ("f(x=1)", "syntax", 4, "write `==`"),
        ("[x for x in y]", "unknown-name", 2, "stands alone"),
        ("lambda: 1", "syntax", 7, "unexpected character ':'"),
        ("1 if r.sub.x else 2", "syntax", 3, "expected end of text"),
        ("r.sub.x == !r.sub.y", "syntax", 12, "binds loosely"),
        ("r.sub.x ** 2 == 4", "syntax", 10, "expected a value"),
        ("r.sub.x[0] == 1", "syntax", 8, "expected end of text"),
        ("r.sub.x not 3", "syntax", 13, "expected `in`"),
        ("+1 == 1", "syntax", 1, "expected a value"),
        ('"\\ud800" == r.sub.x', "syntax", 1, "bad escape"),
        ("r.sub.x; import os", "syntax", 8, "unexpected character"),
    ],
)
def test_what_is_not_one_condition_is_refused_with_its_place(written, code, column, says):
    found = _refusal(written)
    assert (found.code, found.span.line, found.span.column) == (code, 1, column)
    assert says in found.message


def test_misspelt_names_are_hinted_at():
    assert _refusal("r.subb.x == 1").hint == "did you mean `r.sub`?"
    assert _refusal("subjekt.x == 1").hint == "did you mean `subject`?"
    names = Names({"annex-a": frozenset()}, fields=frozenset({"sub_rule"}))
    assert _refusal('r.sub.x in list("anex-a")', names).hint == "did you mean `annex-a`?"
    assert _refusal("eval(p.subrule)", names).hint == "did you mean `sub_rule`?"


def test_everything_that_asks_whether_something_is_known_is_refused():
    assert {"known", "size", "len"} == set(REFUSED)


DEEP = {
    "parentheses": lambda n: "(" * n + "r.sub.flag" + ")" * n,
    "open parentheses": lambda n: "(" * n,
    "negations": lambda n: "!" * n + "r.sub.flag",
    "words of negation": lambda n: "not " * n + "r.sub.flag",
    "minus signs": lambda n: "-" * n + "r.sub.age == 1",
    "calls": lambda n: "lower(" * n + "r.sub.name" + ")" * n + ' == "a"',
    "references": lambda n: "list(" * n,
    "brackets": lambda n: "r.sub.x in " + "[" * n,
    "sums in parentheses": lambda n: "(" * (n // 250 + 1) + "1" + (" + 1" * 90 + ")") * (n // 250 + 1) + " == 1",
    "alternation": lambda n: "(true&&(true||" * (n // 2) + "true" + "))" * (n // 2),
    "sums": lambda n: "1" + " + 1" * n + " == 1",
    "products": lambda n: "1" + " * 1" * n + " == 1",
}


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("levels", [300, 10_000])
def test_a_text_nested_too_deep_is_refused_at_its_place(shape, levels):
    found = _refusal(DEEP[shape](levels))
    assert found.code == "nested-too-deep"
    assert found.span.line == 1


def test_what_is_just_not_too_deep_can_be_checked_evaluated_and_written():
    levels = MAX_DEPTH // 2 - 1  # a negation and its parentheses are two levels
    whole = condition("!(" * levels + "r.sub.flag && r.obj.hidden" + ")" * levels)
    held = {path: Assertion(True, Assurance.VERIFIED) for path in ("subject.flag", "resource.hidden")}
    assert Reference(held, {}).truth(whole) == lower(whole, {})(held) == (TRUE if levels % 2 == 0 else FALSE)
    assert condition(condition_text(whole)) == whole
    assert _refusal("!(" * (levels + 1) + "r.sub.flag" + ")" * (levels + 1)).code == "nested-too-deep"


def test_the_parser_gives_a_finding_even_on_a_stack_that_is_nearly_full():
    def sink(levels: int):
        return sink(levels - 1) if levels else untyped("(" * 90 + "r.sub.flag" + ")" * 90)

    frame, used = sys._getframe(), 0
    while frame is not None:
        frame, used = frame.f_back, used + 1
    whole, found = sink(sys.getrecursionlimit() - used - 150)
    assert whole is None
    assert found[0].code == "nested-too-deep"


@pytest.mark.parametrize(
    "written",
    [
        "r.sub.x in {" + '"a", ' * 19_000 + '"b"}',
        " && ".join(["r.sub.x == 1"] * 6_000),
        "r.sub.x == 1 &&\n" * 6_000 + "true",
        "(" * 50 + "r.sub.flag" + ")" * 50 + " || r.sub.flag" * 7_000,
        "r.sub.x == " + "'" + "\\n" * 49_000 + "'",
    ],
    ids=["set", "chain", "lines", "mixed", "escapes"],
)
def test_a_hundred_thousand_characters_are_parsed_in_a_second_or_so(written):
    assert len(written) <= 100_000
    start = time.process_time()
    assert untyped(written)[0] is not None
    assert time.process_time() - start < 6


# --- hostile text ---------------------------------------------------------------------------------------------


def test_hostile_text_executes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for written in (
        "__import__('os').system('touch owned')",
        'eval(\'__import__("os").system("touch owned")\')',
        "().__class__.__bases__[0].__subclasses__()",
        "r.sub.x == open('owned', 'w')",
        "exec('import os')",
        'f\'{open("owned", "w")}\' == r.sub.x',
        "True) or __import__('os').system('touch owned') or (True",
    ):
        findings = Findings()
        parse(text(written), Names(), findings)
        assert findings.errors or written.startswith(("r.sub.x", "exec"))  # a call of nothing known: the checker's
    assert not list(tmp_path.iterdir())


VALID = [
    'r.sub.age >= 18 && r.sub.country in {"FR", "US"} || !(r.obj.hidden)',
    "any_of(r.sub.citizenships, (\"US\",)) && keyMatch(r.obj.id, '/m/*')",
    'r.sub.age - (r.obj.cost + 2) * -3 != 1.5e3 && "a" not in r.sub.tags',
    'person("foreign@1") || list("x") == 1 && eval(p.sub_rule)',
]
PIECES = [
    "&&",
    "||",
    "!",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ".",
    "==",
    "in",
    "not",
    "r.sub.age",
    '"',
    "'",
    "\\",
    "\n",
    "1e",
    "\0",
    "é",
]


@given(st.text(max_size=80))
@example("\ud800")
@example("r.sub.\U0001d11e == '\u2028'")
@example("1." * 40)
def test_any_text_is_a_condition_or_a_finding(written):
    _is_a_condition_or_a_finding(written)


@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 4), st.sampled_from(PIECES)), max_size=4),
)
def test_a_damaged_text_is_a_condition_or_a_finding(written, damage):
    for at, cut, put in damage:
        written = written[:at] + put + written[at + cut :]
    _is_a_condition_or_a_finding(written)


@given(
    st.lists(st.sampled_from([*PIECES, "None", "size(", "any_of(", "list(", "true", "-", "+", "1"]), max_size=25)
)
def test_any_heap_of_pieces_is_a_condition_or_a_finding(pieces):
    _is_a_condition_or_a_finding(" ".join(pieces))


def _is_a_condition_or_a_finding(written: str) -> None:
    findings = Findings()
    read = read_condition(text(written), context(), findings)
    assert (read is None) == bool(findings.errors)
    for found in findings.errors:
        assert 1 <= found.span.line <= written.count("\n") + 1
        assert 1 <= found.span.column <= len(written) + 1


def test_a_comparison_is_where_its_mark_is():
    whole = untyped("r.sub.age\n  == 1")[0]
    assert isinstance(whole, Comparison)
    assert (whole.span.line, whole.span.column) == (2, 3)
    assert isinstance(untyped("r.sub.a + 1 == 2")[0].left, Arithmetic)

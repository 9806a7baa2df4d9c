"""regexMatch against Python's own `re.match`, and what is refused or has no answer."""

import re
import sys
import unicodedata
import warnings

import casbin.util.builtin_operators as stock
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.condition.functions.classes import EXCEPT_NOT_WORD, OUTSIDE
from abac.condition.functions.linear import PatternError
from abac.condition.functions.pattern import read
from abac.condition.functions.regex import inspect_regex, regex_match

ATOMS = (
    "a", "b", "A", "é", "0", "_", " ", ".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"\b", r"\B", "^", "$",
    r"\A", r"\Z", r"\n", r"\t", r"\.", r"\x41", r"\u00e9", r"\U0001d11e", "{", "}", "]", "-", r"\-", r"\é",
    "#", "&", "[ab]", "[^a]", r"[\w-]", r"[^\W_]", r"[^\W\d_]", r"[\s\S]", r"[\W0]", r"[^\s]", r"[^\D]",
    "[]a]",     "[a-c-]",
    "[é-ü]", r"[\b]", r"[\]]", "[[]", "[.$^]", "[a&&b]", r"[^\d\S]", "(?:)", "()", "\U0001d11e", "K", "k",
    "\u0131",
)  # fmt: skip
REPEATS = ("", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{,2}", "{1,}", "{,}", "{0,2}?", "{}", "{a}")
piece = st.builds("{}{}".format, st.sampled_from(ATOMS), st.sampled_from(REPEATS))
body = st.recursive(
    st.lists(piece, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.builds("({}){}".format, inner, st.sampled_from(REPEATS)),
        st.builds("(?P<n>{})".format, inner),
        st.builds(
            "(?{}:{}){}".format, st.sampled_from(("", "i", "m", "s", "im", "i-s", "-i")), inner, st.just("")
        ),
        st.builds("{}|{}".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=4,
)
PATTERNS = st.builds("{}{}".format, st.sampled_from(("", "", "(?i)", "(?m)", "(?s)", "(?ims)")), body)
CHARACTERS = (
    "a", "b", "A", "é", "É", "0", "\u0663", "_", " ", "\u2003", "\n", ".", "-", "k", "K", "\u212a", "\U0001d11e",
    "\u0131", "\u017f", "\u0345", "}",
)  # fmt: skip
VALUES = st.lists(st.sampled_from(CHARACTERS), max_size=6).map("".join)


def ours(value, pattern):
    try:
        return regex_match(value, pattern)
    except ValueError:
        return None


def theirs(value, pattern):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # a `[` or `&&` in a class
        try:
            return stock.regex_match(value, pattern)
        except re.error:
            return None


@pytest.mark.law
@settings(max_examples=100_000)
@given(VALUES, PATTERNS)
def test_what_both_read_they_answer_alike_many_times_over(value, pattern):
    mine, their = ours(value, pattern), theirs(value, pattern)
    assert mine is None or their is None or mine == their


def test_what_both_read_they_answer_alike_and_that_is_most_and_many_match():
    seen = {True: 0, False: 0, None: 0}
    lost = 0

    @settings(max_examples=1_500)
    @given(VALUES, PATTERNS)
    def law(value, pattern):
        nonlocal lost
        mine, their = ours(value, pattern), theirs(value, pattern)
        assert mine is None or their is None or mine == their
        seen[mine] += 1
        lost += mine is None and their is not None

    law()
    assert min(seen[True], seen[False]) > 150
    assert lost < 500


@pytest.mark.parametrize("kind", "dDwWsS")
def test_kinds_of_characters_are_pythons(kind):
    theirs, ours = re.compile(rf"\{kind}"), re2.compile(OUTSIDE[kind])
    known = [c for n in range(1, sys.maxunicode + 1) if unicodedata.category(c := chr(n)) not in ("Cs", "Cn")]
    step = 1 if sys.maxunicode < 0x10000 else 3
    assert [c for c in known[::step] if bool(theirs.match(c)) != bool(ours.match(c))] == []


@pytest.mark.parametrize("others", list(EXCEPT_NOT_WORD))
def test_letters_written_as_no_word_and_more_are_pythons(others):
    pattern = "[^\\W" + others.replace("d", r"\d") + "]"
    known = [c for n in range(1, 0x3000) if unicodedata.category(c := chr(n)) not in ("Cs", "Cn")]
    assert [c for c in known if bool(re.match(pattern, c)) != regex_match(c, pattern)] == []


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "says", "at"),
    [
        ("a(?=b)", "look-ahead", 1),
        ("a(?!b)", "look-ahead", 1),
        ("(?<=a)b", "look-behind", 0),
        ("(?<!a)b", "look-behind", 0),
        (r"(a)\1", "back-reference", 3),
        (r"(a)\10", "back-reference", 3),
        ("(?P<n>a)(?P=n)", "back-reference", 8),
        ("(a)(?(1)b|c)", "conditional", 3),
        ("(?>a)", "atomic", 0),
        ("a*+", "possessive", 2),
        ("a{2}+", "possessive", 4),
        ("(?#a)", "comment", 0),
        ("(?x)a b", "the flag `x`", 0),
        ("(?a)a", "the flag `a`", 0),
        ("(?U)a", "the flag `U`", 0),
        ("a(?i)b", "not at the start", 1),
        ("(?i)(?m)b", "not at the start", 4),
        ("(?-i)b", "not at the start", 0),
        (r"\z", r"the escape `\z`", 0),
        (r"\pL", r"the escape `\p`", 0),
        (r"a\Q", r"the escape `\Q`", 1),
        (r"\C", r"the escape `\C`", 0),
        (r"\N{BULLET}", r"the escape `\N`", 0),
        (r"\012", r"the escape `\0`", 0),
        (r"[\A]", r"the escape `\A`", 1),
        (r"\xg1", "without its 2 digits", 0),
        (r"\ud800", "no character", 0),
        (r"\U00110000", "no character", 0),
        ("a\\", "a backslash at the end", 1),
        ("[[:alpha:]]", "`[:` in a class", 1),
        (r"[^\Wx]", "a negated class", 0),
        ("[b-a]", "a range", 1),
        (r"[a-\d]", "a range", 1),
        ("x[ab", "a class that does not end", 1),
        ("(?i)\u0131", "dotless", -1),
    ],
)
def test_what_is_refused_says_where_and_why(pattern, says, at):
    with pytest.raises(PatternError, match="cannot be stalled") as refused:
        inspect_regex(pattern)
    assert says in str(refused.value)
    assert refused.value.at == at
    with pytest.raises(PatternError):
        regex_match("a", pattern)


@pytest.mark.parametrize(
    "pattern", ["(", "a)", "*", "a**", "a{2,1}", "a{1001}", "(a{100}){100}", "(?P<>a)", "[a-z]{1000}" * 90]
)
def test_what_re2_itself_refuses_says_why(pattern):
    with pytest.raises(PatternError, match="RE2's, so that a decision cannot be stalled"):
        inspect_regex(pattern)


def test_the_length_and_the_memory_of_a_pattern_are_bounded():
    inspect_regex("a" * 2_000)
    with pytest.raises(PatternError, match="2,001 characters"):
        inspect_regex("a" * 2_001)
    with pytest.raises(PatternError, match="too large"):
        inspect_regex(r"\w{1000}")


# --- what has no answer ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "value", "python"),
    [
        ("a$", "a\n", True),
        (r"é\b", "é", True),
        (r"\B", "", False),
        ("(?i)i", "\u0131", True),
        ("(?i)I", "\u0130", True),
        (r"(?i)\w", "\u0345", False),
    ],
)
def test_where_re2_would_answer_otherwise_there_is_no_answer(pattern, value, python):
    assert bool(re.match(pattern, value)) is python
    inspect_regex(pattern)
    with pytest.raises(ValueError, match="may answer this value differently"):
        regex_match(value, pattern)
    assert bool(re2.match(read(pattern).text, value)) is not python


@pytest.mark.parametrize(
    ("pattern", "value"), [(r"a\Z", "a\n"), ("(?m)a$", "a\n"), ("(?m:a$)", "a\nb"), (r"a\b", "a")]
)
def test_and_where_it_would_not_there_is_one(pattern, value):
    assert regex_match(value, pattern) is bool(re.match(pattern, value))


def test_no_pattern_backtracks():
    for pattern in ("(a+)+$", "(a|a)*$", "(a*)*b", "(?:a?){30}a{30}b", "(.*a){20}b"):
        assert not regex_match("a" * 20_000 + "!", pattern)

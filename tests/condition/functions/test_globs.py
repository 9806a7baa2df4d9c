"""globMatch against pycasbin's own, and what is refused."""

import casbin.util.builtin_operators as stock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.condition.functions.globs import MAX_ALTERNATIVES, glob_match, inspect_glob
from abac.condition.functions.linear import PatternError

CLASSES = ("[ab]", "[!a]", "[^a]", "[a-c]", "[.]", "[!.]", "[--0]", "[]a]", "[a-]", "[+.]")
PIECES = ("/", "/", "/", "a", "b", "ab", ".", "*", "*", "?", "**", "/**/", "/**", "**/", "-", "+", "(", "é", "~")
SIMPLE = st.lists(st.sampled_from(PIECES + CLASSES), max_size=6).map("".join)
BRACED = st.builds(
    lambda head, inner, tail: f"{head}{{{','.join(inner)}}}{tail}",
    SIMPLE,
    st.lists(st.one_of(SIMPLE, st.sampled_from(("", "{a,b}", "{*,.b}c"))), min_size=2, max_size=3),
    SIMPLE,
)
GLOBS = st.one_of(SIMPLE, SIMPLE, BRACED)
PATHS = st.lists(
    st.sampled_from(("/", "/", "//", "a", "b", "c", "ab", ".", "..", "/.a", "-", "é", "\n")), max_size=7
)


def answer(match, path, pattern):
    try:
        return match(path, pattern)
    except PatternError:
        return None


def test_globs_answer_as_casbin_and_most_are_read_and_many_match():
    seen = {True: 0, False: 0, None: 0}

    @settings(max_examples=1_000)
    @given(PATHS.map("".join), GLOBS)
    def law(path, pattern):
        ours = answer(glob_match, path, pattern)
        assert ours is None or ours == stock.glob_match(path, pattern)
        seen[ours] += 1

    law()
    assert seen[None] < 250
    assert seen[True] > 40


@pytest.mark.parametrize(
    ("pattern", "matches", "misses"),
    [
        ("/models/*", ("/models/a", "/models/a/"), ("/models/", "/models/.a", "/models/a/b", "/models/a\n/b")),
        ("/models/**", ("/models", "/models/", "/models/a/b"), ("/model", "/models/.git/a")),
        ("/**/keys", ("/keys", "/a/b/keys"), ("/.a/keys", "keys")),
        ("*.bin", ("a.bin",), (".bin", "a/b.bin", "abin")),
        ("/a?c", ("/abc", "/a.c"), ("/ac", "/a/c")),
        ("?a", ("ba",), (".a",)),
        ("/{a,b*}/c", ("/a/c", "/bx/c"), ("/x/c", "/a,b*/c")),
        ("[a-c]x", ("bx",), ("dx",)),
        ("[!a]x", ("bx",), ("ax", "/x", ".x")),
        ("*/a", ("/a",), ("b/a",)),
        ("a**b", ("ab", "axb"), ("a/b",)),
    ],
)
def test_what_a_glob_means(pattern, matches, misses):
    for path in matches:
        assert glob_match(path, pattern), path
        assert stock.glob_match(path, pattern), path
    for path in misses:
        assert not glob_match(path, pattern), path
        assert not stock.glob_match(path, pattern), path


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (r"a\*", "is refused, at character 2"),
        ("${a,b}", "is refused, at character 1"),
        ("[[:alpha:]]", "is refused, at character 2"),
        ("a/**/", "at the end"),
        ("[a", "does not end"),
        ("[a/b]", "does not end"),
        ("[z-a]", "is no range"),
        ("[/-/]", "does not end"),
        ("{a", "does not pair up"),
        ("a}", "does not pair up"),
        ("{a}", "two or more"),
        ("{1..3}", "two or more"),
        ("{a,b}" * 10, f"more than {MAX_ALTERNATIVES:,} patterns"),
        ("{a," * 300 + "}" * 300, "more than 50 braces"),
        ("a" * 2_001, "at most 2,000"),
        ("{" + ",".join("é*" * 300 for _ in range(3)) + "}" + "{a,b}" * 8, "too large"),
    ],
)
def test_what_is_refused_says_why(pattern, says):
    with pytest.raises(PatternError, match=says.replace("(", r"\(")):
        inspect_glob(pattern)


def test_no_glob_backtracks():
    assert not glob_match("a" * 50_000, "*a" * 50 + "b")
    assert not glob_match("/a" * 20_000, "/**/a" * 20 + "/b")


@pytest.mark.law
@settings(max_examples=100_000)
@given(PATHS.map("".join), GLOBS)
def test_globs_answer_as_casbin_many_times_over(path, pattern):
    ours = answer(glob_match, path, pattern)
    assert ours is None or ours == stock.glob_match(path, pattern)

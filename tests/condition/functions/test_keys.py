"""Casbin's key functions against pycasbin's own, and where they part."""

import re

import casbin.util.builtin_operators as stock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.condition.functions import keys
from abac.condition.functions.linear import MAX_PATTERN, PatternError

PIECES = ("/", "/", "a", "b", "ab", ".", "_", "-", "é", "&")
COLON = st.lists(st.sampled_from((*PIECES, "/*", "/:id", "/:id", ":b", ":id_a", "{a}")), max_size=7).map("".join)
BRACES = st.lists(
    st.sampled_from((*PIECES, "/*", "/{id}", "/{id}", "{b}", "/{a}_{id}", "{", "}", "{}", ":a")), max_size=7
).map("".join)
KEYS = st.lists(st.sampled_from((*PIECES, "a/b", "{a}", "/ab/b", "?a=b", "*", ":id", "+")), max_size=7).map(
    "".join
)
NAMES = st.sampled_from(("id", "a", "b", "id_a", "a}_{id", ""))


@st.composite
def meant(draw, patterns, named):
    """A pattern and a key: as often as not one that fits, with something in the place of every star and name."""
    pattern = draw(patterns)
    key = draw(KEYS)
    if draw(st.booleans()):
        fill = st.sampled_from(("a", "b", "a", "ab", "é.", "{a}"))
        key = re.sub(named, lambda _: draw(fill), pattern.replace("/*", "/" + draw(KEYS)))
    return key, pattern


def dotted(pattern):
    """The pattern that pycasbin reads as we read `pattern`: its dots are dots."""
    return pattern.replace(".", r"\.")


@given(st.text("ab/*", max_size=6), st.text("ab/*", max_size=6))
def test_key_match_and_key_get_answer_as_casbin(key, pattern):
    assert keys.key_match(key, pattern) == stock.key_match(key, pattern)
    assert keys.key_get(key, pattern) == stock.key_get(key, pattern)


@settings(max_examples=400)
@given(meant(COLON, r":[^/]+"), NAMES)
def test_colon_patterns_answer_as_casbin(pair, name):
    key, pattern = pair
    assert keys.key_match2(key, pattern) == stock.key_match2(key, dotted(pattern))
    if "." not in pattern:
        assert keys.key_get2(key, pattern, name) == stock.key_get2(key, pattern, name)


@settings(max_examples=600)
@given(meant(BRACES, r"\{[^/]+?\}"), NAMES)
def test_brace_patterns_answer_as_casbin(pair, name):
    key, pattern = pair
    assert keys.key_match3(key, pattern) == stock.key_match3(key, dotted(pattern))
    assert keys.key_match4(key, pattern) == stock.key_match4(key, dotted(pattern))
    assert keys.key_match5(key, pattern) == stock.key_match5(key, dotted(pattern))
    if "." not in pattern:
        assert keys.key_get3(key, pattern, name) == stock.key_get3(key, pattern, name)


@pytest.mark.parametrize("key", ["", "*", "/a/b", "a", "?"])
def test_a_star_alone_is_everything_where_it_is_in_casbin(key):
    assert keys.key_match2(key, "*") == stock.key_match2(key, "*")
    assert keys.key_get2(key, "*", "id") == stock.key_get2(key, "*", "id") == ""
    assert keys.key_get3(key, "*", "id") == stock.key_get3(key, "*", "id") == ""
    for name in ("key_match3", "key_match4", "key_match5"):
        with pytest.raises(re.error):
            getattr(stock, name)(key, "*")
        with pytest.raises(PatternError, match=r"write `/\*`"):
            getattr(keys, name)(key, "*")


def test_the_strategy_gives_matches_and_misses():
    seen = {True: 0, False: 0}

    @settings(max_examples=300)
    @given(meant(COLON, r":[^/]+"))
    def count(pair):
        seen[keys.key_match2(*pair)] += 1

    count()
    assert min(seen.values()) > 60


def test_a_name_written_twice_stands_for_one_text_in_key_match4_alone():
    key, pattern = "/a/1/b/2", "/a/{id}/b/{id}"
    assert (keys.key_match3(key, pattern), keys.key_match4(key, pattern)) == (True, False)
    assert keys.key_match4("/a/1/b/1", pattern)


# --- where we part from pycasbin ---------------------------------------------------------------------------


@pytest.mark.parametrize("match", ["key_match2", "key_match3", "key_match4", "key_match5"])
def test_a_dot_stands_for_itself(match):
    assert getattr(stock, match)("/fable-55", "/fable-.5")
    assert not getattr(keys, match)("/fable-55", "/fable-.5")
    assert getattr(keys, match)("/fable-.5", "/fable-.5")


@pytest.mark.parametrize("match", ["key_match2", "key_match3", "key_match4", "key_match5"])
@pytest.mark.parametrize(
    "pattern", ["/a+", "/a*", "/a(b)", "/[ab]", "/a|b", "/a$", "^/a", "/a?", r"/\w", "/**", "/a]"]
)
def test_what_only_a_regular_expression_can_mean_is_refused_with_its_place(match, pattern):
    with pytest.raises(PatternError, match="regular expression") as refused:
        getattr(keys, match)("/a", pattern)
    assert refused.value.at == next(
        n for n, c in enumerate(pattern) if c in r"+*([|$^?\]" and pattern[: n + 1] != "/*"
    )


def test_a_repetition_in_braces_is_refused_where_braces_name_nothing():
    assert stock.key_match2("/aaa", "/a{3}")
    with pytest.raises(PatternError, match="regular expression"):
        keys.key_match2("/aaa", "/a{3}")
    assert keys.key_match2("/a{b}", "/a{b}")


@pytest.mark.parametrize("match", ["key_match2", "key_match3", "key_match4", "key_match5"])
def test_a_line_feed_is_a_character_like_others(match):
    ours, theirs = getattr(keys, match), getattr(stock, match)
    assert (theirs("/a\n", "/a"), ours("/a\n", "/a")) == (True, False)
    assert (theirs("/a/b\nc", "/a/*"), ours("/a/b\nc", "/a/*")) == (False, True)


# --- bounds ------------------------------------------------------------------------------------------------


def test_a_pattern_is_bounded():
    assert keys.key_match2("/" + "a" * (MAX_PATTERN - 1), "/" + "a" * (MAX_PATTERN - 1))
    with pytest.raises(PatternError, match="2,001 characters; at most 2,000"):
        keys.key_match2("/a", "/" + "a" * MAX_PATTERN)


def test_no_pattern_makes_a_key_backtrack():
    key = "/a" * 20_000
    assert not keys.key_match2(key, "/*" * 200 + "/b")
    assert not keys.key_match4(key, "/*/{x}" * 20 + "/b")

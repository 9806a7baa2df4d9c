from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.storage.policies.errors import PolicyWordsError
from abac.storage.policies.names import folded, same_person, told_commit, told_name, told_why


@pytest.mark.parametrize(
    "spelling",
    [
        "ADA LOVELACE",
        " ada  lovelace ",
        "Ada\u00a0Lovelace",  # a blank that does not break
        "\uff21\uff44\uff41 Lovelace",  # full width
        "Ada\u200b Lovelace",  # a blank without width
        "Ada\u00ad Lovelace",  # a soft hyphen
        "AdaLovelace",
        "Ada\ufe0f Lovelace",  # a variation selector
    ],
)
def test_spellings_of_one_name(spelling):
    assert same_person("Ada Lovelace", told_name(spelling))


def test_composed_and_decomposed_letters_are_one_name():
    assert same_person("Zo\u00eb", "Zoe\u0308")
    assert same_person("Stra\u00dfe", "STRASSE")


@pytest.mark.parametrize("other", ["Ada King", "Bob", "Zoe"])
def test_other_names_are_other_persons(other):
    assert not same_person("Zo\u00eb", other)


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "\u3164", "a\x00b", "a\x1b[31mb", "x" * 201])
def test_what_is_no_name(name):
    with pytest.raises(PolicyWordsError) as refused:
        told_name(name)
    assert refused.value.code == "policy-words"


def test_a_word_of_two_scripts_is_refused():
    with pytest.raises(PolicyWordsError, match="mixes CYRILLIC and LATIN"):
        told_name("\u0410da")  # a Cyrillic A
    assert told_name("\u0410\u0434\u0430 Lovelace")


def test_a_reason_is_not_empty():
    assert told_why(" the letter came \n") == "the letter came"
    for why in ("", " ", "\ud800"):
        with pytest.raises(PolicyWordsError):
            told_why(why)


def test_a_commit_is_a_digest():
    assert told_commit("ABCDEF1") == "abcdef1"
    assert told_commit("") == ""
    for commit in ("main", "abc", "g" * 40, "a" * 65):
        with pytest.raises(PolicyWordsError, match="git rev-parse"):
            told_commit(commit)


@given(st.text())
def test_folding_twice_changes_nothing(name):
    assert folded(folded(name)) == folded(name)


@given(st.text(min_size=1, max_size=20))
def test_no_change_of_case_makes_another_person(name):
    assert folded(name.lower()) == folded(name) or name.lower().casefold() != name.casefold()
    assert same_person(name, f" {name} ")

"""A possible match stays UNKNOWN until somebody named decides it, and is so again when the decision lapses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from abac.parties.party import ORGANISATION, Party
from abac.screening.disposition import Disposition, DispositionError, disposed, read_dispositions
from abac.screening.match import Grade, Listing

NOW = datetime(2026, 6, 12, 12, tzinfo=UTC)
ROW = Party("k-3", ("Blue Heron Micro Electronics",), ORGANISATION)
ENTRY = Party("el-2", ("Blue Heron Microelectronics",), ORGANISATION)


def word(verdict="other", **more):
    fields = {
        "reviewer": "R. Viewer",
        "reason": "another address",
        "decided": NOW,
        "expires": NOW + timedelta(days=90),
    }
    return replace(Disposition.of(ROW, ENTRY, verdict, **fields), **more)


def graded(*words, row=ROW, entry=ENTRY, now=NOW):
    faults = []
    found = read_dispositions("".join(w.line() for w in words), "d.jsonl", faults)
    assert faults == []
    (match,) = disposed(Listing([entry]).match([row]), found, now)
    return match.grade, match.candidates[0].why


def test_possible_until_disposed_of():
    assert graded()[0] is Grade.POSSIBLE
    grade, why = graded(word())
    assert grade is Grade.NONE
    assert why.endswith("R. Viewer decided `other`: another address (until 2026-09-10)")
    assert graded(word("same"))[0] is Grade.EXACT
    assert (Grade.POSSIBLE.truth, Grade.NONE.truth, Grade.EXACT.truth) == (None, False, True)


def test_it_lapses_when_it_expires_and_when_either_record_changes():
    grade, why = graded(word(), now=NOW + timedelta(days=90))
    assert (grade, "lapsed: it expired" in why) == (Grade.POSSIBLE, True)
    assert graded(word(), row=replace(ROW, countries=("CN",)))[0] is Grade.POSSIBLE
    assert "entry has changed" in graded(word(), entry=replace(ENTRY, programs=("X",)))[1]
    assert graded(word(), now=NOW - timedelta(seconds=1))[0] is Grade.POSSIBLE


def test_the_last_word_counts_and_open_takes_it_back():
    assert graded(word("same"), word("other"))[0] is Grade.NONE
    assert graded(word("other"), word("open"))[0] is Grade.POSSIBLE


def test_it_does_not_clear_what_is_exact():
    entry = replace(ENTRY, names=ROW.names)
    words = Disposition.of(ROW, entry, "other", "R", "no", NOW, NOW + timedelta(1))
    assert graded(words, entry=entry)[0] is Grade.EXACT


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"reviewer": " "}, "needs a reviewer"),
        ({"reason": ""}, "needs a reason"),
        ({"verdict": "fine"}, "not among same, other, open"),
        ({"expires": NOW}, "before it was decided"),
        ({"expires": datetime(2027, 1, 1)}, "need an offset"),  # noqa: DTZ001  # what is refused
    ],
)
def test_what_makes_no_disposition_is_refused(wrong, told):
    with pytest.raises(DispositionError, match=told):
        word(**wrong)


def test_a_file_lists_the_lines_that_are_none_and_keeps_the_others():
    faults = []
    text = word().line() + "{}\nnonsense\n\n" + word().line().replace("2026-06-12T12", "yesterday")
    found = read_dispositions(text, "d.jsonl", faults)
    assert list(found) == [("k-3", "el-2")]
    assert [f.span.line for f in faults] == [2, 3, 5]

"""How alike names are, 0 to 100: three ways in which people write one name, and the best of them counts.

- the same words in any order: rapidfuzz's `fuzz.ratio`, the share of letters that insertions and deletions keep,
  over the words in alphabetical order;
- the same letters in other words (`Micro Electronics`): the same ratio over the words run together;
- one name within the other (`Ilya P. Varganov`): every word of the shorter one, two at least, is a word of the
  longer one, or the initial of one: `CONTAINED`.

Equal names score 100 and no others do. `measure` says how often a threshold is right.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.process import cdist

from abac.screening.names import words

EQUAL, CONTAINED = 100, 90
SHARED = 2
"""Whole words that names must share for one to be within the other."""


class Names:
    """Names by place, made ready to be compared with; names without a word are like nothing."""

    def __init__(self, names: Sequence[str]) -> None:
        self._words = [words(name) for name in names]
        self._sorted = [" ".join(sorted(w)) for w in self._words]
        self._joined = ["".join(w) for w in self._words]
        self._having: dict[str, list[int]] = defaultdict(list)
        for place, each in enumerate(self._words):
            for word in set(each):
                self._having[word].append(place)

    def alike(self, names: Sequence[str], threshold: int) -> list[dict[int, int]]:
        """Return for each of `names` the places that are alike to at least `threshold`, each with its score."""
        asked = [words(name) for name in names]
        found: list[dict[int, int]] = [{} for _ in names]
        if not self._words or not asked:
            return found
        ways = (([" ".join(sorted(w)) for w in asked], self._sorted), (["".join(w) for w in asked], self._joined))
        for mine, theirs in ways:
            scores = cdist(mine, theirs, scorer=fuzz.ratio, score_cutoff=threshold, dtype=np.uint8)
            for row, place in zip(*(axis.tolist() for axis in np.nonzero(scores)), strict=True):
                equal = ways[0][0][row] == self._sorted[place]
                score = EQUAL if equal else min(int(scores[row, place]), EQUAL - 1)
                found[row][place] = max(found[row].get(place, 0), score)
        if threshold <= CONTAINED:
            for row, each in enumerate(asked):
                for place in self._within(each):
                    found[row][place] = max(found[row].get(place, 0), CONTAINED)
        for row, each in enumerate(asked):
            if not each:
                found[row] = {}
        return found

    def _within(self, asked: tuple[str, ...]) -> list[int]:
        if len(asked) < SHARED:
            return []
        shared = Counter(place for word in set(asked) for place in self._having.get(word, ()))
        return [p for p, n in shared.items() if n >= SHARED and _contained(asked, self._words[p])]


def _contained(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether every word of the shorter name is a word of the longer one or the initial of one."""
    short, long = sorted((one, other), key=len)
    left = Counter(long)
    unmatched = list((Counter(short) - left).elements())
    left -= Counter(short)
    rest = list(left.elements())
    for word in unmatched:
        near = next((r for r in rest if (len(word) == 1 or len(r) == 1) and word[0] == r[0]), None)
        if near is None:
            return False
        rest.remove(near)
    return True

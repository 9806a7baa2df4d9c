"""How often is a threshold right: precision and recall on labelled names made from a list, by a seed.

Of a list's own names, each *positive* is one of them as people write it wrong: a letter dropped, doubled,
changed or swapped, a word left out or turned round, another romanisation, another legal form. Each *negative* is
a name that stands on no list, put together from words of different entries: hard, for its words are all
familiar.

What is measured is the names alone; evidence besides names only raises precision. It says how a threshold does on
such slips, not how often a customer file has them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from abac.parties.party import Party
from abac.screening.names import normal
from abac.screening.score import Names

THRESHOLDS = (70, 75, 80, 85, 90, 95, 100)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
ROMANISED = (
    *(("kh", "h"), ("ts", "c"), ("ya", "ia"), ("yu", "iu"), ("zh", "j"), ("ou", "u"), ("mohammed", "muhammad")),
    *(("y", "i"), ("ck", "k"), ("ph", "f"), ("sch", "sh"), ("w", "v"), ("oe", "o"), ("ae", "a"), ("ue", "u")),
)
"""Letters that romanisations write one way or the other."""
SHORTEST = 4
"""Letters of a name from which a slip leaves something of it."""
FORMS = ("Ltd", "LLC", "GmbH", "S.A.", "Co., Ltd.", "JSC")


@dataclass(frozen=True, slots=True)
class Measured:
    """One threshold: of positives how many are found with their own entry, of negatives how many are held."""

    threshold: int
    precision: float
    recall: float
    found: int
    missed: int
    wrong: int

    def as_json(self) -> dict[str, float | int]:
        """Return the row as a JSON object."""
        return {name: getattr(self, name) for name in self.__slots__}


def labelled(entries: Sequence[Party], size: int, seed: int) -> tuple[list[tuple[str, str]], list[str]]:
    """Return `size` positives as (name as written, the entry's name), and `size` negatives.

    Raises `ValueError` for a list without two entries that have names.
    """
    names = [name for e in entries for name in e.names if len(normal(name)) >= SHORTEST]
    if len(names) < 2:  # noqa: PLR2004  # a negative needs two
        raise ValueError("the list has no two names to make examples of")
    rng, known = random.Random(seed), {normal(n) for n in names}  # noqa: S311  # seeded examples
    positives = [(_slip(name, rng), name) for name in rng.choices(names, k=size)]
    words = sorted({w for name in known for w in name.split() if len(w) > 1})
    negatives: list[str] = []
    for _ in range(size * 20):
        count = rng.choice((2, 2, 3, 3, 4))
        name = " ".join(rng.choices(words, k=count))
        if normal(name) not in known:
            negatives.append(name)
        if len(negatives) == size:
            break
    return positives, negatives


def measure(entries: Sequence[Party], size: int = 1_000, seed: int = 2026) -> list[Measured]:
    """Return precision and recall at each of `THRESHOLDS`, with as many negatives as positives."""
    positives, negatives = labelled(entries, size, seed)
    names = sorted({name for e in entries for name in e.names})
    place, ready = {name: i for i, name in enumerate(names)}, Names(names)
    alike = [one for part in _parts([w for w, _ in positives]) for one in ready.alike(part, THRESHOLDS[0])]
    own = np.array([a.get(place[name], 0) for a, (_, name) in zip(alike, positives, strict=True)])
    others = [one for part in _parts(negatives) for one in ready.alike(part, THRESHOLDS[0])]
    best = np.array([max(a.values(), default=0) for a in others])
    rows: list[Measured] = []
    for threshold in THRESHOLDS:
        found, wrong = int((own >= threshold).sum()), int((best >= threshold).sum())
        precision = found / (found + wrong) if found + wrong else 1.0
        rows.append(Measured(threshold, precision, found / len(own), found, len(own) - found, wrong))
    return rows


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[i : i + 256] for i in range(0, len(names), 256)]


def _slip(name: str, rng: random.Random) -> str:
    kinds: tuple[Callable[[str, random.Random], str], ...] = (_letter, _letter, _word, _romanised, _form, _turned)
    for slip in rng.sample(kinds, rng.choice((1, 1, 2))):
        name = slip(name, rng)
    return name


def _letter(name: str, rng: random.Random) -> str:
    at = rng.randrange(1, max(2, len(name) - 1))
    match rng.randrange(4):
        case 0:
            return name[:at] + name[at + 1 :]
        case 1:
            return name[:at] + name[at - 1] + name[at:]
        case 2:
            return name[:at] + rng.choice(LETTERS) + name[at + 1 :]
        case _:
            return name[: at - 1] + name[at - 1 : at + 1][::-1] + name[at + 1 :]


def _word(name: str, rng: random.Random) -> str:
    words = name.split()
    if len(words) > 2:  # noqa: PLR2004  # of two, one alone would be another name
        del words[rng.randrange(len(words))]
    return " ".join(words)


def _romanised(name: str, rng: random.Random) -> str:
    text = name.lower()
    usable = [(a, b) for pair in ROMANISED for a, b in (pair, pair[::-1]) if a in text]
    if not usable:
        return _letter(name, rng)
    one, other = rng.choice(usable)
    return text.replace(one, other, 1)


def _form(name: str, rng: random.Random) -> str:
    return f"{name} {rng.choice(FORMS)}"


def _turned(name: str, rng: random.Random) -> str:
    words = name.replace(",", " ").split()
    rng.shuffle(words)
    return " ".join(words).upper()

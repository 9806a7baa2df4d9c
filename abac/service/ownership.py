"""Answer whom listed parties own: read the stakes, find the listed among the entities, apply a reading.

An entity is listed where its id stands on the list, or where it matches an entry exactly (`abac.screening`);
where it matches one possibly it is possibly listed, which makes what it owns *possible* at most. A reviewer's
disposition settles it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from abac.errors import AbacError, Diagnostic, did_you_mean
from abac.ownership.chains import BOUNDS, Chain, Firsts, chains, firsts
from abac.ownership.cycles import cycle_findings
from abac.ownership.graph import WHOLE, Graph, Marks
from abac.ownership.reading import Reading
from abac.ownership.stakes import read_stakes
from abac.ownership.standing import Answer, Standing, standing
from abac.ownership.told import Told
from abac.parties.party import Parties, Party
from abac.parties.reading import listed_entries, read_parties
from abac.screening.disposition import disposed, read_dispositions
from abac.screening.match import Grade, Listing, Match
from abac.service.files import read_text

COLUMNS = (
    "entity",
    "name",
    "answer",
    "listed",
    "least",
    "most",
    "most with undisclosed",
    "owned_by_listed",
    "listed_ownership",
    "lists",
    "requirement",
    "why",
)


class EntityError(AbacError):
    """An entity that the stakes do not name."""

    code = "entity"


@dataclass(frozen=True)
class Owned:
    """The answers of one reading over one file of stakes, and what they rest on."""

    told: Told
    listing: Parties
    found: Standing
    faults: list[Diagnostic]
    entries: dict[str, tuple[Party, ...]] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        """The stakes."""
        return self.found.graph

    def entity(self, word: str) -> int:
        """Return the entity with that id or name. Raises `EntityError`."""
        if word in self.graph.place:
            return self.graph.place[word]
        same = [p.id for p in self.told.parties.values() if word in p.names]
        if len(same) == 1:
            return self.graph.place[same[0]]
        if same:
            raise EntityError(f"`{word}` is the name of {len(same)} entities: {', '.join(sorted(same)[:10])}")
        known = [*self.graph.names, *(p.name for p in self.told.parties.values())]
        hint = did_you_mean(word, known) if len(known) < MANY else ""
        raise EntityError(f"{self.told.file} names no `{word}`; {hint or 'the answers name them all'}")

    @cached_property
    def called(self) -> dict[str, str]:
        """The names of entities by id, where the file tells any."""
        return {party.id: party.name for party in self.told.parties.values()}

    def ordered(self, *, also_none: bool = False) -> list[int]:
        """Return the entities in the order they are told: listed, definite, possible, open; then by name."""
        answer = self.found.answer
        asked: Iterable[int] = range(len(self.graph)) if also_none else np.flatnonzero(answer).tolist()
        return sorted(asked, key=lambda e: (not self.found.listed[e], -int(answer[e]), self.graph.names[e]))

    def chains(self, entity: int, most: int = 5) -> list[Chain]:
        """Return the chains to an entity, shortest first."""
        return chains(self.found, entity, most)

    @cached_property
    def _strictest(self) -> list[Party]:
        """The entries behind the listed, the one that restricts least first, by their own words."""
        behind = {id(e): e for each in self.entries.values() for e in each}
        return sorted(behind.values(), key=lambda e: (_strictness(e), e.id))

    @cached_property
    def _lists(self) -> list[str]:
        return sorted({name for e in self._strictest for name in e.lists})[:BITS]

    @cached_property
    def _firsts(self) -> dict[Answer, Firsts]:
        tags, rank = np.zeros(len(self.graph), np.int64), np.zeros(len(self.graph), np.int64)
        bit, order = (
            {n: 1 << i for i, n in enumerate(self._lists)},
            {id(e): i + 1 for i, e in enumerate(self._strictest)},
        )
        for name, each in self.entries.items():
            place = self.graph.place[name]
            tags[place] = sum({bit[n] for e in each for n in e.lists if n in bit})
            rank[place] = max(order[id(e)] for e in each)
        return {answer: firsts(self.found, bound, tags, rank) for answer, bound in BOUNDS.items()}

    def row(self, entity: int) -> dict[str, Any]:
        """Return an entity's answer as a flat JSON object; shares are from 0 to 1.

        `lists` are those of all who are behind it, `requirement` the one that restricts most, where the reading
        hands it on.
        """
        found, name = self.found, self.graph.names[entity]
        answer = Answer(int(found.answer[entity]))
        first = self._firsts.get(answer)
        nearest = float(found.nearest[entity])
        tags, rank = (int(first.tags[entity]), int(first.rank[entity])) if first else (0, 0)
        party = self.told.parties.get(name)
        return {
            "entity": name,
            "name": name if party is None else party.name,
            "answer": str(answer),
            "listed": "listed" if found.listed[entity] else "possibly" if found.maybe[entity] else "",
            "least": int(found.low[entity]) / WHOLE,
            "most": int(found.high[entity]) / WHOLE,
            "most with undisclosed": int(found.highest[entity]) / WHOLE,
            "owned_by_listed": answer.truth,
            "listed_ownership": None if np.isnan(nearest) else nearest,
            "lists": [n for i, n in enumerate(self._lists) if tags >> i & 1],
            "requirement": self._strictest[rank - 1].requirement if rank and found.reading.inherits else "",
            "why": self._why(entity, first),
        }

    def _why(self, entity: int, first: Firsts | None) -> str:
        if first is None:
            return ""
        chain = first.chain(self.found, entity)
        if not chain.why:  # a product of stakes, which no round stands behind
            return next((c.told(self.graph, self.called) for c in self.chains(entity, 1)), "")
        return chain.told(self.graph, self.called)

    def as_table(self) -> str:
        """Return the answers of all entities as CSV."""
        text = io.StringIO()
        out = csv.writer(text, lineterminator="\n")
        out.writerow(COLUMNS)
        for entity in self.ordered(also_none=True):
            out.writerow([_cell(self.row(entity)[column]) for column in COLUMNS])
        return text.getvalue()


BITS = 62
"""Lists that are told apart in what entities inherit; there are some 15 in the world."""
MANY = 20_000
"""Entities from which no near name is looked for."""


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _strictness(entry: Party) -> tuple[bool, bool]:
    """Rank an entry by the words of its licence requirement and policy: all items, then denial."""
    requirement, policy = entry.requirement.lower(), entry.policy.lower()
    return requirement.startswith("for all items subject to the ear. ") or (
        requirement.rstrip(".") == "for all items subject to the ear"
    ), "denial" in policy


def answer(
    stakes: Path,
    listed: Path,
    by: Reading,
    *,
    now: datetime,
    threshold: int,
    disclosed: bool = False,
    closed: bool = False,
    by_id: bool = False,
    dispositions: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Owned:
    """Return whom the listed own, by stakes and a list as of `now`. Raises `StakesError` and `PartiesError`.

    `disclosed`: nobody listed holds what is not on file. `closed`: owners on file hold all of what they are told
    to be owners of. `by_id`: no names are compared.
    """
    told, listing = read_stakes(stakes, now.date()), read_parties(listed)
    graph = told.graph(disclosed=disclosed, closed=closed)
    faults = [*told.faults, *listing.faults]
    words = {} if dispositions is None else read_dispositions(read_text(dispositions), str(dispositions), faults)
    entries = listed_entries(listing)
    exact, maybe, behind = _listed(graph, told, entries, now, threshold, by_id, words, progress)
    found = standing(graph, exact, by, maybe)
    return Owned(told, listing, found, [*faults, *graph.faults(), *cycle_findings(graph)], behind)


def _listed(  # everything that says who is listed
    graph: Graph,
    told: Told,
    entries: list[Party],
    now: datetime,
    threshold: int,
    by_id: bool,
    words: dict[tuple[str, str], Any],
    progress: Callable[[int], None] | None,
) -> tuple[Marks, Marks, dict[str, tuple[Party, ...]]]:
    exact, maybe = np.zeros(len(graph), np.bool_), np.zeros(len(graph), np.bool_)
    behind: dict[str, tuple[Party, ...]] = {}
    ready = Listing(entries, now.date())
    for entry in ready.entries:
        if entry.id in graph.place:
            exact[graph.place[entry.id]] = True
            behind[entry.id] = (entry,)
    if by_id or not any(e.names for e in ready.entries):
        return exact, maybe, behind
    asked = [told.parties.get(name) or Party(name, (name,)) for name in graph.names]
    matches: list[Match] = disposed(ready.match(asked, threshold, progress), words, now)
    for place, match in enumerate(matches):
        near = tuple(c.entry for c in match.candidates if c.grade is match.grade)
        if match.grade is Grade.NONE or (match.note and not near) or exact[place]:
            continue
        (exact if match.grade is Grade.EXACT else maybe)[place] = True
        behind[graph.names[place]] = near
    return exact, maybe, behind

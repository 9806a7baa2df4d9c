"""Worlds for the laws of resolution: who owns what, what each source holds, and what a caller sends."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, Category
from abac.pip.ownership import IDENTIFYING, Claim, Ownership
from abac.pip.source import Answer, Entity, FailureKind, failed
from tests.agreement.strategies import SCHEMA, random_assertions

NAMES = ("s0", "s1", "s2", "s3")
AT = datetime(2026, 6, 12, 21, 30, tzinfo=UTC)
LOOKED_UP = (Category.SUBJECT, Category.RESOURCE)
ENTITIES = {c: Entity(c, "x") for c in LOOKED_UP}


class World:
    """One drawn world: claims, what is true, what each source says of each entity, and what the caller sends."""

    def __init__(self, seed: int) -> None:
        self.draw = source = random.Random(seed)
        self.truth = random_assertions(source, known=0.98)
        self.claims = tuple(self._claims())
        self.ownership = Ownership(self.claims)
        self.said = {entity: self._said(category) for category, entity in ENTITIES.items()}
        self.sent = random_assertions(source, known=0.9)
        self.ceiling = source.choice(list(Assurance))

    def _claims(self):
        free = [d for d in SCHEMA if d.category in LOOKED_UP and d.path not in IDENTIFYING]
        owner = {d.path: self.draw.choice((*NAMES, None)) for d in free}
        for name in NAMES:
            for category in LOOKED_UP:
                mine = frozenset(d.path for d in free if d.category is category and owner[d.path] == name)
                others = [d.path for d in free if d.category is category and owner[d.path] not in (name, None)]
                attests = frozenset(p for p in others if self.draw.random() < 0.2)
                yield Claim(f"{name}-{category.value}", category, mine, attests)

    def _said(self, category) -> dict[str, Answer]:
        """What every source holds: mostly what is true, at the level it is known; now and then something else."""
        said = {}
        for claim in self.claims:
            if claim.category is not category:
                continue
            other = random_assertions(self.draw, known=0.9)
            held: dict[str, Assertion] = {}
            for path in sorted(claim.gives):
                world = self.truth if self.draw.random() < 0.85 else other
                if path in world:
                    held[path] = replace(world[path], source=claim.source, as_of=AT)
            said[claim.source] = Answer(held)
        return said

    def with_failing(self, some: set[str]):
        """What is said where these sources fail, wholly or of some attributes."""
        kinds = list(FailureKind)

        def down(name, answer):
            if name not in some:
                return answer
            if self.draw.random() < 0.5 or not answer.held:
                return failed(name, self.draw.choice(kinds), "down")
            path = self.draw.choice(sorted(answer.held))
            left = {p: a for p, a in answer.held.items() if p != path}
            return Answer(left, (replace(failed(name, kinds[0], "bad").failures[0], attribute=path),))

        return {entity: {n: down(n, a) for n, a in answers.items()} for entity, answers in self.said.items()}

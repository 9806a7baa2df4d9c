"""ANDs with what each comes to, as columns: what the search makes, chooses from and puts together to ORs.

Which of them are worth keeping is `search`'s part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from abac.simulation.narrowing.frontier import Term
from abac.simulation.narrowing.problem import Bits, Numbers


@dataclass(frozen=True)
class Pool:
    """ANDs: the tests of each, whom it blocks, and its weights."""

    terms: tuple[Term, ...]
    blocks: Bits
    over: Numbers
    gain: Numbers
    size: Numbers

    @classmethod
    def joined(cls, pools: Sequence[Pool]) -> Pool:
        """Return all ANDs of several pools, at least one, in their order."""
        return cls(
            tuple(t for p in pools for t in p.terms),
            np.concatenate([p.blocks for p in pools]),
            np.concatenate([p.over for p in pools]),
            np.concatenate([p.gain for p in pools]),
            np.concatenate([p.size for p in pools]),
        )

    def at(self, places: Numbers) -> Pool:
        """Return some of them."""
        chosen = tuple(self.terms[i] for i in places.tolist())
        return Pool(chosen, self.blocks[places], self.over[places], self.gain[places], self.size[places])

    def distinct(self) -> Pool:
        """Leave out ANDs that block just whom a smaller one, or an earlier of its size, blocks."""
        seen: set[bytes] = set()
        places: list[int] = []
        for i in np.argsort(self.size, kind="stable").tolist():
            key = self.blocks[i].tobytes()
            if key not in seen:
                seen.add(key)
                places.append(i)
        return self.at(np.array(sorted(places), np.int64))

    def best(self, size: int) -> int:
        """Return the most that an AND of so many conditions stops rightly; 0 where there is none."""
        own = self.gain[self.size == size]
        return int(own.max()) if len(own) else 0

"""What one study comes to at one setting, per subject, and the outcomes that are ratios of such sums.

Everything is a sum over subjects, so that a sample of them gives estimates with a variance, and two settings over
the same subjects a difference with a smaller one. Who decides is `engine`'s part.

*Contained* is expected use: of the requests that people of the purpose make, those
that had reached the capability before and reach it nowhere after. A request that stays permitted reaches it if it
gets past the model's own safeguard, which it does with the chance *breadth*; under an added safeguard what that
stops is taken off. One that is denied, and one that is stopped, still reaches it where a substitute is open to
that person and is as good, which it is with the chance *parity*. So with l the chance of a local success after,

    contained = sum of weight x (1 - parity x open) x (breadth - l),

where l is 0 where access is lost, breadth x (1 - effect) under an added safeguard, and else breadth. The effect of
a safeguard falls in a straight line from `safeguard.single` at breadth 0 to `safeguard.universal` at breadth 1: it
is made against bypasses that were seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abac.simulation.stress.setting import Setting

Reals = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tally:
    """Per subject: requests (weighted by the mix) by what becomes of them, and persons as 0 or 1.

    `requests` are those permitted before on what the directive is about; `scoped` those of them in its own scope,
    and `caught` of these those blocked. `meant` are those of the purpose, whatever model they are for, and `right`
    of these those blocked.
    `shut` and `open` split the blocked requests of the purpose by whether a substitute is open to the subject, and
    `guarded_shut` and `guarded_open` those that stay permitted under an added safeguard.
    """

    requests: Reals
    decided: Reals
    blocked: Reals
    meant: Reals
    right: Reals
    scoped: Reals
    caught: Reals
    shut: Reals
    open: Reals
    guarded_shut: Reals
    guarded_open: Reals
    person: Reals
    person_over: Reals
    us_person: Reals
    us_blocked: Reals

    def contained(self, breadth: float, parity: float, effect: float) -> Reals:
        """Return the expected use that is contained, per subject."""
        blocked = self.shut + (1 - parity) * self.open
        guarded = self.guarded_shut + (1 - parity) * self.guarded_open
        return breadth * (blocked + effect * guarded)


def effect(breadth: float, single: float, universal: float) -> float:
    """Return what an added safeguard stops of a bypass of a given breadth."""
    return single + (universal - single) * breadth


def contained(tally: Tally, setting: Setting) -> Reals:
    """Return the expected use contained at a setting, per subject."""
    breadth = setting["bypass.breadth"]
    stopped = effect(breadth, setting["safeguard.single"], setting["safeguard.universal"])
    return tally.contained(breadth, setting["parity"], stopped)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One figure of a stress test: its words, and the two sums that it is a ratio of."""

    words: str
    part: Callable[[Tally, Setting], NDArray[Any]]
    whole: Callable[[Tally], NDArray[Any]]


OUTCOMES: dict[str, Outcome] = {
    "decidable": Outcome("requests that can be decided", lambda t, _: t.decided, lambda t: t.requests),
    "us_persons_denied": Outcome("US persons denied", lambda t, _: t.us_blocked, lambda t: t.us_person),
    "over_block": Outcome(
        "people blocked who are not of the purpose", lambda t, _: t.person_over, lambda t: t.person
    ),
    "precision": Outcome("blocked requests that are of the purpose", lambda t, _: t.right, lambda t: t.blocked),
    "recall": Outcome("requests of the purpose that are blocked", lambda t, _: t.right, lambda t: t.meant),
    "precision_scope": Outcome(
        "blocked requests that are in the directive's own scope", lambda t, _: t.caught, lambda t: t.blocked
    ),
    "recall_scope": Outcome(
        "requests in the directive's own scope that are blocked", lambda t, _: t.caught, lambda t: t.scoped
    ),
    "contained": Outcome("use of the purpose contained", contained, lambda t: t.meant),
}
"""What is reported of every setting, by name. Shares are of what was permitted before."""

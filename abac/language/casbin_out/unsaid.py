"""What stock Casbin cannot say: noted with its place and reason, never dropped.

Nothing here widens: what is left out of a rule that permits makes it permit less, and what is left out of one that
denies makes it deny more.
"""

from __future__ import annotations

from dataclasses import dataclass

from abac.policy.decision import Citation
from abac.policy.rule import ObligationRule, Rule


@dataclass(frozen=True, slots=True)
class Unsaid:
    """One thing that the exported text does not say.

    `place` is the rule, clause or attribute, `what` the text of it, `why` the reason and `instead` what the export
    does. Where `exact`, every fully known request is still permitted or not as before.
    """

    place: str
    what: str
    why: str
    instead: str
    exact: bool

    def __str__(self) -> str:
        return f"{self.place}: {self.what}: {self.why}; {self.instead}"


class Notes:
    """Collects what is not said, each thing once, in the order found."""

    def __init__(self) -> None:
        self._found: dict[Unsaid, None] = {}

    def add(self, place: str, what: str, why: str, instead: str, *, exact: bool = False) -> None:
        """Note one thing."""
        self._found[Unsaid(place, what, why, instead, exact)] = None

    @property
    def found(self) -> tuple[Unsaid, ...]:
        """Everything noted."""
        return tuple(self._found)


def place_of(rule: Rule | ObligationRule) -> str:
    """Return where a rule comes from, as people look for it."""
    cited: Citation = rule.citation
    if cited.directive:
        return f"{cited.directive} clause {cited.clause}"
    return f"{cited.file}:{cited.line}" if cited.file else f"rule {rule.id}"

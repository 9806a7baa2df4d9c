"""Which source owns which attribute: the one whose word is needed, and who besides may attest it.

Every attribute has at most one owner for entities of one type. An attribute with no owner is the caller's to send.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from abac.condition.schema import Category
from abac.errors import AbacError

IDENTIFYING = ("subject.id", "resource.id", "action.name")
"""What a source is asked by; the caller says who asks for what, so no source owns these."""

NOW = "environment.now"
"""The service's own: it reads the clock, and nobody else says what time it is."""


_ENTITY = {
    Category.SUBJECT: "a subject",
    Category.RESOURCE: "a resource",
    Category.ACTION: "an action",
    Category.ENVIRONMENT: "anything",
}


class OwnershipError(AbacError):
    """Sources that claim what they cannot, or what another owns."""

    code = "ownership"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one source says it gives, for entities of one AuthZEN type (empty: of any).

    It owns some attributes, and attests some that another owns: its word is held against the owner's, and counts
    in its place only where it is founded better.
    """

    source: str
    category: Category
    owns: frozenset[str]
    attests: frozenset[str] = frozenset()
    type: str = ""

    def covers(self, entity_type: str) -> bool:
        """Whether the source is asked for entities of a type; an asker that has no types asks all."""
        return not self.type or not entity_type or self.type == entity_type

    @property
    def gives(self) -> frozenset[str]:
        """All it speaks of."""
        return self.owns | self.attests


class Ownership:
    """The claims of all sources, found to be compatible."""

    def __init__(self, claims: Iterable[Claim] = ()) -> None:
        """Raises `OwnershipError` for the first claim that cannot stand."""
        self.claims = tuple(claims)
        for i, claim in enumerate(self.claims):
            for path in sorted(claim.gives):
                if why := self.refusal(i, path):
                    raise OwnershipError(f"source `{claim.source}` cannot give `{path}`: {why}")
        self.owned = frozenset(path for claim in self.claims for path in claim.owns)
        """Every attribute that some source owns, for entities of whatever type: nobody else's to send."""

    def refusal(self, index: int, path: str) -> str:
        """Return why the claim at `index` cannot have an attribute, or the empty string where it can."""
        claim = self.claims[index]
        if path in IDENTIFYING:
            return "the caller says it, and sources are asked by it"
        if path.partition(".")[0] != claim.category.value or claim.category is Category.ENVIRONMENT:
            return f"it is not looked up by the id of {_ENTITY[claim.category]}"
        if path in claim.attests:
            owned = any(path in c.owns for c in self.claims)
            return "" if owned and path not in claim.owns else "it is attested only where another source owns it"
        for other in self.claims[:index]:
            if path in other.owns and (other.covers(claim.type) or claim.covers(other.type)):
                return f"source `{other.source}` owns it"
        return ""

"""The schema: which attributes there are, of what category and type, and how far to believe them.

A schema is data; reading one from YAML is `language.schema`'s part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from abac.condition.types import SetType, Type


class Category(Enum):
    """Where an attribute belongs (NIST SP 800-162; XACML 3.0 section 7.3)."""

    SUBJECT = "subject"
    RESOURCE = "resource"
    ACTION = "action"
    ENVIRONMENT = "environment"


class Assurance(IntEnum):
    """How well an asserted value is founded, weakest first."""

    INFERRED = 0
    DECLARED = 1
    DOCUMENTED = 2
    VERIFIED = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class AttributeDefinition:
    """One attribute of the schema.

    `assurance` and `complete` are what a *bare* value has where the source's configuration says that the
    schema's defaults hold; `sensitive` marks what must not leave in the clear. What is not `collectable` is a
    truth that nobody has on file, so no rule is proposed over it; it decides nothing.
    """

    category: Category
    name: str
    type: Type
    assurance: Assurance = Assurance.DECLARED
    complete: bool = True
    sensitive: bool = False
    description: str = ""
    collectable: bool = True

    @property
    def path(self) -> str:
        """The attribute's full name, such as `subject.citizenships_current`."""
        return f"{self.category.value}.{self.name}"

    @property
    def is_set(self) -> bool:
        """Whether the attribute holds a set."""
        return isinstance(self.type, SetType)


@dataclass(frozen=True, slots=True)
class Schema:
    """All attributes by full name, in the order they were declared."""

    attributes: dict[str, AttributeDefinition] = field(default_factory=dict)

    @classmethod
    def of(cls, definitions: Iterable[AttributeDefinition]) -> Schema:
        """Build a schema from definitions; the last of two with one name stands."""
        return cls({d.path: d for d in definitions})

    def __iter__(self) -> Iterator[AttributeDefinition]:
        return iter(self.attributes.values())

    def __contains__(self, path: object) -> bool:
        return path in self.attributes

    def __getitem__(self, path: str) -> AttributeDefinition:
        return self.attributes[path]

    def get(self, path: str) -> AttributeDefinition | None:
        """Return the attribute of that full name, or None."""
        return self.attributes.get(path)

    def names(self, category: Category) -> list[str]:
        """Return the names declared in a category, for a `did you mean`."""
        return [d.name for d in self if d.category is category]

"""What each back end cannot lower, or lowers by another way than its own, and why.

A gap is data: the node, the types it concerns, what happens instead, and the reason. Every gap that refuses has a
test that the named error is raised; every detour has one that its answers are the reference's all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Standing(Enum):
    """How a back end stands to a node it does not lower its own way."""

    REFUSED = "refused"
    """Raises the named error; no checked and linked condition holds such a node."""

    DETOUR = "detour"
    """Exact, but by another and slower way."""

    BOUNDED = "bounded"
    """Not said; the answer is marked as not exact, with what is surely so and what may be."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One line of the ledger. `error` is the name of the exception that a refused node raises."""

    backend: str
    node: str
    concerns: str
    standing: Standing
    reason: str
    error: str = ""


LEDGER: tuple[Gap, ...] = (
    Gap("closure", "Definition", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap("closure", "Field", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap("columnar", "Definition", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap("columnar", "Field", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap(
        "columnar",
        "Call",
        "any",
        Standing.DETOUR,
        "a function is Python: called once per distinct tuple of arguments, then joined back",
    ),
    Gap(
        "columnar",
        "Arithmetic",
        "quotients, and differences of date-times",
        Standing.DETOUR,
        "numpy divides: Polars divides by a literal as a product with its inverse, which rounds twice",
    ),
    Gap(
        "columnar",
        "AnyOf, AllOf",
        "two set columns",
        Standing.DETOUR,
        "met row by row, 64 words of the dictionaries at a time; slow where both hold tens of thousands",
    ),
    Gap("query", "Definition", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap("query", "Field", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap(
        "query",
        "Call",
        "any but startsWith",
        Standing.DETOUR,
        "a function is Python: the engine calls it row by row, Spark in its workers' Python, which needs abac",
    ),
    Gap(
        "query",
        "Member, AnyOf, AllOf",
        "every column of sets",
        Standing.DETOUR,
        "lists are made anew, element by element: over a dictionary-encoded list DuckDB's `list_has_any` looks at "
        "the wrong elements (2.0.1)",
    ),
    Gap("smt", "Definition", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap("smt", "Field", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap(
        "smt",
        "Arithmetic",
        "on anything but one attribute of finitely many values",
        Standing.BOUNDED,
        "pure Bool has no numbers: each place may answer anything, so nothing is proved by it, and what may turn "
        "on it is undecided; requests that refute are found by trying",
    ),
    Gap(
        "smt",
        "Comparison",
        "an int attribute with a float attribute",
        Standing.BOUNDED,
        "an int is rounded to a double first, which is arithmetic",
    ),
    Gap(
        "smt",
        "Call",
        "on anything but one attribute of finitely many values",
        Standing.BOUNDED,
        "the function is Python: exact of values that are named, and of all others any one answer for one value; "
        "a proof holds whatever it answers, and what turns on it is undecided",
    ),
)
"""Every gap of every back end; one that is not here is lowered its own way."""


def gaps(backend: str) -> tuple[Gap, ...]:
    """Return the lines of one back end."""
    return tuple(gap for gap in LEDGER if gap.backend == backend)

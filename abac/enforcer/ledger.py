"""Where an enforcer does not answer as stock pycasbin does, and why: the exceptions to "same answers".

Each line has a test by its name (`tests/enforcer/test_ledger.py`). All else is stock's answer, its exceptions too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the ledger: what is concerned, what stock does, what we do, and why."""

    name: str
    stock: str
    ours: str
    reason: str


LEDGER: tuple[Difference, ...] = (
    Difference(
        "rule-text",
        "splices whatever stands in a row into the matcher and evaluates it",
        "refuses a row that is not exactly one condition, with its place, as it arrives",
        "`True) or (True` would be an answer to every request",
    ),
    Difference(
        "rule-language",
        "evaluates what simpleeval can: method calls, conditional expressions, comprehensions",
        "refuses it in rows, since a matcher with `eval()` is never left to stock",
        "a rule is a condition that can be typed, indexed, explained and proved",
    ),
    Difference(
        "mixed-types",
        "compares an attribute with text in one rule and with a number in another",
        "refuses the rows, with both places",
        "no value of the attribute is what both rules mean",
    ),
    Difference(
        "text-in-strings",
        "turns `&&`, `||`, `!`, `r.` and `p.` into Python inside string literals of rules too",
        "takes a string as it is written",
        "a value is not program text",
    ),
    Difference(
        "more-words",
        "raises on `true`, `false`, `any_of`, `all_of` and `none_of`",
        "answers",
        "they are of our condition language",
    ),
    Difference(
        "settled-anyway",
        "raises when it reaches a division by zero, or a function that raises, also where the rest settles it",
        "answers where the answer is settled",
        "what has no value is UNKNOWN, and what UNKNOWN cannot change is known",
    ),
    Difference(
        "key-patterns",
        "takes a dot for any character in keyMatch5, and in keyMatch4 with a name that stands twice",
        "takes it for a dot",
        "neither is a regular expression that runs in linear time",
    ),
    Difference(
        "calls-counted",
        "calls an added function once for every row that is reached",
        "calls it for the rows that nothing else rules out; one said to be pure once per argument",
        "the answers are the same for a function that gives the same",
    ),
    Difference(
        "copied-lists",
        "keeps the very list that was passed to `add_policy`, or assigned as a policy, and sees it edited later",
        "keeps a copy; what `get_policy()` hands out is live",
        "a plain list cannot say that it was changed",
    ),
    Difference(
        "roles-themselves",
        "sees roles edited under their manager: `all_roles`, `Role.add_role`, a matching function only assigned",
        "sees what goes through the role manager's methods, or replaces it",
        "a role knows of no manager that it could tell",
    ),
    Difference(
        "whole-names",
        "reads `__class__` and methods of an object only as far as simpleeval lets it",
        "refuses such names in rows outright",
        "a policy reads attributes",
    ),
)
"""Every difference that is meant."""

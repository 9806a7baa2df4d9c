"""What a question comes back with: proved, refuted by a request, or undecided for a reason.

A proof is of all requests of the schema. A refutation was replayed through the reference and the engine before it
is shown. `Undecided` says what stands in the way; it is never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from abac.condition.reference import Assertion
from abac.errors import AbacError
from abac.policy.decision import Outcome
from abac.policy.request import Request


class ProofError(AbacError):
    """A question that cannot be put: programs of different schemas, an unknown attribute or rule."""

    code = "proof"


@dataclass(frozen=True, slots=True)
class Case:
    """One request, as assertions by full attribute name; in questions about people also what is true of them."""

    asserted: Mapping[str, Assertion]
    true: Mapping[str, Assertion] | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one program decided of a witness, by its name in the question; empty where there is but one."""

    name: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that breaks the property, with nothing in it that does not matter.

    `request` is what `decide` takes. In questions about people, `unknown` names what is true of the person and not
    known, and `case.true` says what is true.
    """

    case: Case
    request: Request
    replayed: tuple[Replayed, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proved:
    """The property holds of every request of the schema. `note` says on what terms, where they are not plain."""

    question: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refuted:
    """The property does not hold: `witness` breaks it, by the reference and by the engine."""

    question: str
    witness: Witness


@dataclass(frozen=True, slots=True)
class Undecided:
    """Neither: `reason` says why, `atoms` are the tests that are outside the encoding and stand in the way."""

    question: str
    reason: str
    atoms: tuple[str, ...] = field(default=())


Answer = Proved | Refuted | Undecided


def as_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as a JSON object with `answer`, `question`, and what belongs to it."""
    from abac.proof.witness import outcome_json, request_json  # noqa: PLC0415  # it builds on the classes here

    told: dict[str, Any] = {"answer": type(answer).__name__.lower(), "question": answer.question}
    match answer:
        case Proved(note=note):
            return told | {"note": note}
        case Undecided(reason=reason, atoms=atoms):
            return told | {"reason": reason, "atoms": list(atoms)}
        case Refuted(witness=witness):
            told |= {"request": request_json(witness.case.asserted), "unknown": list(witness.unknown)}
            if witness.case.true is not None:
                told["truth"] = request_json(witness.case.true)
            return told | {"outcomes": [outcome_json(r) for r in witness.replayed]}

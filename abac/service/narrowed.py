"""What a search for narrower rules is asked, what it found, and that as JSON; searching is `narrow`'s part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abac.condition.expr import Condition
from abac.simulation.change import Marks
from abac.simulation.narrowing.checked import Simulated
from abac.simulation.narrowing.frontier import Found
from abac.simulation.narrowing.problem import Problem
from abac.simulation.narrowing.search import Limits, Searched
from abac.simulation.narrowing.vocabulary import Words
from abac.simulation.run import Inputs


@dataclass(frozen=True)
class Asked:
    """Whom to stop: a condition over what is true, else labels; under which posture, and by what is counted."""

    inputs: Inputs
    document: Path
    target: Condition
    text: str
    labels: Marks | None = None
    holdout: bool = False
    resource: Condition | None = None
    posture: str = "strict"
    unit: str = "people"
    attributes: Sequence[str] = ()
    without: Sequence[str] = ()
    limits: Limits = Limits()  # noqa: RUF009  # frozen
    seconds: float = 2.0


@dataclass(frozen=True)
class Proposed:
    """A rule of the frontier: its document, what it does when simulated, on the other half too, and its proof."""

    id: str
    rule: Found
    subject: str
    body: str
    simulated: Simulated
    held_out: Simulated | None
    proof: dict[str, Any]


@dataclass(frozen=True)
class Written:
    """A directive of the scenario measured in the same way, and the proposals that do as well or better."""

    id: str
    simulated: Simulated
    as_good: tuple[str, ...]


@dataclass(frozen=True)
class Narrowed:
    """What was found."""

    asked: Asked
    words: Words
    problem: Problem
    searched: Searched
    proposed: tuple[Proposed, ...]
    written: tuple[Written, ...]


def as_json(found: Narrowed) -> dict[str, Any]:
    """Return what was found as one JSON object."""
    asked, searched = found.asked, found.searched
    limits = searched.limits
    places = {id(rule): i for i, rule in enumerate(searched.frontier)}
    return {
        "target": asked.text,
        "posture": asked.posture,
        "unit": asked.unit,
        "subjects": len(asked.inputs.population),
        "seed": asked.inputs.population.seed or 0,
        "fitted": "one half; reported on the other" if any(p.held_out for p in found.proposed) else "all",
        "in_target": found.problem.most + found.problem.left,
        "tests": [{"text": t.text, "size": t.size, "source": t.source} for t in found.words.tests],
        "search": {
            "exact": searched.exact,
            "nodes": searched.nodes,
            "tests": len(found.problem.tests),
            "rows": len(found.problem.over),
            "limits": {"size": limits.size, "width": limits.width, "terms": limits.terms, "nodes": limits.nodes},
            "ands_complete_to": searched.complete_to,
        },
        "frontier": [
            {
                "id": p.id,
                "rule": p.subject or "true",
                "size": p.rule.size,
                "over": p.rule.over,
                "under": p.rule.under,
                "bound": searched.bounds[places[id(p.rule)]],
                "gap": searched.gap(places[id(p.rule)]),
                "simulated": _simulated_json(p.simulated),
                "held_out": None if p.held_out is None else _simulated_json(p.held_out),
                "denies_nobody_outside": p.proof,
                "document": p.body,
            }
            for p in found.proposed
        ],
        "written": [
            {"id": w.id, "simulated": _simulated_json(w.simulated), "as_good": list(w.as_good)}
            for w in found.written
        ],
    }


def _simulated_json(one: Simulated) -> dict[str, Any]:
    return {
        "over": one.over.as_json(),
        "under": one.under.as_json(),
        "blocked": one.blocked.as_json(),
        "decided_again": one.recounted,
    }

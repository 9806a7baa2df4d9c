"""An impact report whole, and verified whole: the figures of a run, the four layers, and the stress test.

`make` puts the parts together, `verify` counts each of them again. Loading what they rest on is `simulate`'s,
`logged`'s and `stress`'s part, writing and showing a report `simulation.report`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from abac.service.layers import Replay, layers
from abac.simulation.population import Population
from abac.simulation.recount import verify as recount
from abac.simulation.recount.counting import Difference, unlike
from abac.simulation.recount.verify import Broken, Verified
from abac.simulation.recount.verify_stress import verify_stress
from abac.simulation.report.meaning import meaning
from abac.simulation.run import Inputs, run
from abac.simulation.stress.engine import Stressed
from abac.simulation.stress.run import stress

Step = Callable[[str], None]
APART = ("layers", "stress")
"""What a run does not make."""


@dataclass(frozen=True)
class Asked:
    """What a report is asked of: a scenario's inputs, a log beside its population, a stress test.

    `alone` says that the population of `inputs` is a log's, and that there is none beside it.
    """

    inputs: Inputs
    logged: Population | None = None
    alone: bool = False
    stressed: Stressed | None = None


@dataclass(frozen=True)
class Made:
    """A report, one row per subject and directive whose answer changed, and the log's replay if there was one."""

    report: dict[str, Any]
    people: pl.DataFrame
    replay: Replay | None


def make(asked: Asked, *, identify: bool = False, step: Step = lambda _: None) -> Made:
    """Make a report. `step` is told each step before it starts."""
    inputs = asked.inputs
    result = run(inputs, identify=identify, progress=step)
    report = dict(result.report)
    replay = Replay(inputs, report) if asked.alone else None
    if asked.logged is not None:
        replay = Replay.beside(inputs, asked.logged, step)
        premises = [{**a.as_json(), "name": f"log: {a.name}"} for a in asked.logged.premises]
        report["assumptions"] = [*report["assumptions"], *premises]
    report["layers"] = layers(inputs, report, replay=replay, step=step)
    if asked.stressed is not None:
        section = stress(asked.stressed, progress=step)
        known = report["assumptions"]
        report["assumptions"] = [*known, *(row for row in section.pop("assumptions") if row not in known)]
        report["stress"] = section
    return Made(report, result.people, replay)


def verify(
    asked: Asked, told: dict[str, Any], *, made: Made | None = None, step: Step = lambda _: None, **sizes: Any
) -> Verified:
    """Count a report again, every section of it; `made` is one that was just made of the same, else one is made.

    `sizes` are those of `simulation.recount.verify`: how many subjects at random, the seed, how many examples.
    """
    own = made or make(asked, step=step)
    figures = {name: part for name, part in own.report.items() if name not in APART}
    found = recount.verify(asked.inputs, told, fresh=figures, progress=step, **sizes)
    if asked.logged is not None and own.replay is not None:
        replayed = recount.verify(
            own.replay.inputs, own.replay.report, fresh=own.replay.report, progress=step, **sizes
        )
        found = _with(found, replayed)
    step("verifying: the layers")
    more = [*_sections(told, own.report), *_layers(asked, told, own)]
    if asked.stressed is not None and "stress" in told:
        more += verify_stress(asked.stressed, told["stress"], fresh=own.report["stress"], progress=step)
    broken = tuple(Broken(one, meaning(one.path)) for one in more if one is not None)
    return _with(found, Verified(0, 0, len(more), 0, broken))


def _with(one: Verified, other: Verified) -> Verified:
    return Verified(
        one.subjects + other.subjects,
        one.decisions + other.decisions,
        one.figures + other.figures,
        one.sums + other.sums,
        (*one.broken, *other.broken),
    )


def _sections(told: dict[str, Any], own: dict[str, Any]) -> Iterator[Difference]:
    """Yield the sections that one report has and the other has not."""
    for name in sorted(told.keys() ^ own.keys()):
        here, there = ("there" if name in one else None for one in (told, own))
        yield Difference(name, here, there)


def _layers(asked: Asked, told: dict[str, Any], own: Made) -> Iterator[Difference | None]:
    """Yield, per layer, where looking again finds otherwise; what was undecided in its time may be decided."""
    again = layers(asked.inputs, own.report, replay=own.replay)
    names = [[one["layer"] for one in side] for side in (told.get("layers", again), again)]
    yield from unlike(names[0], names[1], "layers")
    for one, made in zip(told.get("layers", ()), again, strict=False):
        path = f"layers[{made['layer']}]"
        if made["layer"] == "proof":
            wrong = list(_proofs(one, made, path))
        elif any(side["counts"].get("values_undecided") for side in (one, made)):
            wrong = list(unlike(one["cases"], made["cases"], f"{path}.cases"))
        else:
            wrong = list(unlike(one, made, path))
        yield from wrong
        yield None  # looked at


def _proofs(told: dict[str, Any], made: dict[str, Any], path: str) -> Iterator[Difference]:
    answers = [proof["answer"] for proof in told["proofs"]]
    counted = {word: answers.count(word) for word in made["counts"]}
    yield from unlike(told["counts"], counted, f"{path}.counts")
    yield from unlike(
        [proof["question"] for proof in told["proofs"]],
        [proof["question"] for proof in made["proofs"]],
        f"{path}.proofs",
    )
    for place, (one, own) in enumerate(zip(told["proofs"], made["proofs"], strict=False)):
        if "undecided" not in (one["answer"], own["answer"]):
            yield from unlike(one["answer"], own["answer"], f"{path}.proofs[{place}].answer")

"""The four layers of an impact report: what was asked, who could ask, where tests turn, what holds of all.

Each states what it covers and what it does not. The first two tell figures that the run counted; the third decides
requests at the boundaries of the policies' own tests, the fourth asks for proofs, each within its time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from abac import proof
from abac.simulation.conditions import nationality_read
from abac.simulation.population import ID, Population
from abac.simulation.recount.parts import part
from abac.simulation.run import Inputs, run
from abac.simulation.study import Study

SECONDS = 5.0
"""How long each question is tried at most; most take a tenth of a second."""

CASES = 400
"""Boundary cases decided at most."""

SHOWN = 5
"""Boundary cases that the report shows, of those that change."""

Step = Callable[[str], None]


@dataclass(frozen=True)
class Replay:
    """A decision log replayed: its requests as a scenario's inputs, and the report of a run over them alone."""

    inputs: Inputs
    report: dict[str, Any]

    @classmethod
    def beside(cls, inputs: Inputs, logged: Population, step: Step = lambda _: None) -> Replay:
        """Replay a log under every study of a scenario whose population is another."""
        scenario = replace(inputs.scenario, timeline=())
        own = replace(inputs, population=logged, sweeps=(), scenario=scenario)
        return cls(own, run(own, progress=lambda what: step(f"replaying the log: {what}")).report)


def layers(
    inputs: Inputs,
    report: dict[str, Any],
    *,
    replay: Replay | None = None,
    seconds: float = SECONDS,
    step: Step = lambda _: None,
) -> list[dict[str, Any]]:
    """Return the layers of a report; a `replay` of the inputs themselves is their only population."""
    study = next(s for s in inputs.studies if s.id == inputs.scenario.in_force)
    step("deciding at the boundaries")
    turned = _boundaries(study, seconds)
    step("proving")
    proved = _proofs(inputs, study, seconds)
    return [_log(inputs, replay), _people(inputs, report, replay), turned, proved]


def _log(inputs: Inputs, replay: Replay | None) -> dict[str, Any]:
    if replay is None:
        says = "No log was given (--log): nothing here says how often requests like these were really made."
        return {"layer": "log", "given": False, "covers": says, "counts": {}}
    logged = replay.inputs.population
    told = {a.name: a.value for a in logged.assumptions}
    says = "What was asked, as often as it was, with what was then on file. Who was silent is not in it."
    says += "".join(f" {name.capitalize()}: {told[name]}." for name in ("use", "left out") if name in told)
    known = _shares(replay.inputs) | {"counts": _counts(replay.inputs, replay.report)}
    if not (replay.inputs is inputs or inputs.population.synthetic):
        known["counts"]["also_in_population"] = len(logged) - len(_absent(logged, inputs.population))
    return {"layer": "log", "given": True, "covers": says, **known, "studies": _studies(replay.report)}


def _people(inputs: Inputs, report: dict[str, Any], replay: Replay | None) -> dict[str, Any]:
    population = inputs.population
    if replay is not None and replay.inputs is inputs:
        says = "No population beside the log's: those who are entitled and did not ask are not looked at."
        return {"layer": "population", "given": False, "covers": says, "counts": {}}
    origin = "a drawn population" if population.synthetic else "a brought population"
    says = f"Everybody in {origin}, whether they asked or not; combinations that nobody in it has are not in it."
    counts = _counts(inputs, report)
    if replay is not None and population.synthetic:
        says += " Nobody drawn is anybody of the log: the two are compared in shares, not by name."
    elif replay is not None:
        silent = _absent(population, replay.inputs.population)
        says += " Silent are those of whom the log has no request."
        counts |= {f"silent_{name}": figure for name, figure in _silent(inputs, silent).items()}
    return {
        "layer": "population",
        "given": True,
        "covers": says,
        "counts": counts,
        **_shares(inputs),
        "studies": _studies(report),
    }


def _absent(those: Population, other: Population) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the rows of one population whose id the other does not have."""
    return np.flatnonzero(~those.asserted[ID].is_in(other.asserted[ID].implode()).to_numpy())


def _silent(inputs: Inputs, rows: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, Any]:
    """Count those who are entitled and did not ask, and what the directive in force does to them."""
    nobody = {"subjects": len(rows)}
    if not len(rows):
        return nobody
    own = replace(
        part(inputs, rows),
        scenario=replace(inputs.scenario, timeline=()),
        studies=tuple(s for s in inputs.studies if s.id == inputs.scenario.in_force),
        postures=inputs.postures[:1],
        sweeps=(),
    )
    (entry, *_) = run(own).report["directives"]
    return nobody | {name: entry[name] for name in ("blocked", "undecided")}


def _counts(inputs: Inputs, report: dict[str, Any]) -> dict[str, Any]:
    strict = next(e for e in report["directives"] if e["id"] == report["in_force"])
    use = inputs.population.use
    return {
        "subjects": len(inputs.population),
        "requests": sum(int(use[column].sum()) for column in use.columns),
        "models": len({c.rpartition("|")[0] for c in use.columns if use[c].max()}),
        "models_in_catalogue": len(inputs.population.catalogue.models),
        "blocked": strict["blocked"],
        "undecided": strict["undecided"],
    }


def _studies(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return of every directive, under the first posture, what it does to those whom a layer sees."""
    kept = ("id", "posture", "blocked", "undecided", "decidable_share")
    posture = report["directives"][0]["posture"]
    return [
        {name: entry[name] for name in kept}
        for entry in report["directives"]
        if (entry["posture"], entry["yardstick"]) == (posture, "scope")
    ]


def _shares(inputs: Inputs) -> dict[str, Any]:
    """Return, per attribute that is read, the share of subjects of whom it is on file."""
    facts, rows = inputs.population.asserted, len(inputs.population) or 1
    read = [path for path in sorted(inputs.read) if path in facts.columns]
    return {"known_on_file": {path: 1 - facts[path].null_count() / rows for path in read}}


# --- boundaries ------------------------------------------------------------------------------------------


def _boundaries(study: Study, seconds: float) -> dict[str, Any]:
    found = proof.boundaries(study.before, study.after, most=CASES, seconds=seconds)
    told = found.as_json()
    says = (
        "Requests at both sides of every threshold of the policies, in and out of every set, with every attribute "
        "known and unknown: "
        + ("all combinations." if found.whole else "every value, and pairs as far as they go.")
    )
    return {
        "layer": "boundaries",
        "given": True,
        "covers": says,
        "counts": {"cases": len(found.cases), "changed": found.changed}
        | {name: n for name, n in told["coverage"].items() if name not in ("attributes", "product")},
        "cases": [case for case in told["cases"] if case["changed"]][:SHOWN],
    }


# --- proofs ----------------------------------------------------------------------------------------------


def _proofs(inputs: Inputs, in_force: Study, seconds: float) -> dict[str, Any]:
    answers = [_told(in_force.id, a) for a in _about(inputs, in_force, seconds)]
    test = f'!person("{inputs.scenario.us_person_is_not}")'
    for study in inputs.studies:
        if study.directive is not None and study.id != in_force.id:
            answer = proof.people(
                study.after,
                test,
                before=study.before,
                discharges=inputs.scenario.discharges,
                seconds=seconds,
            )
            answers.append(_told(study.id, answer))
    counted = {word: sum(a["answer"] == word for a in answers) for word in ("proved", "refuted", "undecided")}
    says = (
        "All requests of the schema, over three truths, whether anybody makes them or not. Refuted shows one that "
        "the reference decided again; undecided says what stands in the way."
    )
    return {"layer": "proof", "given": True, "covers": says, "counts": counted, "proofs": answers}


def _about(inputs: Inputs, study: Study, seconds: float) -> list[proof.Answer]:
    """Ask of one directive: is it wider; is a US person denied, refused, or refused though all is known."""
    test = f'!person("{inputs.scenario.us_person_is_not}")'
    after, before = study.after, study.before
    found = [proof.no_wider(after, before, seconds=seconds)]
    read = nationality_read(study.directive, after.schema) if study.directive else []
    if read:
        found.append(proof.never_denies(after, test, reading=read, seconds=seconds))
    subject = sorted(p for p in after.index.attributes if p.startswith("subject."))
    for known in ([], subject):
        discharged = inputs.scenario.discharges
        found.append(proof.people(after, test, known=known, before=before, discharges=discharged, seconds=seconds))
    return found


def _told(directive: str, answer: proof.Answer) -> dict[str, Any]:
    told = proof.as_json(answer)
    kept = ("answer", "question", "note", "reason", "atoms", "request", "truth", "unknown")
    return {"directive": directive} | {name: told[name] for name in kept if name in told}

"""The four layers of an impact report: what was asked, who could ask, where tests turn, what holds of all.

Each states what it covers and what it does not. The first two tell figures that the run counted; the third decides
requests at the boundaries of the policies' own tests, the fourth asks for proofs, each within its time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abac import proof
from abac.simulation.conditions import nationality_read
from abac.simulation.population import Population
from abac.simulation.run import Inputs
from abac.simulation.study import Study

SECONDS = 5.0
"""How long each question is tried at most; most take a tenth of a second."""

CASES = 400
"""Boundary cases decided at most."""

SHOWN = 5
"""Boundary cases that the report shows, of those that change."""

Step = Callable[[str], None]


def layers(
    inputs: Inputs,
    report: dict[str, Any],
    *,
    replayed: bool,
    seconds: float = SECONDS,
    step: Step = lambda _: None,
) -> list[dict[str, Any]]:
    """Return the layers of a report, about the directive in force; `replayed`: its population is a log's."""
    study = next(s for s in inputs.studies if s.id == inputs.scenario.in_force)
    step("deciding at the boundaries")
    turned = _boundaries(study, seconds)
    step("proving")
    proved = _proofs(inputs, study, seconds)
    return [_log(inputs, report, replayed=replayed), _people(inputs, report, replayed=replayed), turned, proved]


def _log(inputs: Inputs, report: dict[str, Any], *, replayed: bool) -> dict[str, Any]:
    if not replayed:
        says = "No log was given (--log): nothing here says how often requests like these were really made."
        return {"layer": "log", "given": False, "covers": says, "counts": {}}
    says = "What was asked, as often as it was, with what was then on file. Who was silent is not in it."
    return {"layer": "log", "given": True, "covers": says, "counts": _counts(inputs, report)}


def _people(inputs: Inputs, report: dict[str, Any], *, replayed: bool) -> dict[str, Any]:
    population = inputs.population
    if replayed:
        says = "No population beside the log's: those who are entitled and did not ask are not looked at."
        return {"layer": "population", "given": False, "covers": says, "counts": {}}
    origin = "a drawn population" if population.synthetic else "a brought population"
    says = f"Everybody in {origin}, whether they asked or not; combinations that nobody in it has are not in it."
    known = {path: _known(population, path) for path in sorted(inputs.read) if path in population.asserted.columns}
    return {
        "layer": "population",
        "given": True,
        "covers": says,
        "counts": _counts(inputs, report),
        "known_on_file": known,
    }


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


def _known(population: Population, path: str) -> float:
    return 1 - population.asserted[path].null_count() / (len(population) or 1)


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

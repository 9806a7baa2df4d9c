"""Where the demand that each study denies goes, under both readings of parity, on what is on file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from abac.simulation.choice import flows
from abac.simulation.stress.engine import Engine
from abac.simulation.stress.setting import Setting

PARITIES = {True: "shown", False: "not shown"}


def demand(engine: Engine, setting: Setting) -> list[dict[str, Any]]:
    """Return the flows of every study: requests a day, of a sample those it stands for."""
    choice = engine.stressed.test.choice
    says = (
        "Denied requests go to substitutes that are open to that person, with at least the lost model's level: "
        f"each takes its share by popularity, times {choice.stickiness:g} for the same provider, times the ratio "
        f"of prices to the power of -{choice.elasticity:g}. What has no substitute is lost everywhere."
    )
    weights = engine.design.weights
    found = []
    for study in engine.studies:
        for shown, word in PARITIES.items():
            denied = engine.bound(study, setting["reading"]).denied(setting, parity_shown=shown)
            gone = flows(choice, [(m, requests * weights, others, may) for m, requests, others, may in denied])
            found.append({"says": says, "study": study, "parity": word, **asdict(gone)})
    return found

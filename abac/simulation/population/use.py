"""Draw who uses which model for what, how often a day, and whose session is open at the cut.

Only models a subject could plausibly use carry weight: one in limited access is used by those entitled to it, and
the cyber capability by those who work with it. Whether a use is *permitted* is for the policies to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from abac.simulation.catalogue import Catalogue, Model
from abac.simulation.population import use_column
from abac.simulation.population.draws import Codes, Marks, Reals, Setting
from abac.simulation.population.parameters import KINDS

Counts = npt.NDArray[np.uint32]
INVOKE, CYBER = "invoke", "cyber"


def draw_use(
    setting: Setting,
    catalogue: Catalogue,
    kind: Codes,
    entitled: Mapping[str, Marks],
    end_user: Marks,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `Population.use` and `Population.sessions` for subjects of these kinds.

    `entitled` marks, per model in limited access, who may be taken to use it; `end_user` the military-intelligence
    end users.
    """
    p, streams = setting.p, setting.streams
    invoke = _ordinary(setting, catalogue, kind, end_user)
    rate = _rate(setting, kind)
    for name, marks in entitled.items():
        if name in invoke:
            users = np.flatnonzero(marks & (streams.uniforms(f"use.limited.{name}", len(kind)) < p["use.limited"]))
            invoke[name][users] = 1 + streams(f"use.requests.{name}").poisson(rate[users])
    cyber = _cyber(setting, catalogue, invoke, entitled, end_user)
    columns: dict[str, Counts] = {}
    for model in catalogue.models:
        for action in catalogue.actions:
            drawn = {INVOKE: invoke, CYBER: cyber}.get(action, {})
            columns[use_column(model.id, action)] = drawn.get(model.id, np.zeros(len(kind), np.uint32))
    return pl.DataFrame(columns), pl.DataFrame(dict(_sessions(setting, invoke, kind)))


def _by_kind(weights: Mapping[str, float], kind: Codes) -> Reals:
    return np.array([weights[name] for name in KINDS], np.float64)[kind]


def _rate(setting: Setting, kind: Codes) -> Reals:
    """Return each subject's mean requests per day: a gamma around its kind's mean (overdispersed counts)."""
    p, streams = setting.p, setting.streams
    shape = p["use.dispersion"] or 1.0
    rate: Reals = streams("use.rate").standard_gamma(shape, len(kind)) * (
        _by_kind(p["use.mean_requests"], kind) / shape
    )
    return rate


def _ordinary(setting: Setting, catalogue: Catalogue, kind: Codes, end_user: Marks) -> dict[str, Counts]:
    """Return requests per day by model for the models that anyone picks from, by popularity."""
    p, streams = setting.p, setting.streams
    size, models = len(kind), catalogue.models
    invoke = {m.id: np.zeros(size, np.uint32) for m in models}
    popularity = [m.popularity for m in models]
    if not any(popularity):
        return invoke
    given = p["use.models"]
    draws = np.array([int(n) for n in given])[streams.pick("use.models", list(given.values()), size)]
    rate = _rate(setting, kind) / np.maximum(draws, 1)
    best = _most_capable(models)
    keen = end_user & (streams.uniforms("use.end_user", size) < p["use.end_user.restricted"])
    for slot in range(int(draws.max(initial=0))):
        active = np.flatnonzero(draws > slot)
        choice = streams.pick(f"use.model.{slot}", popularity, size)[active]
        if slot == 0 and best is not None:
            choice = np.where(keen[active], best, choice)
        count = (1 + streams(f"use.requests.{slot}").poisson(rate[active])).astype(np.uint32)
        for i, model in enumerate(models):
            here = active[choice == i]
            drawn = invoke[model.id][here]
            invoke[model.id][here] = np.where(drawn > 0, drawn, count[choice == i])
    return invoke


def _most_capable(models: tuple[Model, ...]) -> int | None:
    """Return the place of the popular model with the highest cyber level that rests on no claim."""
    found = [(-m.level(CYBER, parity_shown=False), i) for i, m in enumerate(models) if m.popularity > 0]
    return min(found)[1] if found else None


def _cyber(
    setting: Setting,
    catalogue: Catalogue,
    invoke: Mapping[str, Counts],
    entitled: Mapping[str, Marks],
    end_user: Marks,
) -> dict[str, Counts]:
    p, streams = setting.p, setting.streams
    chances = p["use.cyber"]
    chance = np.full(len(end_user), chances["anyone"])
    for marks in entitled.values():
        chance[marks] = chances["entitled"]
    chance[end_user] = chances["end_user"]
    does = streams.uniforms("use.cyber", len(end_user)) < chance
    found: dict[str, Counts] = {}
    for model in catalogue.models:
        if model.level(CYBER, parity_shown=True) < p["use.cyber.least_tier"]:
            continue
        users = np.flatnonzero(does & (invoke[model.id] > 0))
        mean = invoke[model.id][users] * p["use.cyber.share"]
        found[model.id] = np.zeros(len(end_user), np.uint32)
        found[model.id][users] = 1 + streams(f"use.cyber.{model.id}").poisson(mean)
    return found


def _sessions(
    setting: Setting, invoke: Mapping[str, Counts], kind: Codes
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    p, streams = setting.p, setting.streams
    for model, requests in invoke.items():
        users = np.flatnonzero(requests)
        stream = streams(f"sessions.{model}")
        is_open = stream.random(len(users)) < _by_kind(p["sessions.open"], kind[users])
        users = users[is_open]
        sessions = np.zeros(len(kind), np.uint32)
        sessions[users] = 1 + stream.poisson(_by_kind(p["sessions.more"], kind[users]))
        yield model, sessions

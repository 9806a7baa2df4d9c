"""Build a stock enforcer and ours from the same texts."""

from __future__ import annotations

import casbin
from casbin.model import Model
from casbin.persist.adapters import StringAdapter

from abac.enforcer import Enforcer
from tests.enforcer.worlds import text

RULES = text("sub, obj", "rule, obj, eft", "eval(p.rule) && r.obj == p.obj", "priority(p.eft) || deny")


def built(kind, model: str, rows: str = ""):
    made = Model()
    made.load_model_from_text(model)
    return kind(made, StringAdapter(rows)) if rows else kind(made)


def pair(model: str, rows: str = ""):
    return built(casbin.Enforcer, model, rows), built(Enforcer, model, rows)


def answer(enforcer, *request):
    try:
        return enforcer.enforce_ex(*request)
    except Exception as error:  # noqa: BLE001  # what both raise is compared
        return type(error).__name__


def compiled(enforcer, context=("r", "p", "m")):
    """Return what an enforcer decided by last, having decided something."""
    return enforcer._states[context]

"""Stock pycasbin: rows of two conditions, by `eval()` in the matcher, as Casbin's documentation scales ABAC.

Requests are kept as objects with attributes, Casbin's native form. Strings have no order, so tiers are numbers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.peers.peer import Peer
from benchmarks.peers.workload import ACTION, Asked, Conjunct, Relation, Rule, Workload, number, ranked

MODEL = Path(__file__).parents[2] / "models" / "abac.conf"


def row(rule: Rule, conjunct_text: Callable[[Conjunct], str], true: str) -> str:
    """Return one line of policy: the subject's condition, the model's (`true` if none), the action and the effect.

    The loader keeps a comma inside parentheses in its field, and takes no quotes away.
    """
    sides = [
        " && ".join(conjunct_text(c) for c in rule.conjuncts if c.category == category) or true
        for category in ("subject", "resource")
    ]
    return ", ".join(["p", *sides, ACTION, "allow" if rule.permits else "deny"]) + "\n"


def conjunct_text(conjunct: Conjunct) -> str:
    """Return a conjunct as stock pycasbin evaluates it."""
    name = f"r.{'sub' if conjunct.category == 'subject' else 'obj'}.{conjunct.attribute}"
    value = number(conjunct)
    match conjunct.relation:
        case Relation.EQUALS:
            return f"{name} == {_literal(value)}"
        case Relation.IN:
            return f"{name} in ({', '.join(map(_literal, value))})"
        case Relation.HAS:
            return f"{_literal(value)} in {name}"
        case Relation.AT_LEAST | Relation.AT_MOST | Relation.BELOW:
            return f"{name} {conjunct.relation.value} {value}"
        case Relation.IS:
            return name if value else f"!{name}"


def _literal(text: str) -> str:
    return f"'{text}'"


class Pycasbin(Peer):
    name = "pycasbin"
    distribution = "pycasbin"
    how = "`Enforcer` kept, `eval()` rules, requests kept as objects"
    timed = 200
    scales = False

    def __init__(self, workload: Workload) -> None:
        import casbin  # noqa: PLC0415  # a peer is loaded when it is its turn

        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder, "rows.csv")
            rows.write_text("".join(row(rule, conjunct_text, "True") for rule in workload.rules))
            self.enforcer = casbin.Enforcer(str(MODEL), str(rows))

    def hold(self, asked: Asked) -> Any:
        asked = ranked(asked)
        return SimpleNamespace(**asked.subject), SimpleNamespace(**asked.resource), ACTION

    def permits(self, held: Any) -> bool:
        return bool(self.enforcer.enforce(*held))

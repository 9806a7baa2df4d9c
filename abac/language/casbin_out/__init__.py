"""Casbin out: a compiled program, or one directive, as a plain Casbin model and rows that stock pycasbin loads.

`enforce` is then True exactly where the program permits, for every request whose attributes are all known, sets
whole, and whose computations have a value. What stock Casbin cannot say is listed, and never permits more. The
text reads back through `abac.compile`, to the same decisions. What is told of rows to people (citations, reasons,
obligations) is in the ids alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from abac.condition.expr import Attribute, walk
from abac.condition.functions import Function
from abac.condition.schema import Assurance, Category
from abac.condition.types import Value
from abac.language.casbin_out.contract import Given, contract_of, stock_arguments
from abac.language.casbin_out.plan import Plan, guard_of, plan_of
from abac.language.casbin_out.rows import model_text, rows_text
from abac.language.casbin_out.text import StockText
from abac.language.casbin_out.unsaid import Notes, Unsaid, place_of
from abac.language.casbin_out.verdict import Judge
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies

__all__ = ["CasbinText", "Given", "Unsaid", "casbin_text"]


@dataclass(frozen=True, slots=True)
class CasbinText:
    """A model and rows as Casbin loads them, what they do not say, and what a request must hold."""

    model: str
    rows: str
    unsaid: tuple[Unsaid, ...]
    contract: tuple[Given, ...]

    @property
    def exact(self) -> bool:
        """Whether every request that is known throughout is permitted if and only if it was."""
        return all(u.exact for u in self.unsaid)

    def arguments(self, values: Mapping[str, Value]) -> tuple[Any, ...]:
        """Return what to call stock's `enforce` with, for values by full attribute name."""
        return stock_arguments(self.contract, values)


def casbin_text(
    root: Policy | PolicySet,
    functions: Mapping[str, Function],
    *,
    directive: str | None = None,
    discharges: Collection[str] = (),
    revision: str = "",
) -> CasbinText:
    """Return a policy tree as Casbin text; with `directive`, only what that directive takes away.

    `discharges` names the obligations that whoever enforces will always carry out; a PERMIT that owes another is
    denied, as it is for a caller of `decide` who discharges nothing.
    """
    notes = Notes()
    judge = Judge(functions, notes)
    whole = directive is None
    plan = plan_of(root, judge, discharges) if whole else guard_of(root, directive or "", judge, discharges)
    _note_owed(root, directive, discharges, notes)
    text = StockText(_bare_action(plan))
    contract = contract_of((line.condition for line in plan.lines), text)
    for given in contract:
        if given.least > Assurance.INFERRED:
            why = f"stock Casbin cannot ask for a value that is {given.least} at least"
            notes.add(given.path, "assurance", why, "whoever asks must vouch for it", exact=True)
    rows = rows_text(plan, text, notes)
    head = _head(directive, revision, contract, notes.found)
    return CasbinText(head + model_text(plan.effect), head + rows, notes.found, contract)


def _bare_action(plan: Plan) -> bool:
    read = {n.name for line in plan.lines for n in walk(line.condition) if _is_action(n)}  # type: ignore[union-attr]  # an attribute
    return read <= {"name"}


def _is_action(node: object) -> bool:
    return isinstance(node, Attribute) and node.category is Category.ACTION


def _note_owed(root: Policy | PolicySet, directive: str | None, discharges: Collection[str], notes: Notes) -> None:
    """Note every obligation and piece of advice: stock Casbin answers yes or no and nothing besides."""
    for policy in policies(root):
        every: tuple[Rule | ObligationRule, ...] = (*policy.rules, *policy.obligation_rules)
        for rule in every:
            if directive is not None and rule.citation.directive != directive:
                continue
            for owed in rule.obligations:
                kind = "advice" if owed.advice else "obligation"
                denied = "a PERMIT that owes it is denied; a DENY goes without it"
                trusted = owed.advice or owed.id in discharges
                instead = "whoever enforces must see to it" if trusted else denied
                why = "stock Casbin answers yes or no and nothing besides"
                notes.add(place_of(rule), f"{kind} {owed.id}", why, instead, exact=True)


def _head(directive: str | None, revision: str, contract: tuple[Given, ...], unsaid: tuple[Unsaid, ...]) -> str:
    """Return the comments that both texts start with, so that neither travels without them."""
    about = f"directive {directive}: join its answer to your own policy's by `and`; it grants nothing"
    lines = ["Exported by abac; do not edit. Revision " + (revision or "not named") + "."]
    lines += [about] if directive is not None else []
    lines += ["A request is r = sub, obj, act, env; every attribute must be known:", *map(str, contract)]
    lines += ["Not said here:", *map(str, unsaid)] if unsaid else ["Nothing is left unsaid."]
    return "".join(f"# {_plain(line)}\n" for line in lines)


def _plain(line: str) -> str:
    """Return a line of a comment, ASCII, without what would end it, and not without end."""
    text = "".join(c if c.isprintable() and c.isascii() else "?" for c in line)
    return text if len(text) <= 500 else text[:497] + "..."  # noqa: PLR2004  # some lines of a terminal

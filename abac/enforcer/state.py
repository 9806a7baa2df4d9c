"""The three states an enforcer can be in under one context: compiled, left to stock pycasbin, or refused.

`compile_state` looks at everything once and says which. A matcher outside our grammar is left to stock, with a
warning that names the construct; a matcher that evaluates rule text never is: there, any error is a refusal.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from casbin.effect.default_effectors import (
    AllowAndDenyEffector,
    AllowOverrideEffector,
    DenyOverrideEffector,
    PriorityEffector,
)

from abac.compiler.program import Program, assemble
from abac.condition import clock
from abac.condition.functions import Function
from abac.enforcer.calls import Calls, strict
from abac.enforcer.door import Door
from abac.enforcer.grammar import Context, evaluates, read_grammar
from abac.enforcer.roles import Answering, RoleLinks
from abac.enforcer.rules import Key, RuleBook
from abac.enforcer.seen import Seen
from abac.errors import Diagnostic, Findings
from abac.language.inference import NOW
from abac.policy.decision import Effect, Extended
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule

ALGORITHMS: Mapping[type, tuple[Algorithm, bool]] = {
    AllowOverrideEffector: (Algorithm.PERMIT_OVERRIDES, True),
    DenyOverrideEffector: (Algorithm.PERMIT_UNLESS_DENY, False),
    AllowAndDenyEffector: (Algorithm.DENY_OVERRIDES, True),
    PriorityEffector: (Algorithm.FIRST_APPLICABLE, True),
}
"""pycasbin's effectors as algorithm and default deny.

`some(where (p.eft == allow))` is permit-overrides with a default deny: on known requests that is
deny-unless-permit, and on others it says INDETERMINATE where that would say DENY.
"""


STOPS: Mapping[type, tuple[Extended, ...]] = {
    AllowOverrideEffector: (Extended.PERMIT,),
    DenyOverrideEffector: (Extended.DENY,),
    AllowAndDenyEffector: (Extended.DENY,),
    PriorityEffector: (Extended.PERMIT, Extended.DENY),
}
"""What ends stock's walk over the rows, by effector."""


class FallbackWarning(UserWarning):
    """A matcher is decided by stock pycasbin, at its speed; the message names the construct."""


@dataclass(slots=True)
class State:
    """What an enforcer answers by until `seen` no longer holds.

    `program` is None where stock decides; `refused` is then what must be raised instead, if anything.
    """

    seen: Seen
    program: Program | None = None
    door: Door | None = None
    rows: Mapping[str, tuple[int, Any]] = field(default_factory=dict)
    """Each rule's row as it stands in the policy, and the how manieth it is."""
    stops: tuple[Extended, ...] = ()
    """The answers that stock explains by the first of their reasons, others by the last."""
    empty: bool = False
    """Whether there is rule text to evaluate and no row that has any: stock raises then."""
    refused: tuple[Diagnostic, ...] = ()
    functions: Mapping[str, Function] = field(default_factory=dict)
    _forgiving: Program | None = None

    def forgiving(self) -> Program:
        """Return the program in which a function without a value is UNKNOWN; `program` stops there, for stock."""
        program = self._forgiving or self.program
        assert program is not None  # noqa: S101  # asked of a compiled state
        if self.functions and self._forgiving is None:
            program = self._forgiving = assemble(program.schema, program.root, self.functions)
        return program


@dataclass(slots=True)
class Workshop:
    """Compiles one context, and keeps what the next compilation can use again."""

    context: Context
    key: Any = None
    book: RuleBook | None = None
    warned: str = ""
    last: tuple[RuleBook, list[tuple[Any, object]], Program] | None = None
    lock: RLock = field(default_factory=RLock)
    """One thread compiles, and those that need what it makes wait for it; answers by what holds take no lock."""

    def state(self, enforcer: Any) -> State:
        """Compile what the enforcer holds now. Raises `KeyError` where its model lacks a definition."""
        seen = Seen.of(enforcer, self.context)
        sections = seen.model.model
        matcher = sections["m"][self.context.matcher].value
        findings = Findings()
        book = self._book(enforcer, seen, matcher, findings)
        if book is None:
            return self._without(seen, matcher, findings.errors)
        live = list(seen.rows)
        keys = [_key(row) for row in live]
        if not keys and not evaluates(matcher):
            keys = [("",) * len(book.grammar.fields)]  # stock runs the matcher once, on empty text
        if not book.read(keys, RoleLinks(seen.roles), enforcer.adapter, findings):
            self.book, findings = None, Findings()  # what it learnt from rows that are gone may be in the way
            book = self._book(enforcer, seen, matcher, findings)
            if book is None or not book.read(keys, RoleLinks(seen.roles), enforcer.adapter, findings):
                self.book = None
                return self._without(seen, matcher, findings.errors)
        return self._compiled(seen, book, keys, live)

    def _book(self, enforcer: Any, seen: Seen, matcher: str, findings: Findings) -> RuleBook | None:
        """Return the rule book of the matcher as it is now: the one there is, if nothing it rests on changed."""
        sections = seen.model.model
        request, policy = (sections[s][k].tokens for s, k in zip("rp", self.context, strict=False))
        functions = enforcer.fm.get_functions()
        held = {n: f for n, f in functions.items() if n not in seen.roles}
        answering = {n: (r.answering, r.manager) for n, r in seen.roles.items()}
        key = (matcher, tuple(request), tuple(policy), held, dict(enforcer.pure_functions), answering)
        if self.book is None or key != self.key:
            grammar = read_grammar(matcher, request, policy, self.context, findings)
            if grammar is None:
                return None
            calls = Calls.of(functions, seen.roles, enforcer.pure_functions)
            self.book, self.key = RuleBook(grammar, self.context.policy, calls), key
        seen.take_functions(functions)
        return self.book

    def _without(self, seen: Seen, matcher: str, errors: Sequence[Diagnostic]) -> State:
        """Refuse, or leave to stock, what could not be compiled."""
        if evaluates(matcher):
            return State(seen, refused=tuple(errors))
        return self._stock(seen, "; ".join(f"{e.message} ({e.span})" for e in errors[:3]))

    def _stock(self, seen: Seen, why: str) -> State:
        message = f"matcher `{self.context.matcher}` is left to stock pycasbin, at its speed: {why}"
        if message != self.warned:
            warnings.warn(message, FallbackWarning, stacklevel=2)
            self.warned = message
        return State(seen, door=self._stock_door(seen))

    def _stock_door(self, seen: Seen) -> Door:
        matcher = seen.model.model["m"][self.context.matcher].value
        return Door.of_text(matcher, seen.model.model["r"][self.context.request].tokens)

    def _compiled(self, seen: Seen, book: RuleBook, keys: Sequence[Key], live: Sequence[Any]) -> State:
        algorithm = ALGORITHMS.get(type(seen.effector))
        if algorithm is None:
            return self._stock(seen, f"effector {type(seen.effector).__name__} is not one of pycasbin's own")
        if any(book.effect(key) is None for key in keys) and live:
            return self._stock(seen, "a row's effect is neither `allow` nor `deny`")
        rules = self._rules(book, keys, live)
        if not rules:
            algorithm = (Algorithm.DENY_UNLESS_PERMIT, False)  # nothing to evaluate: stock raises, nobody permits
        policy = Policy("rows", algorithm[0], rules, (), algorithm[1])
        root = PolicySet("root", Algorithm.DENY_OVERRIDES, (policy,))
        program = assemble(book.schema, root, strict(book.functions), previous=self._previous(seen, book))
        self.last = (book, _remembered(seen), program)
        read = {path: node for key in keys for path, node in book.entries[key].reads.items()}
        door = Door.of(read, book.schema, book.grammar.shape, book.inference.computed())
        called = {name.split("~")[0] for name in book.functions} | ({clock.NAME} if NOW.path in read else set())
        seen.rest_on(called)
        rows = {rule.id: (number, row) for number, (rule, row) in enumerate(zip(rules, live, strict=False), 1)}
        functions = dict(book.functions)
        return State(seen, program, door, rows, STOPS[type(seen.effector)], empty=not rules, functions=functions)

    def _rules(self, book: RuleBook, keys: Sequence[Key], live: Sequence[Any]) -> tuple[Rule, ...]:
        times: dict[Key, int] = {}
        rules = []
        for number, key in enumerate(keys, 1):
            time = times[key] = times.get(key, -1) + 1
            effect = (book.effect(key) if live else None) or Effect.PERMIT
            rules.append(book.rule(key, time, number, effect))
        return tuple(rules)

    def _previous(self, seen: Seen, book: RuleBook) -> Program | None:
        """Return the program before, if what its functions answer still holds."""
        if self.last is None or self.last[0] is not book or self.last[1] != _remembered(seen):
            return None
        return self.last[2]


def _remembered(seen: Seen) -> list[tuple[Any, object]]:
    """Return the role managers whose answers a program remembers, as they are."""
    return [(r.manager, r.stamp) for r in seen.roles.values() if r.answering is Answering.REMEMBERED]


def _key(row: Any) -> Key:
    """Return the fields of a row; what is no text becomes what no row can hold."""
    fields = row if isinstance(row, list | tuple) else (row,)
    return tuple(value if isinstance(value, str) else (type(value).__name__,) for value in fields)  # type: ignore[misc]  # refused as such

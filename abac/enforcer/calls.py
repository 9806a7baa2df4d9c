"""Which functions the conditions of an enforcer may call, and how far what they answer may be remembered.

pycasbin's built-ins are ours by the same name. A function somebody added is remembered only if they said that it
is pure; any other is asked again for every request, since it may read a clock or a database. Two attributes that
every request carries make its conjunct one over several attributes, which no index remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from casbin.model import FunctionMap

from abac.condition import clock
from abac.condition.expr import Attribute, Call, Term
from abac.condition.functions import SHIPPED, Function
from abac.condition.schema import Category
from abac.enforcer.keys import as_regular
from abac.enforcer.roles import Answering, Roles
from abac.language.inference import Inference

STOCK: Mapping[str, Any] = dict(FunctionMap.load_function_map().get_functions())
"""pycasbin's own functions by name."""

EACH_TIME = (Attribute(Category.ENVIRONMENT, "call:1"), Attribute(Category.ENVIRONMENT, "call:2"))
"""What a call that must not be remembered reads besides its arguments."""

OWN_CLOCK = f"{clock.NAME}~"
"""What somebody's own `timeMatch` is called here, since checking lowers pycasbin's by its name."""


@dataclass(slots=True)
class Calls:
    """The functions that conditions call: `known` by signature, `added` by somebody, and those in use."""

    added: Mapping[str, Callable[..., Any]]
    pure: frozenset[str]
    known: Mapping[str, Function]
    clocked: bool
    _named: dict[Call, Call] = field(default_factory=dict)
    used: dict[str, Function] = field(default_factory=dict)

    @classmethod
    def of(cls, functions: Mapping[str, Any], roles: Mapping[str, Roles], pure: Mapping[str, Any]) -> Calls:
        """Return the functions of an enforcer: its function map, its role definitions, what is said to be pure."""
        known = {
            n: f for n, f in SHIPPED.items() if n in STOCK and functions.get(n) is STOCK[n] and n not in roles
        }
        added = {n: f for n, f in functions.items() if n not in known and n not in roles and n != clock.NAME}
        clocked = functions.get(clock.NAME) is STOCK[clock.NAME]
        if not clocked and clock.NAME in functions:
            added[OWN_CLOCK] = functions[clock.NAME]
        remembered = {n for n in added if n in pure and pure[n] is added[n]}
        remembered |= {n for n, held in roles.items() if held.answering is not Answering.ASKED}
        added |= {n: held.ask for n, held in roles.items()}
        return cls(added, frozenset(remembered), known, clocked)

    def marked(self, call: Call) -> Term:
        """Return a call as it goes into a condition: one that must not be remembered reads `EACH_TIME` too."""
        if call.function in self.known:
            return as_regular(call) if "regexMatch" in self.known else call
        if call.function == clock.NAME and not self.clocked:
            call = replace(call, function=OWN_CLOCK)
        if call.function in self.added and call.function not in self.pure:
            return replace(call, arguments=(*call.arguments, *EACH_TIME))
        return call

    def typed(self, inference: Inference) -> Callable[[Call], Term]:
        """Return what names a call of an added function by the types it is used at, and keeps it in `used`."""

        def named(call: Call) -> Term:
            ask = self.added.get(call.function)
            if ask is None or call not in inference.calls:
                if call.function in self.known:
                    self.used[call.function] = self.known[call.function]
                return call
            parameters, result = inference.signature(call)
            number = 1
            while True:
                name = call.function if number == 1 else f"{call.function}~{number}"
                held = self.used.get(name)
                if held is None or (held.parameters, held.result) == (parameters, result):
                    break
                number += 1
            asked = ask if call.function in self.pure else _without_marks(ask)
            self.used.setdefault(name, Function(name, 1, parameters, result, asked))
            return replace(call, function=name)

        return named


class Unanswered(BaseException):
    """A function that has no value where stock would raise or go on with what is no truth value.

    Not an `Exception`, since an exception in a function is UNKNOWN: this one must reach the enforcer.
    """


def strict(functions: Mapping[str, Function]) -> dict[str, Function]:
    """Return the functions so that one without a value raises `Unanswered`: the request is then stock's."""
    return {name: replace(f, call=_strict(f), inspect={}) for name, f in functions.items()}


def _strict(function: Function) -> Callable[..., Any]:
    def asked(*arguments: Any) -> Any:
        value = function.value(*arguments)
        if value is None:
            raise Unanswered(function.name)
        return value

    return asked


def _without_marks(ask: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*arguments: Any) -> Any:
        return ask(*arguments[: -len(EACH_TIME)])

    return asked

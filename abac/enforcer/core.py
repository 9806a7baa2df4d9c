"""What makes a Casbin enforcer decide by a compiled program: mixed into pycasbin's own classes.

It adds `decide` to `enforce` and `enforce_ex`, refuses rule text that is no condition before it is stored, and
keeps everything else pycasbin's. When to compile again is `seen`'s part, what is compiled is `state`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import msgspec
from casbin.core_enforcer import CoreEnforcer, EnforceContext

from abac.condition.truth import TRUE
from abac.enforcer.calls import Unanswered
from abac.enforcer.grammar import Context
from abac.enforcer.refusal import check_model, check_rows
from abac.enforcer.state import State, Workshop
from abac.enforcer.watched import adopt
from abac.errors import CompileError, RequestError
from abac.pdp.decide import decide
from abac.policy.decision import Effect, Extended, Outcome, Reason

_DEFAULT = Context()
_NO_ROW: tuple[int, Any] = (0, [])


class Compiled(CoreEnforcer):  # type: ignore[misc]  # casbin ships no types
    """A Casbin enforcer that decides by a compiled program, and leaves to stock what is stock's."""

    pure_functions: dict[str, Callable[..., Any]]

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self._prepare()
        super().__init__(*arguments, **more)

    def _prepare(self) -> None:
        self.pure_functions = {}
        self._workshops: dict[Context, Workshop] = {}
        self._states: dict[Context, State] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name == "model":
            adopt(value)

    # --- answers ---------------------------------------------------------------------------------------

    def enforce_ex(self, *rvals: Any) -> Any:
        """Decide as stock pycasbin does: whether the request is permitted, and the row that says so.

        Raises what stock raises, and `CompileError` where a row's rule text is no condition.
        """
        if not self.enabled:
            return super().enforce_ex(*rvals)
        context, values = _context(rvals)
        state = self._state(context)
        if state is None:
            return super().enforce_ex(*rvals)
        if state.refused:
            raise CompileError(state.refused)
        program, door = state.program, state.door
        if program is None or door is None or state.empty:
            return super().enforce_ex(*rvals)
        request = door.request(values)
        if request is None:
            return super().enforce_ex(*rvals)
        try:
            outcome = decide(program, request)
        except (RequestError, Unanswered):
            return super().enforce_ex(*rvals)
        answer = outcome.extended
        if answer > Extended.NOT_APPLICABLE:
            return super().enforce_ex(*rvals)
        permitted = answer == Extended.PERMIT
        if self.logger.isEnabledFor(logging.INFO if permitted else logging.WARNING):
            self._log(values, permitted)
        reasons = outcome.reasons
        if not reasons:
            return permitted, []
        reason = reasons[0] if answer in state.stops else reasons[-1]
        return permitted, state.rows.get(reason.rule, _NO_ROW)[1]

    def decide(self, *rvals: Any) -> Outcome:
        """Decide with the whole outcome. A missing attribute never raises: it is UNKNOWN, and named.

        Raises `CompileError` where a row's rule text is no condition, `RequestError` for a value that is not of
        the type its attribute is used at, or for too few or too many values.
        """
        context, values = _context(rvals)
        if not self.enabled:
            return Outcome(Extended.PERMIT, permitted=True)
        state = self._state(context)
        if state is None:
            raise RequestError("context", f"the model does not define {', '.join(context)}")
        if state.refused:
            raise CompileError(state.refused)
        assert state.door is not None  # noqa: S101  # only a refused state has none
        if len(values) != state.door.count:
            raise RequestError("request", f"expected {state.door.count} values, got {len(values)}")
        if state.program is not None:
            return _cited(decide(state.forgiving(), state.door.partial(values)), state)
        return self._stock_outcome(state, context, rvals, values)

    def _stock_outcome(self, state: State, context: Context, rvals: Any, values: Any) -> Outcome:
        """Return stock's answer as an outcome; what stock cannot answer is INDETERMINATE."""
        assert state.door is not None  # noqa: S101  # only a refused state has none
        unknown = state.door.absent(values)
        if unknown:
            return Outcome(Extended.INDETERMINATE_DP, permitted=False, unknown=unknown)
        try:
            permitted, row = super().enforce_ex(*rvals)
        except Exception:  # noqa: BLE001  # stock could not say; fail closed
            return Outcome(Extended.INDETERMINATE_DP, permitted=False)
        answer = Extended.PERMIT if permitted else Extended.DENY
        effect = Effect.PERMIT if permitted else Effect.DENY
        reasons: tuple[Reason, ...] = ()
        policy = self.model.model["p"][context.policy].policy
        number = next((n for n, held in enumerate(policy, 1) if held is row), 0)
        if number:
            reasons = (Reason(f"{context.policy}#{number}", effect, TRUE),)
        return Outcome(answer, permitted=permitted, reasons=reasons)

    def _state(self, context: Context) -> State | None:
        """Return what holds now, compiled again if anything changed; None where a definition is missing."""
        state = self._states.get(context)
        if state is not None and state.seen.holds(self):
            return state
        workshop = self._workshops.setdefault(context, Workshop(context))
        with workshop.lock:
            state = self._states.get(context)
            if state is not None and state.seen.holds(self):
                return state  # another thread was first
            try:
                state = workshop.state(self)
            except KeyError:
                return None
            self._states[context] = state
            return state

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_workshops", "_states")}

    def __setstate__(self, held: dict[str, Any]) -> None:
        self._prepare()
        for name, value in held.items():
            setattr(self, name, value)

    def _log(self, values: Iterable[Any], permitted: bool) -> None:
        line = "Request: " + ", ".join(map(str, values)) + f" ---> {permitted}"
        (self.logger.info if permitted else self.logger.warning)(line)

    # --- what changes it -------------------------------------------------------------------------------

    def add_function(self, name: str, func: Callable[..., Any], *, pure: bool = False) -> Any:
        """Add a function as pycasbin does. Only what is said to be `pure` is remembered by its arguments."""
        if pure:
            self.pure_functions[name] = func
        else:
            self.pure_functions.pop(name, None)
        return super().add_function(name, func)

    def _add_policy(self, sec: str, ptype: str, rule: Any) -> Any:
        check_rows(self.model, sec, ptype, [rule])
        return super()._add_policy(sec, ptype, rule)

    def _add_policies(self, sec: str, ptype: str, rules: Any) -> Any:
        check_rows(self.model, sec, ptype, rules)
        return super()._add_policies(sec, ptype, rules)

    def _add_policies_ex(self, sec: str, ptype: str, rules: Any) -> Any:
        check_rows(self.model, sec, ptype, rules)
        return super()._add_policies_ex(sec, ptype, rules)

    def _update_policy(self, sec: str, ptype: str, old_rule: Any, new_rule: Any) -> Any:
        check_rows(self.model, sec, ptype, [new_rule])
        return super()._update_policy(sec, ptype, old_rule, new_rule)

    def _update_policies(self, sec: str, ptype: str, old_rules: Any, new_rules: Any) -> Any:
        check_rows(self.model, sec, ptype, new_rules)
        return super()._update_policies(sec, ptype, old_rules, new_rules)

    def _update_filtered_policies(self, sec: str, ptype: str, new_rules: Any, *filtered: Any) -> Any:
        check_rows(self.model, sec, ptype, new_rules)
        return super()._update_filtered_policies(sec, ptype, new_rules, *filtered)

    def _check_loaded(self) -> None:
        """Refuse rule text that is no condition, once it was loaded."""
        check_model(self.model, self.adapter)


def _cited(outcome: Outcome, state: State) -> Outcome:
    """Return an outcome whose reasons cite their rows by where they stand now: rows before them come and go."""
    reasons = [(reason, state.rows.get(reason.rule, _NO_ROW)[0]) for reason in outcome.reasons]
    if all(reason.citation.line == number for reason, number in reasons):
        return outcome
    cited = (Reason(r.rule, r.effect, r.truth, replace(r.citation, line=number)) for r, number in reasons)
    return msgspec.structs.replace(outcome, reasons=tuple(cited))


def _context(rvals: tuple[Any, ...]) -> tuple[Context, tuple[Any, ...]]:
    if rvals and isinstance(rvals[0], EnforceContext):
        asked = rvals[0]
        return Context(asked.rtype, asked.ptype, asked.mtype), rvals[1:]
    return _DEFAULT, rvals

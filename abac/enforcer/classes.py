"""The three enforcers: pycasbin's classes with the compiled decision mixed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import casbin

from abac.enforcer.core import Compiled
from abac.enforcer.refusal import placed
from abac.policy.decision import Outcome


class Enforcer(Compiled, casbin.Enforcer):  # type: ignore[misc]  # casbin ships no types
    """`casbin.Enforcer` with a compiled decision: same constructor, same management, same answers.

    `decide` gives the whole outcome. A row whose rule text is no condition is refused with its place, whether it
    comes from a file, a database or `add_policy`.
    """

    def load_policy(self) -> None:
        """Load all rows from the adapter. Raises `CompileError` for rule text that is no condition."""
        with placed(self.adapter):
            super().load_policy()
        self._check_loaded()

    def load_filtered_policy(self, filter: Any) -> None:  # noqa: A002  # pycasbin's name for it
        """Load the rows that a filter lets through. Raises `CompileError` for rule text that is no condition."""
        with placed(self.adapter):
            super().load_filtered_policy(filter)
        self._check_loaded()

    def load_increment_filtered_policy(self, filter: Any) -> None:  # noqa: A002  # pycasbin's name for it
        """Load more rows by a filter. Raises `CompileError` for rule text that is no condition."""
        with placed(self.adapter):
            super().load_increment_filtered_policy(filter)
        self._check_loaded()


class AsyncEnforcer(Compiled, casbin.AsyncEnforcer):  # type: ignore[misc]  # casbin ships no types
    """`casbin.AsyncEnforcer` with a compiled decision; `enforce` and `decide` are plain calls, as in pycasbin."""

    async def load_policy(self) -> None:
        """Load all rows from the adapter. Raises `CompileError` for rule text that is no condition."""
        with placed(self.adapter):
            await super().load_policy()
        self._check_loaded()

    async def load_filtered_policy(self, filter: Any) -> None:  # noqa: A002  # pycasbin's name for it
        """Load the rows that a filter lets through. Raises `CompileError` for rule text that is no condition."""
        with placed(self.adapter):
            await super().load_filtered_policy(filter)
        self._check_loaded()

    async def load_increment_filtered_policy(self, filter: Any) -> None:  # noqa: A002  # pycasbin's name for it
        """Load more rows by a filter. Raises `CompileError` for rule text that is no condition."""
        with placed(self.adapter):
            await super().load_increment_filtered_policy(filter)
        self._check_loaded()


class SyncedEnforcer(casbin.SyncedEnforcer):  # type: ignore[misc]  # casbin ships no types
    """`casbin.SyncedEnforcer` around an enforcer with a compiled decision."""

    def __init__(self, model: Any = None, adapter: Any = None) -> None:
        super().__init__(model)
        self._e = Enforcer(model, adapter)

    def decide(self, *rvals: Any) -> Outcome:
        """Decide with the whole outcome, under the read lock."""
        with self._rl:
            return self._e.decide(*rvals)

    def add_function(self, name: str, func: Callable[..., Any], *, pure: bool = False) -> Any:
        """Add a function as pycasbin does. Only what is said to be `pure` is remembered by its arguments."""
        with self._wl:
            return self._e.add_function(name, func, pure=pure)

"""A decision point: the program in force, replaced whole while others decide.

Readers never lock: a decision takes the reference to the program once and keeps to it. Writers take turns. Where
programs come from, and who may publish one, is left to the service.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from abac.compiler.program import Program
from abac.policy.decision import Outcome
from abac.policy.request import Request

_NONE: frozenset[str] = frozenset()


class DecisionPoint:
    """Decides by the program that was published last (the PDP of XACML 3.0, section 2.1).

    `program` may be read at any time; every outcome names the revision it was decided under.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._turn = threading.Lock()

    def decide(self, request: Request, *, discharges: frozenset[str] = _NONE) -> Outcome:
        """Return the outcome under the program in force. Raises `RequestError` as `abac.decide` does."""
        return self.program.run(request, discharges)

    def publish(self, change: Program | Callable[[Program], Program]) -> Program:
        """Put a program in force, or what a function makes of the one in force; return it.

        The function runs outside every decision, and no other publication comes between. If it raises, the program
        in force stays.
        """
        with self._turn:
            self.program = change if isinstance(change, Program) else change(self.program)
            return self.program

"""What is kept of a session: its evaluation and what its caller's word was worth; and how that becomes a question.

It is JSON, sealed by the storage. A caller's ceiling, and the obligations it discharges, are those of the time
at which it last spoke of the session.
"""

from __future__ import annotations

import threading
from uuid import UUID

import msgspec

from abac.compiler.program import Program
from abac.condition.schema import Assurance
from abac.policy.request import LEVELS
from abac.rest.authzen.asking import Asker
from abac.rest.authzen.evaluating import Evaluating
from abac.rest.authzen.wire import Evaluation
from abac.rest.callers.keys import Caller
from abac.service.ceiling import Ceiling
from abac.service.deciding import Question
from abac.storage.sessions import Session

ASKERS = 16
"""Programs under ceilings that are kept ready for sessions."""


class _Kept(msgspec.Struct):
    """What is kept of a session: its evaluation, and what its caller's word is worth."""

    evaluation: Evaluation
    assurance: str
    complete: bool
    discharges: list[str]


_kept = msgspec.json.Decoder(_Kept).decode


def kept(evaluation: Evaluation, caller: Caller) -> bytes:
    """Return what is kept of a session that a caller registers."""
    ceiling = caller.ceiling
    found = _Kept(evaluation, str(Assurance(ceiling.assurance)), ceiling.complete, sorted(caller.discharges))
    return msgspec.json.encode(found)


class Asking:
    """Puts kept sessions into the words of a program."""

    def __init__(self, evaluating: Evaluating) -> None:
        self._evaluating = evaluating
        self._askers: dict[tuple[str, Ceiling], tuple[Program, Asker]] = {}
        self._turn = threading.Lock()

    def __call__(self, session: Session, program: Program) -> Question:
        """Return the question of a session. Raises `Problem` where the program has no words for it."""
        found = _kept(session.request)
        ceiling = Ceiling(LEVELS[found.assurance], found.complete)
        asker = self._asker(program, ceiling)
        asked = asker.ask(found.evaluation)
        name = str(UUID(bytes=session.id))
        discharges = frozenset(found.discharges)
        return Question(asker.program, asked.request, discharges, session.caller, "", name, ceiling=ceiling)

    def _asker(self, program: Program, ceiling: Ceiling) -> Asker:
        with self._turn:
            held = self._askers.pop((program.revision, ceiling), None)
            if held is None or held[0] is not program:
                held = program, self._evaluating.asker_for(program, ceiling)
            while len(self._askers) >= ASKERS:
                del self._askers[next(iter(self._askers))]
            self._askers[program.revision, ceiling] = held
            return held[1]

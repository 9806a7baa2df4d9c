"""Postures: what the provider does with what cannot be decided. Never part of a decision.

Strict refuses the undecidable; shutdown refuses everyone on the models that the directive may deny to anybody;
step-up refuses until evidence arrives, which a stated share brings; lenient lets it through, exists in simulation
only, and a server refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from abac.policy.decision import Extended
from abac.simulation.change import Codes, Marks


@dataclass(frozen=True, slots=True)
class Access:
    """Who has access after a posture: surely, and possibly; they differ only where the truth is not known."""

    low: Marks
    high: Marks


def undecided(codes: Codes) -> Marks:
    """Return where a decision is neither PERMIT nor certainly not PERMIT."""
    marks: Marks = (codes == Extended.INDETERMINATE_P) | (codes == Extended.INDETERMINATE_DP)
    return marks


def completes(seed: int, rows: int, share: float) -> Marks:
    """Return who brings evidence when asked, one fixed draw per subject: a larger share only adds subjects."""
    return np.random.Generator(np.random.PCG64([seed, 0x57E9])).random(rows) < share


def access(
    posture: str,
    permitted: Marks,
    open_cases: Marks,
    *,
    in_scope: bool,
    completing: Marks,
    truly_permitted: Marks | None,
) -> Access:
    """Return who has access to one ask.

    `permitted` and `open_cases` are the decision's; `in_scope` says whether the directive may deny the ask to
    anybody; `completing` who would bring evidence, and `truly_permitted` what would then be decided (None: nobody
    knows).
    """
    match posture:
        case "strict":
            return Access(permitted, permitted)
        case "lenient":
            through = permitted | open_cases
            return Access(through, through)
        case "shutdown":
            nobody = np.zeros_like(permitted)
            return Access(nobody, nobody) if in_scope else Access(permitted, permitted)
        case "step-up":
            cleared = open_cases & completing
            if truly_permitted is None:
                return Access(permitted, permitted | cleared)
            through = permitted | cleared & truly_permitted
            return Access(through, through)
    raise ValueError(f"no posture `{posture}`")

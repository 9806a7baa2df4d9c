"""Can it ever: questions about all requests of a schema; proved, refuted by a request, or undecided for a reason.

`asking` has the questions about decisions, `people` those about persons and what is known of them, `rules` those
about single rules, `boundaries` the cases at which two programs are worth comparing. Needs z3, the extra `prove`.
"""

from abac.proof.answer import Answer, Case, ProofError, Proved, Refuted, Replayed, Undecided, Witness, as_json
from abac.proof.asking import equivalent, never_denies, never_permits, no_wider
from abac.proof.boundaries import Boundaries, Boundary, boundaries
from abac.proof.faults import Fault, Finding, RuleReport, fault
from abac.proof.people import Posture, people, without_directives
from abac.proof.rules import rules
from abac.proof.witness import request_json

__all__ = [
    "Answer",
    "Boundaries",
    "Boundary",
    "Case",
    "Fault",
    "Finding",
    "Posture",
    "ProofError",
    "Proved",
    "Refuted",
    "Replayed",
    "RuleReport",
    "Undecided",
    "Witness",
    "as_json",
    "boundaries",
    "equivalent",
    "fault",
    "never_denies",
    "never_permits",
    "no_wider",
    "people",
    "request_json",
    "rules",
    "without_directives",
]

"""A rule found, as a directive's document: ready to be reviewed, in force for nobody until somebody dates it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from abac.condition.schema import Assurance
from abac.simulation.narrowing.frontier import Found
from abac.simulation.narrowing.problem import Test

PREFACE = """\
# Proposed by `abac narrow` for review, and not in force: `status` is empty.
# It stops {over:,} {unit} outside the target and misses {under:,} in it, {where}.
"""


def subject_text(rule: Found, tests: Sequence[Test]) -> str:
    """Return a rule's condition; empty where it stops everybody.

    >>> tests = (Test("subject.a"), Test("subject.b || subject.c", 2))
    >>> subject_text(Found(((0, 1), (0,)), 0, 0, 4), tests)
    'subject.a && (subject.b || subject.c) || subject.a'
    """
    return " || ".join(" && ".join(_factor(tests[i]) for i in term) for term in rule.terms if term)


def _factor(test: Test) -> str:
    compound = test.size > 1 and (" && " in test.text or " || " in test.text)
    return f"({test.text})" if compound else test.text


def document(
    name: str,
    subject: str,
    resource: str,
    requires: Mapping[str, Assurance],
    *,
    target: str,
    at: datetime | None = None,
) -> dict[str, Any]:
    """Return the document of a rule; with a time, in force from then on, as a simulation needs it."""
    when = at.isoformat().replace("+00:00", "Z") if at else ""
    read = {path: str(level) for path, level in requires.items() if path in subject}
    clause: dict[str, Any] = {
        "id": "narrowed",
        "kind": "deny",
        "text": f"A narrower rule, meant to stop: {target}",
    }
    clause |= {"subject": subject} if subject else {}
    clause |= {"resource": resource} if resource else {}
    return {
        "directive": name,
        "title": f"Proposed: {subject or 'everybody'}"[:120],
        "kind": "targeted",
        "binding": True,
        "firmness": "assumption",
        "authority": {
            "body": "a targeted alternative, proposed by a search",
            "theory": "to be supplied on review",
        },
        "status": [{"event": "effective", "at": when, "recorded": when}] if at else [],
        **({"requires": read} if read else {}),
        "clauses": [clause],
        "in_flight": "finish_request",
    }


def text(body: Mapping[str, Any], preface: str) -> str:
    """Return a document as YAML."""
    return preface + yaml.safe_dump(dict(body), sort_keys=False, allow_unicode=True, width=110)

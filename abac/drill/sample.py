"""The requests that are put to every worker before, while and after: boundary cases, and those of the test cases.

Boundary cases lie where the two programs' own tests turn, so a rollback that left anything changed would show. The
time is the service's own and is in none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from abac import proof
from abac.client.wire import Action, Evaluation, Resource, Subject
from abac.compiler.program import Program
from abac.errors import Findings, RequestError
from abac.policy.request import Request
from abac.rest.authzen import wire
from abac.rest.authzen.asking import Asker
from abac.rest.authzen.naming import Types
from abac.rest.problems import Problem
from abac.service import cases
from abac.service.ceiling import Ceiling, under

MOST = 300
"""Boundary cases drawn."""

KIND = "drill"
"""The type of entities that say of no type what they are."""


class Sample(NamedTuple):
    """Requests, and of how many boundary cases and test cases they are."""

    asked: tuple[Evaluation, ...]
    boundaries: int
    cases: int


def sample(before: Program, after: Program, folder: Path, *, most: int = MOST) -> Sample:
    """Return the requests for two programs, with those of the test cases in a folder."""
    found = proof.boundaries(before, after, most=most, seconds=5.0)
    drawn = [_evaluation(Request(**proof.request_json(case.asserted)), n) for n, case in enumerate(found.cases)]
    written = [_evaluation(request, n) for n, request in enumerate(_written(folder))]
    each = {repr(one): one for one in (*drawn, *written)}
    return Sample(tuple(each.values()), len(drawn), len(written))


def permits(program: Program, asked: Sequence[Evaluation], ceiling: Ceiling) -> list[bool | None]:
    """Return which requests a program permits, read as workers read them now; None for those that are refused."""
    asker = Asker(under(program, ceiling), ceiling, Types(), lambda: datetime.now(UTC))
    found: list[bool | None] = []
    for one in asked:
        try:
            found.append(asker.program.run(asker.ask(_wire(one)).request, frozenset()).permitted)
        except (RequestError, Problem):
            found.append(None)
    return found


def _wire(asked: Evaluation) -> wire.Evaluation:
    """Return a request as the server reads it."""
    assert asked.subject and asked.action and asked.resource  # noqa: S101, PT018  # of a sample

    def entity(one: Subject | Resource) -> wire.Entity:
        return wire.Entity(one.type, one.id, dict(one.properties or {}))

    properties = asked.action.properties
    action = wire.Action(asked.action.name, None if properties is None else dict(properties))
    return wire.Evaluation(entity(asked.subject), action, entity(asked.resource), dict(asked.context or {}))


def _written(folder: Path) -> Sequence[Request]:
    """Return the requests of the test cases below a folder; those that cannot be read are nobody's here."""
    tests = folder / "tests"
    if not tests.is_dir():
        return ()
    findings = Findings()
    return [case.request for suite in cases.load([tests], findings) for case in suite.cases]


def _evaluation(request: Request, number: int) -> Evaluation:
    subject, resource = _plain(request.subject), _plain(request.resource)
    action = {"name": request.action} if isinstance(request.action, str) else _plain(request.action)
    name = _bare(action.pop("name", "")) or KIND
    return Evaluation(
        Subject(KIND, _bare(subject.pop("id", "")) or f"drill-{number}", subject),
        Action(name, action or None),
        Resource(KIND, _bare(resource.pop("id", "")) or f"drill-{number}", resource),
        {k: v for k, v in _plain(request.environment).items() if k != "now"},
    )


def _bare(value: Any) -> str:
    return str(value["value"]) if isinstance(value, Mapping) else str(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; nothing for what is said to be unknown."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime) else value

"""The steps of a drill, in order: stage, shadow, open sessions, activate, verify, roll back, prove.

Everything is done as those would who obey an order: by the policy store's own acts, under two names, and over
HTTP. What a step finds wrong ends the drill, after it was rolled back; a report is made of what there is. Showing
it is `page`'s part.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from abac import proof
from abac.client import Client
from abac.client.wire import Evaluation, Subject
from abac.compiler.program import Program
from abac.drill.plan import Plan, Report
from abac.drill.sample import permits, sample
from abac.drill.steps import Clock, DrillError, Step
from abac.drill.watching import Stream, answers, asked_at_once, flips, until_answers
from abac.errors import AbacError
from abac.service.publishing.difference import difference

LEAD = timedelta(seconds=2)
"""How far ahead of its publication the directive takes effect: time for every worker to have it ready."""

SHADOWED = 10.0
"""Seconds for which workers are waited for to count what the shadow answers."""


def run(plan: Plan) -> Report:
    """Take every step, and return the report, also of a drill that failed: then it was rolled back first."""
    clock = Clock(plan.allowances)
    letter = plan.letter
    received = letter.received or datetime.now(UTC)
    title = str(letter.directive.told("title") or "")
    report = Report(letter.directive.id, title, received, letter.minutes, len(plan.urls), plan.dry, clock)
    with contextlib.ExitStack() as held:
        clients = [held.enter_context(Client(url, token=plan.token, timeout=30)) for url in plan.urls]
        drill = _Drill(plan, clock, clients)
        try:
            drill.take()
        except AbacError as error:
            report.failure = str(error)
            drill.call_off()
        except BaseException:  # interrupted: nothing is left in force
            drill.call_off()
            raise
        finally:
            drill.close()
    return report


class _Names(TypedDict):
    who: str
    approver: str


class _Drill:
    """The steps, and what they hand on to one another."""

    def __init__(self, plan: Plan, clock: Clock, clients: Sequence[Client]) -> None:
        self._plan, self._clock, self._clients = plan, clock, clients
        self._policies = plan.store.policies
        self._streams: list[Stream] = []
        self._baseline: list[list[tuple[bool, str]]] = []
        self._sessions: dict[str, Evaluation] = {}
        self._published = self._shadowing = False

    def take(self) -> None:
        """Take them all."""
        self._base = self._stage()
        self._shadow()
        self._open()
        self._activate()
        self._verify()
        self._roll_back()
        self._prove()

    def close(self) -> None:
        """Stop reading streams, and end what sessions are left."""
        for stream in self._streams:
            stream.stop()
        for name in self._sessions:
            self._clients[0].close_session(name)

    def call_off(self) -> None:
        """Put back in force what was before, where something else was put in force."""
        if self._published and self._last() != self._base.revision:
            self._policies.rollback(why="the drill is called off", to=self._base.revision, **self._names())
        if self._shadowing:
            self._policies.shadows.stop(who=self._plan.who, why="the drill is called off")

    # --- before ----------------------------------------------------------------------------------------------

    def _stage(self) -> Program:
        with self._step("stage", "the draft is recorded, and put to a sample of requests") as step:
            base = self._policies.active().program
            if any(d.id == self._plan.letter.directive.id for d in base.directives):
                raise DrillError(f"`{self._plan.letter.directive.id}` is in force already")
            now = datetime.now(UTC)
            self._draft = self._plan.letter.after(base, now - timedelta(seconds=1), now)
            self._policies.record(self._draft, who=self._plan.who, why="a drill", base=base.revision)
            drawn = sample(base, self._draft, self._plan.folder)
            asked, ceiling = drawn.asked, self._plan.ceiling
            both = zip(asked, permits(base, asked, ceiling), permits(self._draft, asked, ceiling), strict=True)
            rows = [row for row in both if None not in row[1:]]  # what cannot be said over HTTP is not asked
            self._asked = [one for one, _, _ in rows]
            self._before, self._after = [a for _, a, _ in rows], [b for _, _, b in rows]
            self._losing = [one for one, a, b in rows if a and not b]
            if not self._losing:
                raise DrillError("no request of the sample loses anything: the order changes nothing here")
            self._probe = self._losing[0]
            step.found |= {
                "draft": self._draft.revision,
                "in_force": base.revision,
                "requests": len(self._asked),
                "boundary_cases": drawn.boundaries,
                "test_cases": drawn.cases,
                "losing": len(self._losing),
                "difference": difference(base, self._draft).as_json(),
            }
        return base

    def _shadow(self) -> None:
        with self._step("shadow", "the draft decides beside what is in force, and answers nobody") as step:
            self._policies.shadows.start(self._draft.revision, who=self._plan.who, why="a drill")
            self._shadowing = True
            time.sleep(1.5)  # every worker hears of it within a second
            self._baseline = [answers(client, self._asked) for client in self._clients]
            deadline = time.monotonic() + SHADOWED
            while time.monotonic() < deadline:
                status = self._policies.shadows.status()
                if status is not None and status.shadow.decided >= len(self._clients) * len(self._asked):
                    break
                time.sleep(0.1)
            ended = self._policies.shadows.stop(who=self._plan.who, why="a drill")
            self._shadowing = False
            step.found |= {
                "decided": ended.shadow.decided,
                "differing": ended.shadow.differing,
                "differences": {f"{d.active} to {d.shadowed}": d.number for d in ended.differences},
                "workers_agree": all(one == self._baseline[0] for one in self._baseline),
            }
            step.ok = step.found["workers_agree"] and [p for p, _ in self._baseline[0]] == self._before

    def _open(self) -> None:
        with self._step("sessions", "sessions are opened at every worker, and their streams are read") as step:
            self._streams = [Stream(client) for client in self._clients]
            for n in range(self._plan.sessions):
                asked = self._losing[n % len(self._losing)]
                assert asked.subject is not None  # noqa: S101  # of the sample
                subject = Subject(asked.subject.type, f"{asked.subject.id}-{n}", asked.subject.properties)
                own = replace(asked, subject=subject)
                session = self._clients[n % len(self._clients)].open_session(own, expires_in=3_600)
                if not session.id:
                    raise DrillError(f"a session was not registered: {session.answer.reason}")
                if session.answer.permitted:
                    self._sessions[session.id] = own
            step.found |= {"opened": len(self._sessions)}

    # --- the order -------------------------------------------------------------------------------------------

    def _activate(self) -> None:
        with self._step("activate", "the directive is put in force, and enforced at every worker") as step:
            now = datetime.now(UTC)
            self._effective = now + LEAD
            program = self._plan.letter.after(self._base, self._effective, now)
            with self._asking(permitted=False) as denied:
                self._published = True
                self._policies.publish(program, why="a drill", expect=self._last(), commit="", **self._names())
                published = datetime.now(UTC)
            known = [stream.first("revision", now, revision=program.revision) for stream in self._streams]
            step.found |= {
                "revision": program.revision,
                "effective": self._effective.isoformat(),
                "publish_seconds": _seconds(published - now),
                "known_seconds": [_seconds(max(at - published, timedelta())) for at in known],
                "enforced_seconds": [_seconds(at - self._effective) for at in denied],
            }
            step.ok = all(at >= self._effective for at in denied)
        self._cut(now)

    def _cut(self, since: datetime) -> None:
        with self._step("cut", "the sessions that it denies are told to their callers") as step:
            told = flips(self._streams, self._sessions, since, to=False)
            last = [max((at for at, _ in found), default=since) for found in told]
            step.found |= {
                "sessions": len(self._sessions),
                "told": [len(found) for found in told],
                "last_told_seconds": [_seconds(at - self._effective) for at in last],
                "in_flight": dict(Counter(str(one.data.get("in_flight")) for _, one in told[0])),
            }

    def _verify(self) -> None:
        with self._step("verify", "every request of the sample is asked again at every worker") as step:
            wrong = []
            for client in self._clients:
                found = [permitted for permitted, _ in answers(client, self._asked)]
                wrong.append(sum(a != b for a, b in zip(found, self._after, strict=True)))
            step.found |= {"requests": len(self._asked), "wrong": wrong}
            step.ok = not any(wrong)

    # --- and back --------------------------------------------------------------------------------------------

    def _roll_back(self) -> None:
        with self._step("roll back", "what was in force before is put in force again") as step:
            now = datetime.now(UTC)
            with self._asking(permitted=True) as permitted:
                self._policies.rollback(why="the drill is over", to=self._base.revision, **self._names())
                published = datetime.now(UTC)
                self._published = False
            told = flips(self._streams, self._sessions, now, to=True)
            step.found |= {
                "revision": self._base.revision,
                "rollback_seconds": _seconds(published - now),
                "restored_seconds": [_seconds(max(at - published, timedelta())) for at in permitted],
                "sessions_told": [len(found) for found in told],
            }

    def _prove(self) -> None:
        with self._step("prove", "that the rollback restored every decision") as step:
            back = self._policies.active().program
            proved = proof.equivalent(self._base, back, obligations=True, extended=True)
            after = [answers(client, self._asked) for client in self._clients]
            changed = [
                sum(a != b for a, b in zip(before, now, strict=True))
                for before, now in zip(self._baseline, after, strict=True)
            ]
            wrong = list(self._policies.mismatches())
            step.found |= {
                "same_revision": back.revision == self._base.revision,
                "proof": proof.as_json(proved),
                "requests": len(self._asked),
                "changed": changed,
                "log": wrong,
            }
            step.ok = isinstance(proved, proof.Proved) and not any(changed) and not wrong

    # --- parts -----------------------------------------------------------------------------------------------

    def _step(self, name: str, what: str) -> contextlib.AbstractContextManager[Step]:
        self._plan.step(name)
        return self._clock.step(name, what)

    def _asking(self, *, permitted: bool) -> contextlib.AbstractContextManager[list[datetime]]:
        """Ask every worker the probe until it answers so; the list has the times at which each first did."""
        return asked_at_once(self._clients, lambda client: until_answers(client, self._probe, permitted=permitted))

    def _names(self) -> _Names:
        return {"who": self._plan.who, "approver": self._plan.approver}

    def _last(self) -> str:
        last = self._policies.publications.last()
        return "none" if last is None else last.revision


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 3)

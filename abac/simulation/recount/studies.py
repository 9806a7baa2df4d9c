"""One study, counted again by the reference: who had access, who is blocked under a posture, who is meant.

What a figure of report.json counts is the published schema's part; these are the same words said once more, in
sets of requests. Where the blocked can go is `elsewhere`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from functools import cached_property
from typing import Any

from abac.condition.expr import Condition
from abac.condition.truth import FALSE, TRUE, Truth
from abac.policy.decision import Outcome
from abac.policy.directive import ClauseKind
from abac.simulation.recount.counting import Requests, counts, organisations, share, weight
from abac.simulation.recount.judge import Judge, undecided
from abac.simulation.recount.subjects import Ask, Facts, Subject
from abac.simulation.study import Study


class StudyRecount:
    """One study, counted again."""

    def __init__(
        self, judge: Judge, study: Study, subjects: Collection[Subject], us_persons: Collection[Subject]
    ) -> None:
        self.judge, self.study = judge, study
        self.scenario = judge.inputs.scenario
        self.subjects, self.us_persons = tuple(subjects), frozenset(us_persons)
        self.before: dict[tuple[Subject, Ask], Outcome] = {}
        self.after: dict[tuple[Subject, Ask], Outcome] = {}
        for s in subjects:
            for ask in s.use:
                self.before[s, ask] = self.judge.decide(study.before, s.asserted, ask, study.at)
                self.after[s, ask] = self.judge.decide(study.after, s.asserted, ask, study.at)
        self.had: Requests = {r for r, outcome in self.before.items() if outcome.permitted}
        self._about: dict[Ask, bool] = {}
        self._blocked: dict[str, Requests] = {}
        self._common: dict[str, dict[str, Any]] = {}

    def about(self, ask: Ask) -> bool:
        """Whether the directive's resource scope does not exclude the model, for the action."""
        directive = self.study.directive
        if directive is None:
            return False
        if ask not in self._about:
            at = self.study.at
            self._about[ask] = any(
                FALSE not in (self.judge.truth(c.resource, {}, ask, at), self.judge.truth(c.action, {}, ask, at))
                for c in directive.clauses
            )
        return self._about[ask]

    def deniable(self, ask: Ask) -> bool:
        """Whether a denying clause may reach anybody: no part of it is FALSE, and not everyone is exempt."""
        directive, at = self.study.directive, self.study.at
        if directive is None:
            return False

        def stands(*conditions: Condition) -> set[Truth]:
            return {self.judge.truth(condition, {}, ask, at) for condition in conditions}

        return any(
            clause.kind is ClauseKind.DENY
            and FALSE not in stands(clause.subject, clause.resource, clause.action)
            and not any(
                stands(e.condition, e.interval.condition()) == {TRUE}
                for e in directive.exemptions
                if not e.clauses or clause.id in e.clauses
            )
            for clause in directive.clauses
        )

    def access(self, subject: Subject, ask: Ask, posture: str, known: Facts | None = None) -> bool:
        """Whether the subject may use the ask after, the posture applied; with `known` on file instead."""
        on_file = subject.asserted if known is None else known
        outcome = self.judge.decide(self.study.after, on_file, ask, self.study.at)
        match posture:
            case "shutdown" if self.deniable(ask):
                return False
            case "lenient" if undecided(outcome):
                return True
            case "step-up" if undecided(outcome) and subject.completes:
                return self.judge.decide(self.study.after, subject.true, ask, self.study.at).permitted
        return outcome.permitted

    def blocked(self, posture: str) -> Requests:
        """Return the requests permitted before and no more, the posture applied."""
        if posture not in self._blocked:
            self._blocked[posture] = {(s, ask) for s, ask in self.had if not self.access(s, ask, posture)}
        return self._blocked[posture]

    # --- yardsticks ------------------------------------------------------------------------------------

    @cached_property
    def targets(self) -> dict[str, Requests]:
        """The requests permitted before that each yardstick means to stop."""
        return {
            "scope": {r for r in self.had if self._denied_by_the_letter(*r)},
            "purpose": {
                (s, ask)
                for s, ask in self.had
                if self.judge.truth(self.judge.inputs.purpose, s.true, ask, self.study.at) is TRUE
            },
        }

    def _denied_by_the_letter(self, subject: Subject, ask: Ask) -> bool:
        """Whether some denying clause means this request, and no exemption from it lets it off."""
        directive = self.study.directive
        if directive is None:
            return False
        at = self.study.at

        def truth(condition: Condition) -> Truth:
            return self.judge.truth(condition, subject.true, ask, at)

        for clause in directive.clauses:
            if clause.kind.value != "deny":
                continue
            if not all(truth(c) is TRUE for c in (clause.subject, clause.resource, clause.action)):
                continue
            lifted = [e for e in directive.exemptions if not e.clauses or clause.id in e.clauses]
            open_now = [
                e
                for e in lifted
                if (e.interval.start is None or e.interval.start <= at)
                and (e.interval.end is None or at < e.interval.end)
            ]
            if all(truth(e.condition) is FALSE for e in open_now):
                return True
        return False

    def yardstick(self, posture: str, name: str) -> dict[str, Any]:
        """Count what is measured by one yardstick."""
        blocked, target = self.blocked(posture), self.targets[name]
        return {
            "yardstick": name,
            "over_block": counts(blocked - target),
            "under_block": counts(target - blocked),
            "precision": share(weight(blocked & target), weight(blocked)),
            "recall": share(weight(blocked & target), weight(target)),
        }

    # --- what both yardsticks share --------------------------------------------------------------------

    def common(self, posture: str) -> dict[str, Any]:
        """Count what both yardsticks share."""
        if posture not in self._common:
            self._common[posture] = self._count(posture)
        return self._common[posture]

    def _count(self, posture: str) -> dict[str, Any]:
        blocked = self.blocked(posture)
        undecided_before = {r for r in self.had if undecided(self.after[r])}
        return {
            "id": self.study.id,
            "posture": posture,
            "blocked": counts(blocked),
            "undecided": counts(undecided_before),
            "safeguarded": counts(self._safeguarded(posture)),
            "keys": self._of_kind("organisation_key", blocked),
            "agents": self._of_kind("agent", blocked),
            "decidable_share": self.decidable_share(),
            "sessions_cut": sum(self.sessions_cut(posture).values()),
            "sessions_cut_whose": self.sessions_cut(posture),
            "us_persons_denied": self.us_persons_denied(posture),
            "caught_regardless": self.caught_regardless(posture),
            "us_persons_behind_foreign_keys": self.behind_foreign_keys(posture),
            "dark_organisations": len(self.dark(posture)),
            "other_models_changed": len(self.other_models_changed()),
        }

    def decidable_share(self) -> float | None:
        """Return the share of requests permitted before, of what the directive is about, that are decided."""
        about = {(s, ask) for s, ask in self.had if self.about(ask)}
        return share(weight(r for r in about if not undecided(self.after[r])), weight(about))

    def _safeguarded(self, posture: str) -> Requests:
        """Return the requests still permitted that owe what they did not owe before."""
        return {
            r
            for r in self.had - self.blocked(posture)
            if set(self.after[r].obligations) - set(self.before[r].obligations)
        }

    def _of_kind(self, kind: str, blocked: Requests) -> dict[str, int]:
        own = {(s, ask) for s, ask in blocked if s.kind == kind}
        who = {s for s, _ in own}
        return {
            "people": len(who),
            "organisations": len({s.organisation for s in who if s.organisation is not None}),
            "requests": weight(own),
        }

    def sessions_cut(self, posture: str) -> dict[str, int]:
        """Count the sessions at a model of whoever may not use it at the boundary, with what is then on file."""
        found = dict.fromkeys(("us_persons", "other_persons", "keys", "agents"), 0)
        directive = self.study.directive
        if directive is None or (directive.in_flight not in ("cut", "finish_request") and posture != "shutdown"):
            return found
        for s, model in {(s, ask[0]) for s, ask in self.blocked("strict" if posture == "step-up" else posture)}:
            person = "us_persons" if s in self.us_persons else "other_persons"
            holder = {"organisation_key": "keys", "agent": "agents"}.get(s.kind, person)
            found[holder] += s.sessions.get(model, 0)
        return found

    def caught_regardless(self, posture: str) -> dict[str, int]:
        """Count whom place or employment does not save."""
        people = {s for s, _ in self.blocked(posture) if s.is_person}
        meant = {s for s, _ in self.targets["scope"] if s.is_person}
        us = self.us_persons
        return {
            "foreign_staff_denied": sum(s.relation == "staff" for s in people - us),
            "us_persons_abroad_denied": sum(s.is_abroad for s in people & us),
            "us_persons_abroad_in_scope": sum(s.is_abroad for s in meant & us),
        }

    def us_persons_denied(self, posture: str) -> dict[str, int]:
        """Count the US persons blocked, by what they are to the provider."""
        denied = {s for s, _ in self.blocked(posture) if s.is_person} & self.us_persons
        by_relation = Counter(s.relation for s in denied)
        names = {"customers": "customer", "staff": "staff", "applicants": "applicant"}
        return {name: by_relation[relation] for name, relation in names.items()}

    def behind_foreign_keys(self, posture: str) -> int:
        """Count the US persons of organisations whose foreign key is blocked."""
        keys = {s for s, _ in self.blocked(posture) if s.kind == "organisation_key"}
        foreign = {s.organisation for s in keys - self.us_persons} - {None}
        return sum(s.is_person and s.organisation in foreign for s in self.us_persons)

    def dark(self, posture: str) -> set[str]:
        """Return the organisations of which all the people and keys who had access are blocked."""
        blocked = {s for s, _ in self.blocked(posture)}
        had = {s for s, _ in self.had}
        return organisations(had) - organisations(had - blocked)

    def other_models_changed(self) -> set[Subject]:
        """Return the people whose answer changed on what the directive is not about."""
        return {
            s
            for (s, ask), outcome in self.after.items()
            if s.is_person and not self.about(ask) and outcome.extended is not self.before[s, ask].extended
        }

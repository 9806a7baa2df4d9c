"""The order of effects when a folder is published: look at what was expected, compile, record, put in force.

Without an approver a store that wants two persons gets a draft, and the publisher the command that somebody else
types. Nothing is written by a dry run.
"""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Any, NamedTuple

from abac.compiler.program import Program
from abac.service.publishing.difference import Difference, difference
from abac.storage.policies import NOTHING, Policies, Published, Revision
from abac.storage.policies.errors import PolicyStaleError
from abac.storage.policies.names import told_commit, told_name, told_why
from abac.storage.policies.records import SHORT


class Outcome(NamedTuple):
    """What came of publishing a program: the draft, the publication where there is one, and what comes next.

    `difference` is from what was in force to the program. `next` is the command that comes next, or empty.
    """

    revision: str
    draft: Revision | None
    published: Published | None
    difference: Difference
    next: str

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        publication = None if self.published is None else self.published.publication.as_json()
        pending = () if self.published is None else self.published.pending
        return {
            "revision": self.revision,
            "in_force": self.published is not None,
            "new": self.published is None or self.published.new,
            "draft": None if self.draft is None else self.draft.as_json(),
            "publication": publication,
            "pending": [p.as_json() for p in pending],
            "difference": self.difference.as_json(),
            "next": self.next or None,
        }


def publish(
    policies: Policies,
    program: Program,
    *,
    who: str,
    why: str,
    expect: str,
    commit: str,
    approver: str = "",
    effective: datetime | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Publish a program, or record it as a draft where a second person is wanted and none is named.

    Raises what `Policies.publish` raises; then nothing was written.
    """
    told_name(who), told_why(why), told_commit(commit)
    base = policies.publications.check_expected(expect)
    changed = difference(policies.program(base) if base else None, program)
    if dry_run:
        return Outcome(program.revision, None, None, changed, "")
    if not approver and not policies.settings.one_person() and base != program.revision:
        draft = policies.record(program, who=who, why=why, commit=commit, base=base)
        return Outcome(program.revision, draft, None, changed, approval(draft.revision, base, effective))
    published = policies.publish(
        program, who=who, why=why, expect=expect, approver=approver, commit=commit, effective=effective
    )
    return Outcome(program.revision, policies.revisions[program.revision], published, changed, "")


def rehearsal(program: Program, expect: str) -> Outcome:
    """Return what publishing into a store that is not there yet would do. Raises `PolicyStaleError`."""
    if expect.strip().lower() != NOTHING:
        raise PolicyStaleError(f"expected {expect[:SHORT]}, and nothing was published yet", "pass --expect none")
    return Outcome(program.revision, None, None, difference(None, program), "")


def approval(revision: str, base: str, effective: datetime | None = None) -> str:
    """Return the command by which somebody else approves a draft."""
    when = f" --effective {shlex.quote(effective.isoformat())}" if effective else ""
    expect = base[:SHORT] or NOTHING
    return f"abac policy activate {revision[:SHORT]} --who NAME --why TEXT --expect {expect}{when}"

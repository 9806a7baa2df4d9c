"""Put a program in force alone: what a server does that is told to serve a folder, in a set-up of one person.

Where two persons are wanted a folder is published by `abac publish`, and never by starting a server.
"""

from __future__ import annotations

from abac.compiler.program import Program
from abac.storage.policies import NOTHING, Policies, Published
from abac.storage.policies.errors import PolicyUnapprovedError

WHY_ALONE = "the first policies are a folder that a server was told to serve, so one person publishes alone"


def publish_alone(policies: Policies, program: Program, *, who: str, why: str, commit: str) -> Published:
    """Put a program in force, unless it is already, from that commit.

    In a store where nothing was ever published it is recorded first that one person publishes alone. Raises
    `PolicyUnapprovedError` where two persons are wanted, and as `Policies.publish` does.
    """
    last = policies.publications.last()
    if not policies.settings.one_person():
        if last is not None and last.revision == program.revision:
            return Published(last, (), new=False)
        if last is not None:
            message = "this store wants two persons to publish, and a server that is told to serve a folder is one"
            raise PolicyUnapprovedError(message, "abac publish DIR, then abac serve without --policies")
        policies.settings.set_one_person(who=who, why=WHY_ALONE)
    expect = NOTHING if last is None else last.revision
    return policies.publish(program, who=who, why=why, expect=expect, commit=commit)

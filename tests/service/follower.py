"""A process that follows a store, and prints a line of JSON for what stands first and for every change.

    python -m tests.service.follower SETTINGS-AS-JSON

ends when its standard input does.
"""

from __future__ import annotations

import json
import sys

from abac.audit.clock import stamp
from abac.bootstrap import Settings, open_store
from abac.service.following import Change, Follower, InForce


def main() -> None:
    with open_store(Settings(**json.loads(sys.argv[1]))) as store:
        follower = Follower(store.policies, listeners=[lambda change: say(change.after, change)])
        say(follower.now)
        follower.start()
        sys.stdin.read()
        follower.close()


def say(found: InForce, change: Change | None = None) -> None:
    passed = [] if change is None else [stamp(at) for at in change.passed]
    said = {"revision": found.standing.revision, "posture": found.standing.posture, "passed": passed}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

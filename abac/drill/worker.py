"""One worker of a drill, a process of its own: decides and records by what stands in the store, and tells changes.

    python -m abac.drill.worker DATABASE

prints its URL once it listens, and ends on SIGTERM. Nobody is asked who they are: it serves the loopback address
of a dry run only.
"""

from __future__ import annotations

import sys

from abac.bootstrap import Settings, now, open_store
from abac.pdp.point import DecisionPoint
from abac.rest import logs
from abac.rest.building import Parts, build, tell_changes
from abac.rest.serving import server
from abac.rest.settings import load
from abac.service.following import Change, Follower
from abac.service.recording.point import RecordedPoint
from abac.service.recording.questions import RecordedQuestions
from abac.service.recording.shadow import Shadow


def main() -> None:
    """Serve until told to stop."""
    logs.configure("warning")
    with open_store(Settings.of(database=sys.argv[1])) as store:
        follower = Follower(store.policies)
        program = follower.now.program
        if program is None:
            sys.exit("nothing is in force")
        point = RecordedPoint(DecisionPoint(program), store, mode="required")

        def changed(change: Change) -> None:
            after = change.after
            if change.republished and after.program is not None:
                point.publish(after.program, commit=after.standing.commit)
            if change.shadow:
                revision = after.standing.shadow
                kept = store.policies.shadows.differences()
                point.shadow = None if revision is None else Shadow(store.policies.program(revision), kept)

        follower.listen(changed)
        held = load(unsafe_no_auth=True, unsafe_ceiling="verified", port=0)
        app = build(held, now, Parts(deciding=RecordedQuestions(point)))
        tell_changes(app, store, follower)
        follower.start()
        server(app, held, started=_say).run()
        follower.close()
        point.close()


def _say(url: str) -> None:
    sys.stdout.write(url + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

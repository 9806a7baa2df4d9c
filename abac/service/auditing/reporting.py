"""A summary of a period, signed by the log's key: what was decided, published, let go, and whether the log holds.

The report is JSON; `signed` is a note (C2SP signed-note) whose text is that JSON, exactly, so whoever has the key
checks it with nothing of ours. Counts are over entries in the database; archived ones are counted as such.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

from abac.audit.asserted import opened_part
from abac.audit.clock import moment, stamp
from abac.audit.deciding import REASONS
from abac.audit.entry import DECISION, Entry
from abac.audit.note import SigningKey, VerifyingKey, open_note, sign
from abac.service.auditing.acts import KINDS
from abac.service.auditing.errors import AuditingError, NamesError
from abac.service.auditing.showing import Section
from abac.service.auditing.verifying import Verification
from abac.service.auditing.walking import Progress, Span, Walked, walk
from abac.service.store import Store
from abac.storage.policies.acts import KINDS as POLICY_KINDS

FORMAT = "abac/audit-report/1"

SEALED = "sealed: not told"


def report(
    store: Store, verification: Verification, since: datetime, until: datetime, progress: Progress | None = None
) -> dict[str, Any]:
    """Return the summary of what was decided and done from a time until before another."""
    if not since < until:
        raise NamesError("--from is not before --to")
    decided = {name: Counter[str]() for name in ("decision", "revision", "directive", "posture", "model")}
    done: Counter[str] = Counter()
    acts: list[dict[str, Any]] = []
    number = 0
    for walked in walk(store, span=Span(since, until), decisions=False, progress=progress):
        if walked.entry.kind == DECISION:
            number += 1
            _count(decided, walked)
        else:
            done[walked.entry.kind] += 1
            if walked.entry.kind in (*KINDS, *POLICY_KINDS, "key"):
                acts.append(_act(walked.entry))
    return {
        "format": FORMAT,
        "origin": verification.origin,
        "from": stamp(since),
        "to": stamp(until),
        "made_at": stamp(store.log.clock()),
        "decisions": number,
        "by": {name: dict(counts.most_common()) for name, counts in decided.items()},
        "acts": {"counts": dict(done), "listed": acts},
        "verification": verification.as_json(),
    }


def signed(made: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    """Return the report with the note that signs it."""
    return {"report": made, "signed": sign(json.dumps(made, ensure_ascii=True) + "\n", [key])}


def checked(text: str, keys: list[VerifyingKey]) -> dict[str, Any]:
    """Return the report in a file that `signed` made. Raises `NoteError`, and `AuditingError` if they differ."""
    try:
        said = json.loads(text)
        made, note = said["report"], said["signed"]
    except (ValueError, KeyError, TypeError) as error:
        raise AuditingError(f"not a signed report: {error!r}") from None
    if json.loads(open_note(str(note), keys).text) != made:
        raise AuditingError("what is signed is another report than the one beside it")
    return dict(made)


def sections(made: dict[str, Any]) -> list[Section]:
    """Return the report as sections, to be printed."""
    verified = made["verification"]
    found = [f"{n:,} {code}" for code, n in verified["found"].items()]
    rows = [
        Section(
            f"From {made['from']} to {made['to']}",
            (
                ("log", made["origin"]),
                ("made at", made["made_at"]),
                ("decisions", f"{made['decisions']:,}"),
                ("verification", "nothing is wrong" if verified["holds"] else "SOMETHING IS WRONG"),
                ("found", ", ".join(found) or "nothing"),
                ("entries", f"{verified['size']:,}"),
                ("root", verified["root"]),
            ),
        )
    ]
    for name, counts in made["by"].items():
        if counts:
            rows.append(Section(f"Decisions by {name}", tuple((key, f"{n:,}") for key, n in counts.items())))
    if made["acts"]["listed"]:
        acts = [(f"{a['seq']} {a['kind']}", f"{a['at']}, {a['who']}: {a['why']}") for a in made["acts"]["listed"]]
        rows.append(Section("Acts of administration", tuple(acts)))
    return rows


def _count(decided: dict[str, Counter[str]], walked: Walked) -> None:
    entry = walked.entry
    decided["decision"][
        entry.decision if entry.permitted or entry.decision != "PERMIT" else "PERMIT with duties"
    ] += 1
    decided["revision"][entry.revision] += 1
    decided["posture"][entry.posture or "strict"] += 1
    told = entry.attributes.get("resource.id")
    decided["model"][str(told[0]) if told else SEALED] += 1
    reasons = opened_part(entry, {}, REASONS)
    if reasons is None:
        decided["directive"][SEALED] += 1
    else:
        decided["directive"].update({r[3] for r in reasons if r[3]})


def _act(entry: Entry) -> dict[str, Any]:
    """Return what a report says of an act; handles of keys are counted, not listed."""
    what = {k: (len(v) if k == "handles" else v) for k, v in entry.what.items() if k != "directives"}
    return {
        "seq": entry.seq,
        "kind": entry.kind,
        "at": stamp(moment(entry.integrated_at)),
        "who": entry.who,
        "approver": entry.approver,
        "why": entry.why,
        "revision": entry.revision,
        "what": what,
    }

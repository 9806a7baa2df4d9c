"""The directives of June 2026 as they came in: what was published when, and what was found out late."""

from __future__ import annotations

import functools
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import yaml

from abac.compiler.program import Program
from abac.service.load import compile_policies
from abac.service.shipped import shipped

ROOT = shipped("policies")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


FRAMEWORK = at("2026-06-02T16:00:00Z")
RELEASE, LETTER, SECOND, LIFTED = dates = tuple(
    map(at, ("2026-06-09T18:00:00Z", "2026-06-12T21:21:00Z", "2026-06-26T21:00:00Z", "2026-07-01T00:00:00Z"))
)
"""The four dates of the scenario: release, first letter, second letter, controls lifted."""

FOUND_OUT = at("2026-06-29T09:00:00Z")
"""When the second letter, of 26 June, reached whoever records directives."""

NAMES = ("v0-framework", "d1-foreign-nationals", "d2-annex-a", "d3-rescinded")


@functools.cache
def published_on(*, until: datetime, recorded: datetime | None = None) -> Program:
    """The program of what had happened up to a moment; with `recorded`, the second letter's events bear that date.

    A folder is written as somebody would have written it then: no event in it was still to come.
    """
    folder = Path(tempfile.mkdtemp(prefix="abac-june-"))
    for part in ("persons", "lists"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "schema.yaml", folder)
    (folder / "directives").mkdir()
    for name in NAMES:
        document = yaml.safe_load((ROOT / "directives" / f"{name}.yaml").read_text())
        past = [_event(e, recorded) for e in document["status"] if _moment(e["at"]) <= until]
        if past:
            written = yaml.safe_dump(document | {"status": past}, sort_keys=False)
            (folder / "directives" / f"{name}.yaml").write_text(written)
    rows = ROOT / "rules" / "baseline.csv"
    return compile_policies(
        folder / "schema.yaml", shipped("models") / "abac.conf", [folder / "directives", rows], as_of=until.date()
    )


def _event(event: dict[str, object], recorded: datetime | None) -> dict[str, object]:
    late = recorded is not None and _moment(event["at"]) == SECOND
    return event | ({"recorded": recorded.isoformat()} if late and recorded else {})


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else at(str(value))

"""How revisions, publications, differences and timelines look on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from abac.audit.clock import stamp

if TYPE_CHECKING:
    from abac.service.publishing.difference import Difference
    from abac.service.publishing.timeline import Moment, Told
    from abac.storage.policies import DirectiveStatus, Publication, Revision

SHORT = 12
WORDS = {
    "policies": "how rules combine",
    "rules": "rules",
    "directives": "directives",
    "lists": "lists",
    "attributes": "attributes",
    "persons": "person tests",
    "functions": "functions",
    "told": "what people are told (decides nothing)",
}


def difference_lines(difference: Difference) -> Iterator[Text]:
    """Yield a difference line by line: `+` what is new, `-` what is gone, `~` what changed."""
    if not difference.sections:
        yield Text("nothing changes")
    for name, change in difference.sections.items():
        yield Text(WORDS[name], "bold")
        for sign, colour, parts in (("+", "green", change.added), ("-", "red", change.removed)):
            for part, fields in parts.items():
                yield Text(f"  {sign} {part}", colour)
                yield from (Text(f"      {line}", "dim") for line in _fields(fields))
        for part, changed in change.changed.items():
            yield Text(f"  ~ {part}", "yellow")
            for one in changed:
                yield from (Text(f"      - {one.field}: {text}", "red") for text in one.removed)
                yield from (Text(f"      + {one.field}: {text}", "green") for text in one.added)


def _fields(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        for text in (value,) if isinstance(value, str) else value:
            if text:
                yield f"{name}: {text}"


def history(publications: Sequence[Publication], in_force: Publication | None) -> Iterator[Text]:
    """Yield publications as a table, the one in force marked."""
    rows = [("", "revision", "effective", "recorded", "author", "approver", "commit", "why")]
    for one in publications:
        mark = "in force" if one == in_force else one.kind if one.kind == "rollback" else ""
        times = (when(one.effective_at), when(one.recorded_at) + (" (late)" if one.late else ""))
        rows.append(
            (
                mark,
                one.revision[:SHORT],
                *times,
                one.author,
                one.approver or "-",
                one.commit[:SHORT] or "-",
                one.why,
            )
        )
    yield from columns(rows)


def drafts(revisions: Iterable[Revision]) -> Iterator[Text]:
    """Yield revisions that were never published as a table."""
    rows = [("draft", "recorded", "author", "base", "commit", "why")]
    for one in revisions:
        base, commit = one.base[:SHORT] or "none", one.commit[:SHORT] or "-"
        rows.append((one.revision[:SHORT], when(one.recorded_at), one.author, base, commit, one.why))
    yield from columns(rows)


def statuses(directives: Sequence[DirectiveStatus], *, scoped: bool) -> Iterator[Text]:
    """Yield directives with their status as a table; with a model asked about, whether each is about it."""
    rows = [("directive", "status", "since", "known since", *(("about it",) if scoped else ()), "title")]
    for one in directives:
        since = "-" if one.since is None else when(one.since)
        known = "-" if one.known_at is None else when(one.known_at) + (" (late)" if one.late else "")
        scope = (one.scope.name,) if scoped else ()
        rows.append((one.directive, one.status, since, known, *scope, one.title))
    yield from columns(rows)


def moments(timeline: Sequence[Moment]) -> Iterator[Text]:
    """Yield a timeline as a table; what later knowledge changed is marked."""
    rows = [("at", "", "as known then", "as known now")]
    for one in timeline:
        mark = "revised" if one.revised else ""
        rows.append((when(one.at), mark, _told(one.then), _told(one.now)))
    yield from columns(rows)


def when(moment: datetime) -> str:
    """Return a moment as text, without a fraction of a second where there is none."""
    return stamp(moment).replace(".000000Z", "Z")


def columns(rows: Sequence[Sequence[str]]) -> Iterator[Text]:
    """Yield rows as aligned lines, the first as their heading; nothing is cut off, whatever the terminal."""
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        yield Text("  ".join(cells).rstrip(), "bold" if number == 0 else "")


def _told(told: Told) -> str:
    names = [d.directive + ("" if d.scope.name == "TRUE" else " (?)") for d in told.directives]
    return f"{(told.revision or 'nothing')[:SHORT]}: {', '.join(names) or 'no directive'}"

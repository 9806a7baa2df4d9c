"""One entry, told so that it can be read on paper: what was asked and answered, by which rules and which letter.

`told` gathers it as sections of lines; `as_text` and `as_html` set them. What is sealed stays sealed unless it was
opened: then the rules that were cited stay untold, too, as they would say what was sealed.
"""

from __future__ import annotations

import html
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from abac.audit.asserted import opened_part
from abac.audit.clock import stamp
from abac.audit.deciding import ADVICE, OBLIGATIONS, REASONS, UNKNOWN
from abac.audit.entry import DECISION, Entry
from abac.audit.merkle import leaf_hash
from abac.compiler.program import Program
from abac.condition.text import condition_text
from abac.policy.directive import Directive
from abac.policy.rule import ObligationRule, Rule, policies
from abac.service.auditing.reading import Read, values

WIDTH = 100

SEALED = "sealed"

Opened = Mapping[str, tuple[bytes, bytes]]


class Section(NamedTuple):
    """A heading, and rows of a name and a text under it; a row without a name is a paragraph."""

    title: str
    rows: tuple[tuple[str, str], ...]


def told(read: Read, program: Program | None, opened: Opened, *, origin: str = "") -> list[Section]:
    """Return what an entry says, with the text of the rules it cites where the program is there."""
    entry = read.entry
    sections = [Section(f"Entry {entry.seq} of the log {origin}".rstrip(), tuple(_identity(entry)))]
    if entry.kind == DECISION:
        sections += [
            Section("Answer", tuple(_answer(entry, opened))),
            Section("Request", tuple(_request(entry, opened))),
            *_rules(entry, program, opened),
        ]
    elif entry.what:
        sections.append(Section("What was done", tuple((k, _said(v)) for k, v in entry.what.items())))
    sections.append(Section("Proof", tuple(_proof(read))))
    return sections


def as_text(sections: Iterable[Section]) -> str:
    """Return the sections as plain text of at most a hundred columns, where words allow it."""
    lines: list[str] = []
    for title, rows in sections:
        lines += ["", title, "-" * min(len(title), WIDTH)]
        wide = max((len(name) for name, _ in rows), default=0)
        for name, text in rows:
            start = f"{name:<{wide}}  " if name else ""
            folded = textwrap.wrap(text, max(WIDTH - len(start), 30), break_long_words=False) or [""]
            lines += [start + folded[0], *(" " * len(start) + more for more in folded[1:])]
    return "\n".join(lines[1:]) + "\n"


def as_html(sections: Iterable[Section], title: str) -> str:
    """Return the sections as one page that needs nothing else and prints well."""
    parts = []
    for heading, rows in sections:
        cells = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>"
            if name
            else f'<tr><td colspan="2">{html.escape(text)}</td></tr>'
            for name, text in rows
        )
        parts.append(f"<section><h2>{html.escape(heading)}</h2><table>{cells}</table></section>")
    return _PAGE.format(title=html.escape(title), style=_STYLE, body="\n".join(parts))


_STYLE = """\
body { font: 11pt/1.45 Georgia, serif; max-width: 48em; margin: 2em auto; padding: 0 1em; color: #111 }
h2 { font-size: 1.05em; border-bottom: 1px solid #999; margin: 1.6em 0 .4em }
table { border-collapse: collapse; width: 100% }
th { text-align: left; font-weight: normal; color: #555; width: 13em; padding: .15em 1em .15em 0 }
th { vertical-align: top }
td { vertical-align: top; padding: .15em 0; overflow-wrap: anywhere }
section { break-inside: avoid }
@media print { body { margin: 0; max-width: none; font-size: 10pt } @page { margin: 2cm } }"""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><style>
{style}
</style></head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


# --- the parts -----------------------------------------------------------------------------------------------


def _identity(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "id", entry.id
    yield "kind", entry.kind
    yield ("decided at" if entry.kind == DECISION else "done at"), entry.decided_at
    yield "in the log since", entry.integrated_at
    for name, value in (
        ("who", entry.who),
        ("approver", entry.approver),
        ("why", entry.why),
        ("revision", entry.revision),
        ("source commit", entry.commit),
        ("posture", entry.posture),
        ("request id", entry.request_id),
        ("session", entry.session),
    ):
        if value:
            yield name, value


def _answer(entry: Entry, opened: Opened) -> Iterator[tuple[str, str]]:
    plain = entry.extended in ("", entry.decision)
    yield "decision", entry.decision if plain else f"{entry.decision} ({entry.extended})"
    yield "permitted", "yes" if entry.permitted else "no"
    if entry.discharges:
        yield "caller discharges", ", ".join(entry.discharges)
    for name in (REASONS, UNKNOWN, OBLIGATIONS, ADVICE):
        part = opened_part(entry, opened, name)
        if part is None:
            yield name, _commitment(entry, name)
        elif name == REASONS:
            for number, reason in enumerate(part):
                yield (name if not number else " "), _reason(reason)
        elif part:
            yield name, ", ".join(one if isinstance(one, str) else _said(one) for one in part)


def _request(entry: Entry, opened: Opened) -> Iterator[tuple[str, str]]:
    shown = {**entry.attributes, **{n: v for n, v in values(opened).items() if "." in n}}
    for name in (*entry.attributes, *(n for n in entry.sealed if "." in n)):
        yield name, _attribute(shown[name]) if name in shown else _commitment(entry, name)


def _attribute(one: Any) -> str:
    value, assurance, source, *unusual = one
    more = unusual[0] if unusual else {}
    words = [f"{assurance}, from {source}"]
    if more.get("complete") is False:
        words.append("perhaps not all")
    if "as_of" in more:
        words.append(f"as of {more['as_of']}")
    words += [f"{_said(element)} {level}" for element, level in more.get("elements", ())]
    return f"{_said(value)}  ({'; '.join(words)})"


def _rules(entry: Entry, program: Program | None, opened: Opened) -> Iterator[Section]:
    """Yield the cited rules with their text, and each directive with its authority and its letter's digest."""
    reasons = opened_part(entry, opened, REASONS)
    if reasons is None:
        yield Section("Rules", (("", "Which rules were cited is sealed: they follow from sealed values."),))
        return
    if program is None:
        yield Section("Rules", (("", f"The program of revision {entry.revision} is not at hand."),))
        return
    known: dict[str, Rule | ObligationRule] = {}
    for policy in policies(program.root):
        known |= {rule.id: rule for rule in policy.rules} | {rider.id: rider for rider in policy.obligation_rules}
    rows = [
        (r[0], condition_text(known[r[0]].condition) if r[0] in known else "not in this revision") for r in reasons
    ]
    if rows:
        yield Section("Rules", tuple(rows))
    cited = {r[3] for r in reasons if r[3]}
    for directive in program.directives:
        if directive.id in cited:
            yield Section(f"Directive {directive.id}", tuple(_directive(directive, {r[4] for r in reasons})))


def _directive(directive: Directive, clauses: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in ("title", "authority", "letter", "times", "firmness"):
        about = directive.told(name)
        if isinstance(about, Mapping):
            for key, value in about.items():
                label = "SHA-256" if key == "sha256" else key
                yield f"{name}: {label}", "none" if value is None else _said(value)
        elif about is not None:
            yield name, _said(about)
    yield "binding", "yes" if directive.binding else "no"
    yield "clauses cited", ", ".join(sorted(c for c in clauses if c))
    if directive.person_test:
        yield "person test", directive.person_test
    for event in directive.events:
        yield event.event.value, f"{stamp(event.at)}, recorded {stamp(event.recorded)}"


def _proof(read: Read) -> Iterator[tuple[str, str]]:
    yield "leaf hash", leaf_hash(read.data).hex()
    if read.entry.key:
        yield "sealed under key", read.entry.key
    yield "bytes", f"{len(read.data):,}"


def _reason(reason: Iterable[str]) -> str:
    rule, effect, truth, directive, clause, person_test = reason
    cited = f", {directive} clause {clause}" if directive else ""
    test = f", person test {person_test}" if person_test else ""
    return f"{effect} by rule {rule} ({truth}{cited}{test})"


def _commitment(entry: Entry, name: str) -> str:
    return f"{SEALED}: {entry.sealed[name]}"


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

"""What came of a drill, for people: sentences, and one small page that needs nothing else.

The report itself is data (`plan.Report.as_json`); here nothing is computed but words.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from abac.drill.plan import Report

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: flex; height: 1.6rem; background: #eee; border-radius: 4px; overflow: hidden; }
.bar div { min-width: 2px; } .people { background: #c9b458; } .machine { background: #2f6f9f; }
.bad { color: #a4262c; font-weight: 600; } .assumed { color: #6b5b00; }
"""


def sentences(report: Report) -> Iterator[str]:
    """Yield what came of a drill, one sentence each."""
    used, left = report.clock.now / 60, report.minutes - report.clock.now / 60
    yield f"{used:.1f} of {report.minutes:g} minutes used, {left:.1f} left."
    if report.failure:
        yield f"The drill ended early, and was called off: {report.failure}"
    if found := report.found("activate"):
        yield (
            f"Every one of {report.workers} workers enforced {report.directive} at most "
            f"{max(found['enforced_seconds']):.2f} s after it took effect; a publication was known to all after "
            f"{max(found['known_seconds']):.2f} s."
        )
    if found := report.found("cut"):
        yield (
            f"{found['sessions']} open sessions were told to end, the last "
            f"{max(found['last_told_seconds']):.2f} s after it took effect."
        )
    if found := report.found("verify"):
        yield f"{sum(found['wrong'])} of {found['requests']} requests were answered otherwise than the draft says."
    if found := report.found("roll back"):
        yield f"After the rollback every worker permitted again within {max(found['restored_seconds']):.2f} s."
    if found := report.found("prove"):
        yield (
            f"That every decision was restored is {found['proof']['answer']} ({found['proof']['note']}), and "
            f"{found['requests']} requests asked again at each worker: {sum(found['changed'])} answers changed."
        )


def write_page(report: Report, path: Path) -> None:
    """Write the page. Raises `OSError`."""
    path.write_text(page(report), encoding="utf-8")


def page(report: Report) -> str:
    """Return the page as HTML."""
    verdict = "It would have been done in time." if report.ok else "It would not have been done."
    said = "".join(f"<li>{escape(one)}</li>" for one in sentences(report))
    rows = "".join(_row(step) for step in report.as_json()["steps"])
    where = "a dry run on a database of its own" if report.dry else "a staging set-up"
    title = f"Drill: {report.directive}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1><p>{escape(report.title)}</p>"
        f"<p>{report.workers} workers, {where}. The clock starts when the letter is received, "
        f'{escape(report.received.isoformat())}.</p><p class="{"" if report.ok else "bad"}">{verdict}</p>'
        f'<div class="bar" role="img" aria-label="The minutes used">{_bar(report)}</div><ul>{said}</ul>'
        "<table><thead><tr><th>Clock</th><th>Step</th><th>What</th><th>Seconds</th><th></th></tr></thead>"
        f"<tbody>{rows}</tbody></table></body></html>\n"
    )


def _bar(report: Report) -> str:
    whole = max(report.minutes * 60, report.clock.now)
    return "".join(
        f'<div class="{"machine" if step.measured else "people"}" style="width:{100 * step.took / whole:.3f}%" '
        f'title="{escape(step.what)}"></div>'
        for step in report.clock.steps
    )


def _row(step: dict[str, Any]) -> str:
    kind = "" if step["measured"] else '<span class="assumed">allowed, not measured</span>'
    word = "" if step["ok"] else '<span class="bad">not as it must be</span>'
    told = "".join(
        f"<div>{escape(name.replace('_', ' '))}: {escape(str(value))}</div>"
        for name, value in step["found"].items()
        if name not in ("difference", "proof")
    )
    return (
        f"<tr><td>{escape(step['clock'][11:19])}</td><td>{escape(step['step'])}</td>"
        f"<td>{escape(step['what'])} {word}<small>{told}</small></td>"
        f'<td class="n">{step["took_seconds"]:,.3f}</td><td>{kind}</td></tr>'
    )

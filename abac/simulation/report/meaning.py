"""What a figure of report.json counts, in the words of its published schema: enough to count it again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from abac.simulation.report.validate import schema

_STEP = re.compile(r"[^.\[\]]+|\[[^\]]*\]")

PLAIN = tuple(f"#/$defs/{name}" for name in ("count", "counts", "share", "ratio", "fraction", "sweep"))
"""What says of a figure only what kind of number it is."""


def meaning(path: str) -> str:
    """Return what the figure at a path counts, the outermost word first; empty where the schema has no such path.

    >>> meaning("directives[0].displaced.parity_shown.share")
    'Their share of the people denied; null where nobody is denied.'
    """
    found = list(_told(schema(), _STEP.findall(path.partition(" (")[0])))
    return " ".join(found[1:] if len(found) > 1 else found)


def _told(node: Mapping[str, Any], steps: list[str]) -> Iterator[str]:
    """Yield the descriptions along a path, of what each step leads to."""
    for step in steps:
        node = _resolved(node)
        below = node.get("items") if step.startswith("[") else node.get("properties", {}).get(step)
        if below is None:
            rest = node.get("additionalProperties")
            below = rest if isinstance(rest, Mapping) else None
        if below is None:
            return
        node = below
        said = node.get("description")
        if said is None and node.get("$ref") not in PLAIN:
            said = _resolved(node).get("description")
        if said:
            yield str(said)


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a node refers to; of alternatives the first."""
    while True:
        if "$ref" in node:
            node = schema()["$defs"][node["$ref"].rpartition("/")[2]]
        elif "oneOf" in node:
            node = node["oneOf"][0]
        else:
            return node

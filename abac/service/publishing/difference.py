"""What changed between two programs, in the words of the policies: rules, directives, lists, attributes, tests.

A difference is parts added, removed and changed, and of a changed one the fields (`words` names them). Two
programs of different revisions never come out alike: what no part shows is told as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from abac.compiler.program import Program
from abac.service.publishing.words import Fields, Parts, described

SECTIONS = ("policies", "rules", "directives", "lists", "attributes", "persons", "functions", "told")
"""What a difference has, in the order in which it is shown. `told` is what people read and nothing decides by."""


class FieldChange(NamedTuple):
    """A field that changed: its text before and after, or what a list of texts lost and gained."""

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


class SectionChange(NamedTuple):
    """What changed in one section; `added` and `removed` are whole parts by name."""

    added: Parts
    removed: Parts
    changed: Mapping[str, tuple[FieldChange, ...]]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


class Difference(NamedTuple):
    """What changed between two revisions; `before` is empty where there was none."""

    before: str
    after: str
    sections: Mapping[str, SectionChange]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        sections = {
            name: {
                "added": {k: _plain(v) for k, v in change.added.items()},
                "removed": {k: _plain(v) for k, v in change.removed.items()},
                "changed": {
                    k: [f._asdict() | {"removed": list(f.removed), "added": list(f.added)} for f in v]
                    for k, v in change.changed.items()
                },
            }
            for name, change in self.sections.items()
        }
        return {"before": self.before or None, "after": self.after, "sections": sections}


def difference(before: Program | None, after: Program) -> Difference:
    """Return what changed from one program to another; from nothing, everything is new."""
    old: Mapping[str, Parts] = {} if before is None else described(before)
    new = described(after)
    found = {name: _section(old.get(name, {}), new[name]) for name in SECTIONS}
    found["told"] = SectionChange({}, {}, found["told"].changed)  # parts that come or go are told of above
    sections = {name: change for name, change in found.items() if change}
    if before is not None and before.revision != after.revision and not sections.keys() - {"told"}:
        unseen = FieldChange("form", (before.revision,), (after.revision,))
        sections["policies"] = SectionChange({}, {}, {"root": (unseen,)})
    return Difference("" if before is None else before.revision, after.revision, sections)


def _section(old: Parts, new: Parts) -> SectionChange:
    changed = {
        name: fields for name in old.keys() & new.keys() if (fields := tuple(_fields(old[name], new[name])))
    }
    return SectionChange(
        {name: new[name] for name in new if name not in old},
        {name: old[name] for name in old if name not in new},
        dict(sorted(changed.items())),
    )


def _fields(old: Fields, new: Fields) -> list[FieldChange]:
    found: list[FieldChange] = []
    for field in dict.fromkeys([*old, *new]):
        was, now = _texts(old.get(field, ())), _texts(new.get(field, ()))
        if was != now:
            gone, come = tuple(t for t in was if t not in now), tuple(t for t in now if t not in was)
            found.append(FieldChange(field, *((gone, come) if gone or come else (was, now))))
    return found


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _plain(fields: Fields) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

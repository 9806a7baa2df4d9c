"""Casbin in: a model `.conf` and policy rows, read by pycasbin's own model, with the place of every row kept.

The matcher and the rules in rows are parsed apart by our parser and never spliced. What stock pycasbin accepts and
nobody can mean (a row that is no condition, an effect that is neither allow nor deny) is refused with its place.
Turning rows into rules is `compiler.link`'s part.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from casbin.config import Config
from casbin.model import Model
from casbin.persist.adapter import load_policy_line

from abac.condition.expr import Condition, Definition, Field, walk
from abac.condition.types import Scalar
from abac.errors import Findings, Span, did_you_mean, moved
from abac.language.names import Names
from abac.language.parser import parse
from abac.language.yaml_source import Text, trace
from abac.policy.rule import Algorithm

MAX_ROW = 100_000
"""The longest policy row read, in characters."""

EFFECTS: Mapping[str, tuple[Algorithm, bool]] = {
    "some(where (p_eft == allow))": (Algorithm.DENY_UNLESS_PERMIT, False),
    "!some(where (p_eft == deny))": (Algorithm.PERMIT_UNLESS_DENY, False),
    "some(where (p_eft == allow)) && !some(where (p_eft == deny))": (Algorithm.DENY_OVERRIDES, True),
    "priority(p_eft) || deny": (Algorithm.FIRST_APPLICABLE, True),
}
"""Casbin's effect expressions as algorithm and default deny."""

MAX_ROLE_LEVEL = 10
"""How far pycasbin follows role links by default."""


@dataclass(frozen=True, slots=True)
class AccessModel:
    """A parsed `.conf`: what a row holds, how a request meets a row, and how rows combine."""

    file: str
    fields: tuple[str, ...]
    algorithm: Algorithm
    default_deny: bool
    matcher: Condition
    roles: Mapping[str, int] = field(default_factory=dict)
    """Role definitions (`g`, `g2`), and how many names a link of each has: two, or three with a domain."""


@dataclass(frozen=True, slots=True)
class Row:
    """One policy row: its fields by name as text with their places, and its number within its file."""

    fields: Mapping[str, Text]
    span: Span
    number: int


@dataclass(slots=True)
class Rows:
    """All rows of a load: policy rows in order, and role links by definition (`g`, `g2`)."""

    policy: list[Row] = field(default_factory=list)
    links: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    def members(self, definition: str, role: str, domain: tuple[str, ...] = ()) -> frozenset[Scalar]:
        """Return every name that has `role` in `domain`, itself included, by the links up to pycasbin's level.

        A link holds in its own domain alone.
        """
        below: dict[str, list[str]] = {}
        for who, whose, *where in self.links.get(definition, ()):
            if tuple(where) == domain:
                below.setdefault(whose, []).append(who)
        found = edge = {role}
        for _ in range(MAX_ROLE_LEVEL - 1):  # the role itself is the first level
            edge = {who for name in edge for who in below.get(name, ())} - found
            found = found | edge
        return frozenset(found)


def read_model(
    text: str, file: str, lists: Mapping[str, frozenset[Scalar]], findings: Findings
) -> AccessModel | None:
    """Return the access model of a `.conf` text, its matcher parsed."""
    before = len(findings.errors)
    model, config = _load(text, file, findings)
    if model is None or config is None:
        return None
    for section, name in _extra(model):
        findings.error(
            _place(text, file, name), "unsupported", f"`{name}` in `{section}` is not supported; use one each"
        )
    effect = model["e"]["e"].value
    if effect not in EFFECTS:
        known = [e.replace("p_eft", "p.eft") for e in EFFECTS]
        hint = did_you_mean(effect.replace("p_eft", "p.eft"), known)
        message = f"effect `{effect.replace('p_eft', 'p.eft')}` is not supported"
        findings.error(_place(text, file, "e"), "unsupported", message, hint)
    fields = tuple(token.removeprefix("p_") for token in model["p"]["p"].tokens)
    if len(set(fields)) < len(fields) or not all(name.isidentifier() for name in fields):
        findings.error(_place(text, file, "p"), "model", f"row fields must be distinct names: {', '.join(fields)}")
    roles = _roles(model, text, file, findings)
    matcher_text = _matcher_text(_without_comment(config.get("matchers::m")), text, file)
    matcher = parse(matcher_text, Names(lists, fields=frozenset(fields)), findings)
    if len(findings.errors) > before or matcher is None:
        return None
    algorithm, default_deny = EFFECTS[effect]
    return AccessModel(file, fields, algorithm, default_deny, matcher, roles)


def _roles(model: Model, text: str, file: str, findings: Findings) -> dict[str, int]:
    roles: dict[str, int] = {}
    for name, definition in (model["g"] or {}).items():
        value = _without_comment(definition.value)
        roles[name] = len(value.split(","))
        if value.replace(" ", "") not in ("_,_", "_,_,_"):
            message = f"role definition `{name} = {value}` is not supported"
            hint = "use `_, _`, or `_, _, _` with a domain"
            findings.error(_place(text, file, name), "unsupported", message, hint)
    return roles


def _matcher_text(matcher: str, text: str, file: str) -> Text:
    """Return the matcher with the place of every character, also where backslashes carry it over lines."""
    first = _place(text, file, "m")
    starts = [0, *(m.end() for m in re.finditer("\n", text))]
    start = starts[first.line - 1] + first.column - 1
    blank = re.sub(r"\\(?=[ \t]*(?:\r?\n|$))", " ", text)
    pieces: list[tuple[int, int, int]] = []
    expected = -1
    for offset, at in enumerate(trace(matcher, blank, start, None)):
        if at != expected:
            line = bisect_right(starts, at)
            pieces.append((offset, line, at - starts[line - 1] + 1))
        expected = at + 1
    return Text(matcher, first, tuple(pieces))


def _load(text: str, file: str, findings: Findings) -> tuple[Model | None, Config | None]:
    model = Model()
    try:
        config = Config.new_config_from_text(text)
        model.load_model_from_text(text)
    except Exception as error:  # noqa: BLE001  # pycasbin raises RuntimeError and more on a bad text
        findings.error(Span(file), "model", f"not a Casbin model: {error}")
        return None, None
    missing = [name for key, name in Model.section_name_map.items() if key != "g" and not model[key]]
    for name in missing:
        findings.error(Span(file), "model", f"a Casbin model needs a section [{name}]")
    return (None, None) if missing else (model, config)


def _extra(model: Model) -> Iterable[tuple[str, str]]:
    for section in "rpem":
        yield from ((Model.section_name_map[section], name) for name in model[section] if name != section)


def _place(text: str, file: str, key: str) -> Span:
    """Return where the value of `key` starts in a `.conf` text."""
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(rf"\s*{key}\s*=\s*", line)
        if match:
            return Span(file, number, match.end() + 1, len(line) - match.end())
    return Span(file)


def _without_comment(text: str) -> str:
    """Cut a `#` comment off a matcher, but not one inside a string."""
    match = re.match(r"""(?:[^#"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*+""", text)
    cut = match.end() if match else len(text)
    return text[:cut].strip() if text[cut : cut + 1] == "#" else text


def read_rows(text: str, file: str, model: AccessModel, rows: Rows, findings: Findings) -> None:
    """Add the rows of a policy text to `rows`, each checked against the model's definitions."""
    number = 0
    for at, line in enumerate(text.split("\n"), 1):
        span = Span(file, at)
        if len(line) > MAX_ROW:
            findings.error(span, "row-too-long", f"row of {len(line):,} characters; at most {MAX_ROW:,}")
            continue
        cut = _cut(line, span, model, findings)
        if cut is None:
            continue
        key, values = cut
        if key != "p":
            if len(values) == model.roles[key] and all(values):
                rows.links.setdefault(key, []).append(tuple(values))
            else:
                wanted = model.roles[key]
                findings.error(span, "row", f"a link of `{key}` has {wanted} names; this row has {len(values)}")
            continue
        number += 1
        if (row := _row(line, values, span, number, model, findings)) is not None:
            rows.policy.append(row)


def _cut(line: str, span: Span, model: AccessModel, findings: Findings) -> tuple[str, list[str]] | None:
    """Cut one line as pycasbin does; None for blank lines and comments, and where a finding was noted."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    key = line.split(",", 1)[0].strip()
    known = ("p", *model.roles)
    if key not in known:
        hint = did_you_mean(key, known)
        findings.error(span, "row", f"row starts with `{key[:40]}`, which the model does not define", hint)
        return None
    holder = Model()
    holder.add_def(key[0], key, "a, b")
    try:
        load_policy_line(line.strip(), holder)
    except IndexError:
        at = moved(span, unpaired(line))
        findings.error(at, "row", "this bracket closes nothing, so the row cannot be cut into fields")
        return None
    return key, list(holder[key[0]][key].policy[0])


def unpaired(row: str) -> int:
    """Return where the bracket stands, from 0, on which pycasbin fails to cut a row: one that closes nothing.

    >>> unpaired("p, a) or (b, read")
    4
    """
    opened = at = 0
    for at, character in enumerate(row):  # noqa: B007  # where it ends is what is asked
        opened += (character in "([") - (character in ")]")
        if opened < 0:
            break
    return at


def _row(
    line: str, values: list[str], span: Span, number: int, model: AccessModel, findings: Findings
) -> Row | None:
    if len(values) != len(model.fields):
        wanted = ", ".join(model.fields)
        message = f"row has {len(values)} fields; the model's rows have {len(model.fields)} ({wanted})"
        findings.error(span, "row", message)
        return None
    fields: dict[str, Text] = {}
    at = line.find(",") + 1
    for name, value in zip(model.fields, values, strict=True):
        at = line.find(value, at)
        fields[name] = Text(value, Span(span.file, span.line, at + 1, len(value)))
        at += len(value)
    row = Row(fields, span, number)
    return row if _sound(row, findings) else None


def _sound(row: Row, findings: Findings) -> bool:
    effect, priority = row.fields.get("eft"), row.fields.get("priority")
    if effect is not None and effect.value not in ("allow", "deny"):
        hint = did_you_mean(effect.value, ("allow", "deny"))
        findings.error(effect.span, "row", f"effect `{effect.value}` is neither `allow` nor `deny`", hint)
        return False
    if priority is not None and not (priority.value.isdecimal() and priority.value.isascii()):
        findings.error(priority.span, "row", f"priority `{priority.value}` is not a whole number")
        return False
    return True


_SPLIT = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\b([rp]\d*)_(\w+)""")


def dotted(text: str, names: Collection[str]) -> str:
    """Return a text in which pycasbin's own spelling `r_sub` of the given names is `r.sub` again.

    Strings are left alone, and every character keeps its place.

    >>> dotted("r_sub.age > 3 && r_subject == 'r_sub'", ["r_sub"])
    "r.sub.age > 3 && r_subject == 'r_sub'"
    """

    def one(match: re.Match[str]) -> str:
        word = match.group()
        return f"{match[2]}.{match[3]}" if match[1] is None and word in names else word

    return _SPLIT.sub(one, text)


def in_order(rows: list[Row]) -> list[Row]:
    """Sort rows by their `priority` field if they have one, lowest first, as pycasbin does; stable."""
    if rows and "priority" in rows[0].fields:
        return sorted(rows, key=lambda row: int(row.fields["priority"].value))
    return rows


def fields_read(condition: Condition) -> tuple[set[str], set[str]]:
    """Return the row fields that a matcher reads as values, and those it evaluates as rule text."""
    plain = {n.name for n in walk(condition) if isinstance(n, Field)}
    return plain, {n.name for n in walk(condition) if isinstance(n, Definition) and n.kind == "rule"}

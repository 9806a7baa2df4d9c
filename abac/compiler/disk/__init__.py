"""A program as text: two lines of JSON, the first about the second.

The second line holds everything that decides in its canonical form, and beside it what people are told. The first
has the format's name, the revision, and the length and the SHA-256 of the second's exact bytes: any tool for
digests can check it. Nothing in a file is ever executed; nothing of it is believed before its digest fits, and
then all of it is read as if a stranger had written it. A digest guards against accident only: whoever changes a
file can digest it again, so who must be sure compares the *revision* with one known from elsewhere. Reading and
writing the file itself is the service's part.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from abac.compiler.canonical import Deciding, canonical_form
from abac.compiler.canonical.nodes import canonical_json
from abac.compiler.disk.source import At, Refused
from abac.compiler.disk.told import Told, put_back, told_form
from abac.compiler.disk.tree import read_form
from abac.compiler.program import MEANING, Program, assemble
from abac.condition.functions import SHIPPED, Function
from abac.errors import CompileError, Diagnostic, Span
from abac.policy.rule import PolicySet

FORMAT = "abac-program/1"


def program_text(program: Program) -> str:
    """Return a program as text that `read_program_text` gives the same program back from.

    Raises `CompileError` for a program that JSON cannot say whole, such as one with an obligation whose parameters
    are objects: what cannot be read back is never written.
    """
    parts = _parts(program)
    warnings = program.warnings
    try:
        form = {"decides": canonical_form(parts, MEANING), "told": told_form(parts, warnings)}
        body = canonical_json(form)
        again = _read(json.loads(body), program.functions)
    except (TypeError, ValueError, RecursionError) as error:
        raise _error("<program>", 0, "program", f"cannot be written as JSON: {error}") from None
    except Refused as refused:
        raise _error("<program>", 0, refused.path, refused.message) from None
    if again != Told(parts, warnings):
        raise _error("<program>", 0, "program", "holds what JSON cannot say exactly, such as a tuple")
    head = {
        "format": FORMAT,
        "meaning": MEANING,
        "revision": program.revision,
        "bytes": len(body),
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
    }
    return f"{json.dumps(head)}\n{body}\n"


def read_program_text(
    text: str, file: str = "<text>", functions: Iterable[Function] = (), revision: str | None = None
) -> Program:
    """Return the program of a text.

    `functions` are those that the program was compiled with, besides the shipped ones: each it names must be
    there, in the version it names. With `revision`, no other is taken. Raises `CompileError` with the place of the
    first thing wrong: the line, and the way to the value.
    """
    first, _, rest = text.partition("\n")
    body = rest.removesuffix("\n")
    head = _head(first, file)
    if (
        len(body) != head["bytes"]
        or hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest() != head["sha256"]
    ):
        told = f"{len(body):,} of {head['bytes']:,} characters" if len(body) != head["bytes"] else "changed"
        raise _error(file, 2, "program", f"not as it was written: {told}; its SHA-256 does not fit")
    if revision is not None and head["revision"] != revision:
        raise _error(file, 1, "head.revision", f"is {head['revision']}, wanted {revision}")
    offered = dict(SHIPPED) | {f.name: f for f in functions}
    try:
        whole = _read(_loads(body), offered)
    except Refused as refused:
        raise _error(file, 2, refused.path, refused.message) from None
    program = _assemble(whole)
    if program.revision != head["revision"]:
        message = f"comes to revision {program.revision}, and its first line says {head['revision']}"
        raise _error(file, 1, "head.revision", message)
    return program


def _parts(program: Program) -> Deciding:
    return Deciding(
        program.schema,
        program.root,
        dict(program.functions),
        tuple(program.directives),
        dict(program.persons),
        dict(program.lists),
    )


def _read(value: Any, offered: Any) -> Told:
    try:
        said = At(value).fields("decides", "told")
        return put_back(read_form(said["decides"], offered, MEANING), said["told"])
    except RecursionError:
        raise Refused("program", "nested too deep for the stack it is read on") from None


def _assemble(whole: Told) -> Program:
    parts = whole.parts
    root = (
        parts.root if isinstance(parts.root, PolicySet) else PolicySet("root", parts.root.algorithm, (parts.root,))
    )
    return assemble(
        parts.schema,
        root,
        parts.functions,
        directives=parts.directives,
        persons=parts.persons,
        lists=parts.lists,
        warnings=whole.warnings,
    )


def _head(line: str, file: str) -> dict[str, Any]:
    try:
        head = At(_loads(line[:10_000]), "head")
        said = head.fields("format", "meaning", "revision", "bytes", "sha256")
        if said["format"].text() != FORMAT:
            said["format"].refuse(f"`{said['format'].value[:40]}` is not {FORMAT}")
        if said["meaning"].whole() != MEANING:
            message = f"decides by meaning {said['meaning'].value}; this abac knows meaning {MEANING} only"
            said["meaning"].refuse(message)
        said["bytes"].whole(), said["sha256"].text(), said["revision"].text()
    except Refused as refused:
        raise _error(file, 1, refused.path, refused.message) from None
    return head.value  # type: ignore[no-any-return]  # an object, as just asked


def _loads(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Refused("program", f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError as error:  # a number of too many digits
        raise Refused("program", str(error)) from None
    except RecursionError:
        raise Refused("program", "nested too deep") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(word: str) -> Any:
    raise ValueError(f"`{word}` is not a JSON number")


def _error(file: str, line: int, path: str, message: str) -> CompileError:
    return CompileError([Diagnostic(Span(file, line), "program", f"{path}: {message}")])

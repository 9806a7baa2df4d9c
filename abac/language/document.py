"""Documents with a published JSON Schema: validate one and report every breach at its line and column.

The schemas are in `schemas/`, one file per kind of document, JSON Schema draft 2020-12. What a sound document
means is the part of the module that reads it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from abac.errors import Findings, did_you_mean
from abac.language.yaml_source import Document


@cache
def json_schema(kind: str) -> dict[str, Any]:
    """Return the published JSON Schema of a kind of document (`directive`, `person`, `list`, `scenario`)."""
    text = resources.files("abac.language").joinpath(f"schemas/{kind}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def validate(document: Document, kind: str, findings: Findings) -> bool:
    """Note every breach of the kind's schema; return whether there was none."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # heavy, and only documents need it

    sound = True
    for error in Draft202012Validator(json_schema(kind)).iter_errors(document.value):
        sound = False
        _note(error, document, findings)
    return sound


def _note(error: Any, document: Document, findings: Findings) -> None:
    path = tuple(error.absolute_path)
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        for key in error.instance:
            if key not in known:
                hint = did_you_mean(str(key), known)
                findings.error(document.span(*path, key), "unknown-key", f"unknown key `{key}`", hint)
        return
    where = ".".join(map(str, path)) or "document"
    choices = error.validator_value if error.validator == "enum" else ()
    hint = did_you_mean(str(error.instance), map(str, choices))
    findings.error(document.span(*path), "document", f"{where}: {_short(error.message)}", hint)


def _short(message: str) -> str:
    return message if len(message) <= 200 else message[:197] + "..."  # noqa: PLR2004  # a line or two

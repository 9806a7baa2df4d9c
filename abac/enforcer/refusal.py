"""Refuse rule text that is not exactly one condition, however it arrives, with its place.

Only syntax is asked here, before a row is stored or right after it was loaded; types need all rows, and are asked
when the rows are compiled.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from casbin.persist.adapter import _extract_tokens
from casbin.util import util

from abac.enforcer.grammar import (
    Context,
    Grammar,
    evaluates,
    place_of_unpaired,
    read_grammar,
    row_in_file,
    row_texts,
)
from abac.errors import CompileError, Diagnostic, Findings


def check_rows(model: Any, section: str, ptype: str, rows: Iterable[Any], adapter: Any = None) -> None:
    """Raise `CompileError` with every row whose rule text is no condition of the model's requests."""
    if section != "p" or ptype not in (model["p"] or {}):
        return
    findings = Findings()
    for grammar in _grammars(model, ptype):
        for number, row in enumerate(rows, 1):
            if isinstance(row, list | tuple) and len(row) == len(grammar.fields):
                _check(grammar, ptype, row, number, adapter, findings)
    findings.raise_errors()


def check_model(model: Any, adapter: Any) -> None:
    """Raise `CompileError` with every row of a model whose rule text is no condition."""
    for ptype, assertion in (model["p"] or {}).items():
        check_rows(model, "p", ptype, assertion.policy, adapter)


@contextmanager
def placed(adapter: Any) -> Iterator[None]:
    """Turn pycasbin's `IndexError` on a row with unpaired brackets into a `CompileError` with the row's place."""
    try:
        yield
    except IndexError as error:
        line = _being_cut(error)
        if line is None:
            raise
        message = f"brackets do not pair up in the row `{line[:80]}`, so it cannot be cut into fields"
        raise CompileError([Diagnostic(place_of_unpaired(line, adapter), "row", message)]) from None


def _being_cut(error: IndexError) -> str | None:
    """Return the row that pycasbin was cutting when it met the brackets, whichever adapter it came from."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code is _extract_tokens.__code__:
            return str(frame.f_locals["line"])
    return None


def _grammars(model: Any, ptype: str) -> Iterable[Grammar]:
    """Yield the grammar of each matcher that evaluates rule text in rows of this kind."""
    for name, assertion in (model["m"] or {}).items():
        fields = util.get_eval_value(assertion.value) if evaluates(assertion.value) else []
        if not any(field.strip().startswith(f"{ptype}_") for field in fields):
            continue
        suffix = name.removeprefix("m")
        rtype = f"r{suffix}" if f"r{suffix}" in (model["r"] or {}) else "r"
        if rtype not in (model["r"] or {}):
            continue
        tokens = model["r"][rtype].tokens, model["p"][ptype].tokens
        grammar = read_grammar(assertion.value, *tokens, Context(rtype, ptype, name), Findings())
        if grammar is not None:
            yield grammar


def _check(grammar: Grammar, ptype: str, row: Any, number: int, adapter: Any, findings: Findings) -> None:
    if not all(isinstance(value, str) for value in row):
        return  # refused when compiled
    texts = row_texts(row, grammar.fields, ptype, number)
    attempt = Findings()
    for name in grammar.rules:
        grammar.rule(texts[name], attempt)
    if not attempt.errors:
        return
    placed = row_in_file(row, grammar.fields, ptype, adapter)
    if placed is not None:
        attempt = Findings()
        for name in grammar.rules:
            grammar.rule(placed[name], attempt)
    findings.add(*attempt.errors)

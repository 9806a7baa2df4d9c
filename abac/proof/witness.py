"""From what refutes a property to what is shown: as little as matters, replayed, and as a request file.

Minimising asks the engine, and what it leaves is put to the reference; neither asks the solver.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from abac.compiler.program import Program
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, Category
from abac.condition.types import Value
from abac.pdp.decide import decide
from abac.policy import reference
from abac.policy.decision import Outcome
from abac.policy.request import UNTRUSTED, Request, assertions
from abac.proof.answer import Case, Replayed

Broken = Callable[[Case], bool]
"""Whether a case breaks the property."""


def minimised(case: Case, broken: Broken, halted: Callable[[], bool]) -> Case:
    """Return a case that still breaks the property, without what does not matter to that."""
    given = dict(case.asserted)
    for path in list(given):
        for simpler in ({}, *({path: one} for one in _simpler(given[path]))):
            tried = {p: a for p, a in given.items() if p != path} | simpler
            if not halted() and broken(replace(case, asserted=tried)):
                given = tried
                break
        if path in given and isinstance(given[path].value, frozenset):
            given = _fewer(given, path, lambda tried: not halted() and broken(replace(case, asserted=tried)))
    return replace(case, asserted=given)


def _simpler(one: Assertion) -> Iterator[Assertion]:
    """Yield the same value founded better: as well as can be, then completely."""
    yield Assertion(one.value, Assurance.VERIFIED)
    if isinstance(one.value, frozenset):
        yield Assertion(one.value, one.assurance)
        yield Assertion(one.value, Assurance.VERIFIED, complete=False)
        yield Assertion(one.value, one.assurance, complete=False)


def _fewer(
    given: dict[str, Assertion], path: str, breaks: Callable[[dict[str, Assertion]], bool]
) -> dict[str, Assertion]:
    """Leave out elements of a set one by one."""
    held: frozenset[Any] = given[path].value  # type: ignore[assignment]  # a set
    for element in sorted(held):
        tried = _without(given, path, element)
        if breaks(tried):
            given = tried
    return given


def forgotten_least(
    case: Case,
    broken: Broken,
    unknown: Callable[[Case], Collection[str]],
    last: Callable[[str], bool],
    halted: Callable[[], bool],
    kept: Collection[str],
) -> Case:
    """Return a case about a person of whom as much is known as can be, and that still breaks the property.

    What `last` says is made known after all else, so that what stays unknown is what the property turns on. What
    is known and does not matter goes, but for what is `kept`, and where it would leave more `unknown` to the
    decision.
    """
    assert case.true is not None  # noqa: S101  # about a person
    given = dict(case.asserted)
    for path in sorted(case.true, key=last):
        tried = given | {path: case.true[path]}
        if not halted() and broken(replace(case, asserted=tried)):
            given = tried
    true, left = dict(case.true), set(unknown(Case(given, case.true)))
    for path in [p for p in true if p not in kept]:
        less = {p: a for p, a in true.items() if p != path}
        smaller = Case({p: a for p, a in given.items() if p != path}, less)
        if path in given and not halted() and broken(smaller) and set(unknown(smaller)) <= left:
            true, given = dict(smaller.true or {}), dict(smaller.asserted)
        elif path not in given and not halted() and broken(Case(given, less)):
            true = less
    return _fewer_true(Case(given, true), broken, halted)


def _fewer_true(case: Case, broken: Broken, halted: Callable[[], bool]) -> Case:
    """Leave out elements of true sets, and of what is asserted of them."""
    for path, one in (case.true or {}).items():
        for element in sorted(one.value) if isinstance(one.value, frozenset) else ():
            tried = Case(_without(case.asserted, path, element), _without(case.true or {}, path, element))
            if not halted() and broken(tried):
                case = tried
    return case


def _without(given: Mapping[str, Assertion], path: str, element: Any) -> dict[str, Assertion]:
    one = given.get(path)
    if one is None or not isinstance(one.value, frozenset):
        return dict(given)
    own = tuple((e, a) for e, a in one.elements if e != element)
    return dict(given) | {path: replace(one, value=one.value - {element}, elements=own)}


def by_engine(program: Program, given: Mapping[str, Assertion]) -> Outcome:
    """Return what the engine decides: the same as the reference, and much faster."""
    return decide(program, as_request(given))


# --- replaying -------------------------------------------------------------------------------------------


def replayed(program: Program, request: Request, name: str = "") -> Replayed:
    """Decide a request by the engine and by the reference; they must agree, or it is a fault of ours."""
    outcome = decide(program, request)
    given = assertions(request, program.schema)
    expected = reference.decide(program.root, given, program.functions, revision=program.revision)
    assert outcome == expected, (request, outcome, expected)  # noqa: S101  # held by the agreement tests
    return Replayed(name, outcome)


def as_request(given: Mapping[str, Assertion]) -> Request:
    """Return the request that asserts exactly this, whatever the defaults of whoever takes it."""
    return Request(**request_json(given), source=UNTRUSTED)


def request_json(given: Mapping[str, Assertion]) -> dict[str, Any]:
    """Return a request as the JSON that `abac decide` takes; each assertion says how well founded it is."""
    parts: dict[str, dict[str, Any]] = {}
    for category in Category:
        own = {p: a for p, a in given.items() if p.startswith(f"{category.value}.")}
        if own:
            parts[category.value] = {p.split(".", 1)[1]: _assertion(a) for p, a in own.items()}
    return parts


def _assertion(one: Assertion) -> dict[str, Any]:
    told: dict[str, Any] = {"value": _value(one.value), "assurance": str(one.assurance)}
    if isinstance(one.value, frozenset):
        own = dict(one.elements)
        told["value"] = [
            {"value": _value(e), "assurance": str(own[e])} if e in own else _value(e) for e in sorted(one.value)
        ]
        told["complete"] = one.complete
    return told


def _value(value: Value) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def outcome_json(one: Replayed) -> dict[str, Any]:
    """Return a replayed outcome as a JSON object."""
    outcome: Outcome = one.outcome
    return {
        "program": one.name,
        "decision": outcome.decision.value,
        "reasons": [str(r) for r in outcome.reasons],
        "unknown": list(outcome.unknown),
        "obligations": [o.id for o in outcome.obligations],
        "advice": [o.id for o in outcome.advice],
        "revision": outcome.revision,
    }

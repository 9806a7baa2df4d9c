"""Programs, stores and requests that the tests of recording share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from abac.audit.entry import Entry, read_entry
from abac.audit.merkle import Frontier, leaf_hash
from abac.bootstrap import Settings, open_store
from abac.compiler.link import directive_policy
from abac.compiler.program import Program, assemble
from abac.condition.expr import Attribute, Comparison, Condition, Constant, Literal, Order
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.truth import TRUE
from abac.condition.types import DATETIME, STRING, SetType
from abac.policy.decision import Effect
from abac.policy.directive import Clause, ClauseKind, Directive, Event, Exemption, StatusEvent
from abac.policy.request import Request
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from abac.service.store import Store

SCHEMA = Schema.of(
    [
        AttributeDefinition(Category.SUBJECT, "id", STRING),
        AttributeDefinition(Category.SUBJECT, "nations", SetType(STRING), sensitive=True),
        AttributeDefinition(Category.SUBJECT, "birthplace", STRING, sensitive=True),
        AttributeDefinition(Category.SUBJECT, "residence", STRING, sensitive=True),
        AttributeDefinition(Category.SUBJECT, "origin", STRING, sensitive=True),
        AttributeDefinition(Category.SUBJECT, "tier", STRING),
        AttributeDefinition(Category.RESOURCE, "id", STRING),
        AttributeDefinition(Category.ACTION, "name", STRING),
        AttributeDefinition(Category.ENVIRONMENT, "now", DATETIME),
    ]
)
NOW = datetime(2026, 6, 20, tzinfo=UTC)
SINCE = datetime(2026, 6, 12, tzinfo=UTC)


def is_(category: Category, name: str, value: str) -> Condition:
    return Comparison(Order.EQUAL, Attribute(category, name, STRING), Constant(value, STRING))


def model(name: str) -> Condition:
    return is_(Category.RESOURCE, "id", name)


ALWAYS = Literal(TRUE)


def directive(
    name: str = "d1",
    *,
    binding: bool = True,
    subject: Condition = ALWAYS,
    events: tuple[StatusEvent, ...] | None = None,
    exemptions: tuple[Exemption, ...] = (),
    kind: ClauseKind = ClauseKind.DENY,
) -> Directive:
    """A directive on the model `fable`, about whom `subject` says."""
    started = (StatusEvent(Event.EFFECTIVE, SINCE, SINCE),)
    clause = Clause("c", kind, subject, model("fable"), ALWAYS)
    return Directive(name, "broad", binding, (clause,), exemptions, started if events is None else events)


FRENCH = is_(Category.SUBJECT, "birthplace", "FR")


def program(*directives: Directive, extra: str = "") -> Program:
    """Everybody of tier `gold` may use everything that no directive denies."""
    rows = Policy(
        "rows",
        Algorithm.DENY_OVERRIDES,
        (Rule(f"gold{extra}", Effect.PERMIT, is_(Category.SUBJECT, "tier", "gold")),),
    )
    children = (directive_policy(directives, None), rows) if directives else (rows,)
    return assemble(SCHEMA, PolicySet("root", Algorithm.DENY_OVERRIDES, children), {}, directives=directives)


def asking(
    who: str = "ada", what: str = "other", born: str | None = "US", tier: str = "gold", now: datetime = NOW
) -> Request:
    subject = {"id": who, "nations": ["US", born or "US"], "residence": "US", "origin": "X", "tier": tier}
    return Request(subject | ({} if born is None else {"birthplace": born}), "invoke", {"id": what}, {"now": now})


def opened(folder: Path) -> Store:
    return open_store(Settings(database=f"sqlite:///{folder}/log.db"))


def entries(store: Store) -> list[Entry]:
    """The whole log, its bytes held to its tree and its places."""
    stored = list(store.log.entries())
    head = store.log.head()
    frontier = Frontier().extend(leaf_hash(one.bytes) for one in stored)
    read = [read_entry(one.bytes) for one in stored]
    assert [e.seq for e in read] == [s.seq for s in stored] == list(range(len(stored)))
    assert [e.uuid for e in read] == [s.id for s in stored]
    assert [e.integrated_at for e in read] == sorted(e.integrated_at for e in read)
    if head is not None:
        assert head.size == len(stored)
        assert Frontier.from_bytes(head.size, head.frontier).root() == frontier.root()
    else:
        assert not stored
    return read


def decisions(store: Store) -> list[Entry]:
    return [e for e in entries(store) if e.kind == "decision"]

"""The index of a program: per attribute and value, which rules are ruled out, and which are not certain.

A rule is split into conjuncts. What reads one attribute goes into that attribute's `table`, where the value of a
request finds its mask (`masks`) in one look-up; what reads more is split into `parts`, or else a closure, asked
only for the rules still standing. So a decision costs a look-up and an OR per attribute, whatever the number of
rules; `pages` keeps the masks short where there are many. An index never changes; `succession` makes the next one
from it without sorting the rules again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from abac.backends.closure import Test, lower
from abac.compiler.index.layer import layer
from abac.compiler.index.masks import Mask, bits, lane, toggled
from abac.compiler.index.pages import Pages, laid_out
from abac.compiler.index.parts import split
from abac.compiler.index.table import Table
from abac.condition.expr import And, Condition, attributes
from abac.condition.functions import Function
from abac.condition.schema import Category, Schema
from abac.policy.rule import ObligationRule, Policy, PolicySet, Rule, policies

__all__ = ["GAP", "Index", "Members", "Slot", "bits", "build", "conjuncts", "extended", "in_order"]

Slot = Rule | ObligationRule

GAP = 1 << 20
"""How far the ranks of neighbouring rules lie apart, so that others fit between them."""

LAYERS = 8
"""More layers than this on one attribute are made one."""


@dataclass(frozen=True, slots=True)
class Members:
    """The slots of one policy: its rules by effect, and its obligation rules."""

    permits: Mask
    denies: Mask
    riders: Mask


@dataclass(frozen=True, slots=True)
class Index:
    """The rules of a program by slot, and the tables of its attributes.

    The first rule has the highest slot. Rules added later have slots below all others (`strays`); `rank` says
    where they stand. Where there are `pages`, slots go by page, and every rule is a stray. `free` is the number of
    slots left. `members` are the policies' slots in the order of the tree. `start` is what conjuncts without
    attributes say. `closures` are the conjuncts that no table can answer alone, of the rules `closed`; `several`
    are the rules that have one over several attributes, `owing` those with obligations. A rule in several `parts`
    has a slot for each: `split` are their slots, `leading` has the first for each of the others.
    """

    capacity: int
    free: int
    rules: Mapping[int, Slot]
    rank: Mapping[int, int]
    strays: Mask
    members: tuple[Members, ...]
    schema: Schema
    functions: Mapping[str, Function]
    tables: Mapping[str, Table]
    start: Mask
    closures: Mapping[int, tuple[tuple[Condition, Test], ...]]
    closed: Mask
    several: Mask
    owing: Mask
    pages: Pages | None = None
    leading: Mapping[int, int] = field(default_factory=dict)
    split: Mask = 0

    @property
    def held(self) -> Mask:
        """The slots that hold a rule."""
        found = 0
        for own in self.members:
            found |= own.permits | own.denies | own.riders
        return found

    @property
    def attributes(self) -> frozenset[str]:
        """The full names of all attributes that a rule reads."""
        several = (attributes(condition) for tests in self.closures.values() for condition, _ in tests)
        own = (path for path, table in self.tables.items() if table.layers)
        return frozenset(own).union(*several)

    def reads(self, category: Category) -> list[tuple[str, Table]]:
        """Return the attributes of a category whose tables have conjuncts, by name."""
        of = (d for d in self.schema if d.category is category)
        return [(d.name, self.tables[d.path]) for d in of if self.tables[d.path].layers]

    def in_order(self, mask: Mask) -> list[int]:
        """Return the slots of a mask in the order of their rules, the first for a rule that has several."""
        return self.ordered(bits(mask))

    def ordered(self, slots: list[int]) -> list[int]:
        """Return slots, highest first, in the order of their rules, the first for a rule that has several."""
        if self.leading:
            slots = list(dict.fromkeys([self.leading.get(n, n) for n in slots]))
        return sorted(slots, key=self.rank.__getitem__) if self.strays and len(slots) > 1 else slots

    def merged(self, mask: Mask) -> Mask:
        """Return a mask with the first slot of every rule that has any of its slots in it."""
        for n in bits(mask & self.split):
            mask = mask & ~(1 << n) | 1 << self.leading.get(n, n)
        return mask


def build(root: Policy | PolicySet, schema: Schema, functions: Mapping[str, Function]) -> Index:
    """Give the rules of a tree their slots and sort their conjuncts."""
    each = list(policies(root))
    slots: list[Slot] = []
    for policy in each:
        slots += policy.rules
        slots += policy.obligation_rules
    free = min(512, max(16, len(slots) // 8))
    whole = in_order(root)
    parts = [[own] if whole else split(own) for own in (conjuncts(slot.condition) for slot in slots)]
    flat = [part for own in parts for part in own]
    laid = None if whole else laid_out(flat, schema, free)
    pages, numbers = laid or (None, list(range(free + len(flat) - 1, free - 1, -1)))
    capacity = len(flat) + free if pages is None else pages.capacity
    following = iter(numbers)
    taken = [[next(following) for _ in own] for own in parts]
    numbered = {n: slot for slot, own in zip(slots, taken, strict=True) for n in own}
    several = [own for own in taken if len(own) > 1]
    index = Index(
        capacity,
        free,
        rules={},
        rank={n: place * GAP for place, own in enumerate(taken) for n in own},
        strays=0 if pages is None else (1 << capacity) - 1,
        members=tuple(_members(each, iter(taken), capacity)),
        schema=schema,
        functions=functions,
        tables={d.path: Table(d, (), capacity) for d in schema},
        start=0,
        closures={},
        closed=0,
        several=0,
        owing=0,
        pages=pages,
        leading={n: own[0] for own in several for n in own[1:]},
        split=toggled(0, (n for own in several for n in own), capacity),
    )
    return extended(index, numbered, dict(zip(numbers, flat, strict=True)))


def _members(each: Iterable[Policy], taken: Iterator[Sequence[int]], capacity: int) -> Iterator[Members]:
    """Yield the slots of each policy: it takes those of its rules, then those of its obligation rules."""
    for policy in each:
        by_effect: dict[str, list[int]] = {"PERMIT": [], "DENY": []}
        for rule in policy.rules:
            by_effect[rule.effect.value] += next(taken)
        riders = [n for _ in policy.obligation_rules for n in next(taken)]
        yield Members(*(toggled(0, own, capacity) for own in (*by_effect.values(), riders)))


def in_order(node: Policy | PolicySet) -> bool:
    """Whether any policy goes in order; slots must then fall as its rules follow one another."""
    if isinstance(node, Policy):
        return node.algorithm.in_order
    return any(in_order(child) for child in node.children)


def extended(index: Index, added: Mapping[int, Slot], parts: Mapping[int, Sequence[Condition]]) -> Index:
    """Return the index with more rules, their conjuncts sorted into one more layer of the tables they read."""
    capacity, functions = index.capacity, index.functions
    alone: dict[str, dict[int, list[Condition]]] = {}
    closures: dict[int, list[tuple[Condition, Test]]] = {}
    fixed: set[int] = set()
    several = []
    for number, own in parts.items():
        for conjunct in own:
            read = attributes(conjunct)
            if len(read) == 1:
                alone.setdefault(next(iter(read)), {}).setdefault(number, []).append(conjunct)
                continue
            test = lower(conjunct, functions)
            if read:
                several.append(number)
            else:
                fixed.update(lane(number, test({}), capacity))
            closures.setdefault(number, []).append((conjunct, test))
    tables = dict(index.tables)
    for path, held in alone.items():
        tables[path] = _layered(tables[path], held, functions)
        for number, tests in tables[path].layers[-1].closures.items():
            if number in held:
                closures.setdefault(number, []).extend(tests)
    return replace(
        index,
        rules={**index.rules, **added},
        tables=tables,
        start=index.start | toggled(0, fixed, 2 * capacity),
        closures={**index.closures, **{n: tuple(tests) for n, tests in closures.items()}},
        closed=index.closed | toggled(0, closures, capacity),
        several=index.several | toggled(0, set(several), capacity),
        owing=index.owing | toggled(0, (n for n, slot in added.items() if slot.obligations), capacity),
    )


def _layered(table: Table, held: dict[int, list[Condition]], functions: Mapping[str, Function]) -> Table:
    layers = table.layers
    if len(layers) > LAYERS:
        late = {n: c for one in layers[1:] for n, c in one.conjuncts.items()}
        layers, held = layers[:1], late | held
    return Table(
        table.definition, (*layers, layer(table.definition, held, functions, table.capacity)), table.capacity
    )


def conjuncts(condition: Condition) -> Sequence[Condition]:
    """Return the conditions that must all hold."""
    return condition.operands if isinstance(condition, And) else (condition,)

"""The nodes of a graph connected over a block of rows at a time: planes that are made there never leave the cache.

A plan is made once and gone through for every block. What an atom comes to was found before, for all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from abac.backends.columnar.bits import Bits, Block, Found, all_of, any_of, constant
from abac.condition.expr import And, Or
from abac.condition.truth import Truth

Node = int
"""A place in a graph. The first three are the literals, at the number of their truth."""
LITERALS = len(Truth)

Chain = type[And | Or]
Join = Callable[[Chain, list[Node]], Node]
"""Makes a node of a chain."""

Parts = tuple[Chain | None, tuple[Node, ...]]
"""What a node is made of: a chain of nodes; or one that it negates, with no kind; an atom of nothing."""


class _Step(NamedTuple):
    """A node to be connected, what it is made of, and what is not needed after it."""

    node: Node
    kind: Chain | None
    operands: tuple[Node, ...]
    done: tuple[Node, ...]


class Plan:
    """The order in which nodes, and all below them, are connected: each late, and let go after its last use."""

    def __init__(self, asked: Collection[Node], parts: Callable[[Node], Parts]) -> None:
        order = list(_from_below(asked, parts))
        self.leaves: list[Node] = [node for node, (_, operands) in order if node >= LITERALS and not operands]
        kept = set(asked)
        last = {below: node for node, (_, operands) in order for below in operands if below not in kept}
        self._steps = [
            _Step(node, kind, operands, tuple(o for o in operands if last.get(o) == node))
            for node, (kind, operands) in order
        ]

    def over(self, found: Mapping[Node, Found], block: Block) -> dict[Node, Bits]:
        """Return the truths of the nodes asked for on a block, from what was found of the leaves on all rows."""
        truths: dict[Node, Bits] = {}
        for node, kind, operands, done in self._steps:
            if not operands:
                literal = node < LITERALS
                truths[node] = constant(Truth(node), block.rows) if literal else found[node].bits(block.words)
            elif kind is None:
                truths[node] = ~truths[operands[0]]
            else:
                join = all_of if kind is And else any_of
                truths[node] = join([truths[o] for o in operands])
            for below in done:
                del truths[below]
        return truths


def _from_below(asked: Iterable[Node], parts: Callable[[Node], Parts]) -> Iterator[tuple[Node, Parts]]:
    """Yield nodes and all below them, each after its operands and right before what first needs it."""
    seen: set[Node] = set()
    stack: list[tuple[Node, Parts | None]] = [(node, None) for node in sorted(asked, reverse=True)]
    while stack:
        node, made_of = stack.pop()
        if made_of is not None:
            yield node, made_of
        elif node not in seen:
            seen.add(node)
            made_of = parts(node)
            stack.append((node, made_of))
            stack += [(below, None) for below in reversed(made_of[1]) if below not in seen]


def gathered(asked: Collection[Node], parts: Callable[[Node], Parts], join: Join) -> dict[Node, Node]:
    """Return a node of the same truths for each: operands that stand in just the same chains are joined once.

    Rules about the same models stand, for every request, in the same disjunctions.
    """
    chains = {node: (kind, operands) for node in asked for kind, operands in (parts(node),) if kind}
    within: dict[tuple[Chain, Node], list[Node]] = {}
    for node, (kind, operands) in chains.items():
        for operand in operands:
            within.setdefault((kind, operand), []).append(node)
    together: dict[tuple[Chain, tuple[Node, ...]], list[Node]] = {}
    for (kind, operand), nodes in within.items():
        together.setdefault((kind, tuple(nodes)), []).append(operand)
    fewer: dict[Node, list[Node]] = {node: [] for node in chains}
    for (kind, alike), several in together.items():
        joined = [join(kind, several)] if len(several) > 1 and len(alike) > 1 else several
        for node in alike:
            fewer[node] += joined
    made = {node: few[0] if len(few) == 1 else join(chains[node][0], few) for node, few in fewer.items()}
    return {node: made.get(node, node) for node in asked}

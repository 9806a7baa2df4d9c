"""The second half of the quick function: from the joined masks, in two truths, to a remembered outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from abac.compiler.index import Index, Members
from abac.compiler.outcomes import Outcomes, Remembered
from abac.compiler.quick.text import Text
from abac.policy.rule import Algorithm, Policy, PolicySet

LONG = 2_048
"""From so many slots on, finding that one rule decides is cheaper than hashing a mask."""


def deciding(text: Text, root: PolicySet, index: Index, outcomes: Outcomes) -> None:
    """Write the part from `joined` to the outcome."""
    full = text.bind("full", (1 << index.capacity) - 1)
    text.add(2, f"if joined > {full}:")
    text.add(3, "return settle(joined, request, discharges)")
    text.add(2, f"standing = joined ^ {full}")
    special = index.several | index.owing | (index.strays if _in_order(root) else 0)
    if special:
        text.add(2, f"if standing & {text.bind('special', special)}:")
        text.add(3, "return settle(joined, request, discharges)")
    if _simple(text, root, index, outcomes):
        return
    combined = _Tree(text, iter(index.members))
    answer = combined.answer(root)
    text.add(2, f"answer = {answer}")
    for number, mask, known in (
        (1, combined.permits, outcomes.permitted),
        (2, combined.denies, outcomes.denied),
    ):
        text.add(2, f"if answer == {number}:")
        text.add(3, f"cited = {combined.relevant} & {text.bind('mask', mask)}")
        _outcome(text, 3, index, outcomes, known)
    text.add(2, f"return {text.bind('nothing', outcomes.not_applicable)}")


def _outcome(text: Text, indent: int, index: Index, outcomes: Outcomes, known: Remembered) -> None:
    """Write the way from the rules `cited` to the outcome."""
    if index.capacity >= LONG:
        alone = text.bind("alone", outcomes.alone(known))
        text.add(indent, "top = cited.bit_length()")
        text.add(indent, f"if cited and cited == 1 << top - 1: return {alone}[top]")
    text.add(indent, f"return {text.bind('outcomes', known)}[cited]")


def _simple(text: Text, root: PolicySet, index: Index, outcomes: Outcomes) -> bool:
    """Write the decision of a tree of one policy, by deny-overrides throughout, as most are; else say no."""
    node: Policy | PolicySet = root
    denied = node.default_deny
    while isinstance(node, PolicySet) and len(node.children) == 1 and node.algorithm is Algorithm.DENY_OVERRIDES:
        node = node.children[0]
        denied = denied or node.default_deny
    if isinstance(node, PolicySet) or node.algorithm is not Algorithm.DENY_OVERRIDES:
        return False
    (own,) = index.members
    for mask, known in ((own.denies, outcomes.denied), (own.permits, outcomes.permitted)):
        text.add(2, f"cited = standing & {text.bind('mask', mask)}")
        text.add(2, "if cited:")
        _outcome(text, 3, index, outcomes, known)
    rest = outcomes.denied[0] if denied else outcomes.not_applicable
    text.add(2, f"return {text.bind('rest', rest)}")
    return True


class _Tree:
    """Writes how a tree combines in two truths.

    `relevant` is the text for the rules that stand, in a policy that goes in order the deciding one alone;
    `permits` and `denies` are all rules by effect.
    """

    def __init__(self, text: Text, members: Iterator[Members]) -> None:
        self._text, self._members = text, members
        self._free = 0
        self._firsts: list[str] = []
        self.permits = self.denies = 0

    @property
    def relevant(self) -> str:
        if not self._firsts:
            return "standing"
        free = [f"standing & {self._text.bind('free', self._free)}"] if self._free else []
        return f"({' | '.join([*free, *self._firsts])})"

    def answer(self, node: Policy | PolicySet) -> str:
        """Return the text of an expression for the answer of a node: 1, 2 or 4."""
        rest = 2 if node.default_deny else 4
        if isinstance(node, PolicySet):
            children = [self._kept(self.answer(child)) for child in node.children]
            permit, deny = (" or ".join(f"{c} == {n}" for c in children) or "False" for n in (1, 2))
            return _BY_ALGORITHM[node.algorithm].format(permit=permit, deny=deny, rest=rest)
        own = next(self._members)
        self.permits, self.denies = self.permits | own.permits, self.denies | own.denies
        permits = self._text.bind("permits", own.permits)
        if node.algorithm.in_order:
            return self._first(own, permits, rest)
        self._free |= own.permits | own.denies
        permit = f"standing & {permits}"
        deny = f"standing & {self._text.bind('denies', own.denies)}"
        return _BY_ALGORITHM[node.algorithm].format(permit=permit, deny=deny, rest=rest)

    def _first(self, own: Members, permits: str, rest: int) -> str:
        rules = self._text.bind("rules", own.permits | own.denies)
        top = self._kept(f"(standing & {rules}).bit_length()")
        first = self._kept(f"1 << {top} - 1 if {top} else 0")
        self._firsts.append(first)
        return f"(1 if {first} & {permits} else 2) if {top} else {rest}"

    def _kept(self, expression: str) -> str:
        name = f"kept{len(self._text.lines)}"
        self._text.add(2, f"{name} = {expression}")
        return name


_BY_ALGORITHM: Mapping[Algorithm, str] = {
    Algorithm.DENY_OVERRIDES: "2 if {deny} else 1 if {permit} else {rest}",
    Algorithm.PERMIT_OVERRIDES: "1 if {permit} else 2 if {deny} else {rest}",
    Algorithm.DENY_UNLESS_PERMIT: "1 if {permit} else 2",
    Algorithm.PERMIT_UNLESS_DENY: "2 if {deny} else 1",
}
"""The order-free algorithms in two truths."""


def _in_order(node: Policy | PolicySet) -> bool:
    if isinstance(node, Policy):
        return node.algorithm.in_order
    return any(_in_order(child) for child in node.children)

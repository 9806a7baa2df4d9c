"""The second half of the quick function: from what is joined, in two truths, to a remembered outcome.

It is the same whether masks are joined or the words of one page; `Whole` and `Paged` say where the masks that it
asks for come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from abac.compiler.index import Index, Members, in_order
from abac.compiler.index.masks import Mask
from abac.compiler.index.pages import Left
from abac.compiler.index.table import Table
from abac.compiler.outcomes import Outcomes
from abac.compiler.quick.places import Places
from abac.compiler.quick.text import Text
from abac.policy.rule import Algorithm, Policy, PolicySet

LONG = 2_048
"""From so many slots on, finding that one rule decides is cheaper than hashing a mask."""


class Whole:
    """Masks of all rules, and outcomes by them."""

    exact = False
    """Whether only slots that hold a rule can stand."""

    def __init__(self, text: Text, index: Index, outcomes: Outcomes) -> None:
        self._text, self._index, self._outcomes = text, index, outcomes

    def standing(self) -> str:
        """Write how the rules that stand come from `joined`; return what settles them the general way."""
        full = self._text.bind("full", (1 << self._index.capacity) - 1)
        self._text.add(2, f"if joined > {full}:")
        self._text.add(3, "return settle(joined, request, discharges)")
        self._text.add(2, f"standing = joined ^ {full}")
        return "settle(joined, request, discharges)"

    def mask(self, stem: str, mask: Mask) -> str:
        """Return the name of a mask."""
        return self._text.bind(stem, mask)

    def outcome(self, indent: int, answer: int) -> None:
        """Write the way from the rules `cited` to the outcome."""
        known = self._outcomes.permitted if answer == 1 else self._outcomes.denied
        if self._index.capacity >= LONG:
            alone = self._text.bind("alone", self._outcomes.alone(known))
            self._text.add(indent, "top = cited.bit_length()")
            self._text.add(indent, f"if cited and cited == 1 << top - 1: return {alone}[top]")
        self._text.add(indent, f"return {self._text.bind('outcomes', known)}[cited]")


class Paged(Whole):
    """Masks of one page, and outcomes by them: those of the place that the value of the pivot leads to."""

    exact = True

    def __init__(self, text: Text, index: Index, outcomes: Outcomes, left: Left) -> None:
        super().__init__(text, index, outcomes)
        self._left, self._masks = left, dict[str, Mask]()

    def standing(self) -> str:
        """Return what settles the rules that stand, of which nothing is open."""
        full = self._text.bind("full", (1 << self._index.capacity) - 1)
        slots = self._text.bind("slots", self._left.slots)
        return f"settle({full} ^ {slots}(standing, page), request, discharges)"

    def mask(self, stem: str, mask: Mask) -> str:
        """Return the name of a mask."""
        name = f"{stem}_{len(self._masks)}"
        self._masks[name] = mask
        return name

    def outcome(self, indent: int, answer: int) -> None:
        """Write the way from the rules `cited` to the outcome."""
        self._text.add(indent, f"return {'permitted' if answer == 1 else 'denied'}[cited]")

    def place(self, value: str, doubles: Sequence[Table]) -> tuple[str, str]:
        """Return the lines that find a place and take it apart."""
        places = Places(self._index, self._left, list(self._masks.values()), doubles, self._outcomes)
        known, more = self._text.bind("places", places.known), self._text.bind("place", places.more)
        lines = [f"bounds{n}, kept{n}" for n in range(len(doubles))]
        names = ", ".join(["page", "possible", *self._masks, "permitted", "denied", *lines])
        return f"try: {names} = {known}[{value}]", f"except KeyError: {names} = {more}({value})"


def deciding(text: Text, root: PolicySet, index: Index, outcomes: Outcomes, held: Whole) -> None:
    """Write the part from `joined` to the outcome."""
    settled = held.standing()
    special = index.several | index.owing | (index.strays if in_order(root) else 0)
    if special:
        text.add(2, f"if standing & {held.mask('special', special)}:")
        text.add(3, f"return {settled}")
    if _simple(text, root, index, outcomes, held):
        return
    combined = _Tree(text, iter(index.members), held)
    answer = combined.answer(root)
    text.add(2, f"answer = {answer}")
    for number, mask in ((1, combined.permits), (2, combined.denies)):
        text.add(2, f"if answer == {number}:")
        text.add(3, f"cited = {combined.relevant} & {held.mask('mask', mask)}")
        held.outcome(3, number)
    text.add(2, f"return {text.bind('nothing', outcomes.not_applicable)}")


def _simple(text: Text, root: PolicySet, index: Index, outcomes: Outcomes, held: Whole) -> bool:
    """Write the decision of a tree of one policy, by deny-overrides throughout, as most are; else say no."""
    node: Policy | PolicySet = root
    denied = node.default_deny
    while isinstance(node, PolicySet) and len(node.children) == 1 and node.algorithm is Algorithm.DENY_OVERRIDES:
        node = node.children[0]
        denied = denied or node.default_deny
    if isinstance(node, PolicySet) or node.algorithm is not Algorithm.DENY_OVERRIDES:
        return False
    (own,) = index.members
    text.add(2, "if standing:")
    text.add(3, f"cited = standing & {held.mask('denies', own.denies)}")
    text.add(3, "if cited:")
    held.outcome(4, 2)
    permits = "standing" if held.exact and not own.riders else f"standing & {held.mask('permits', own.permits)}"
    text.add(3, f"cited = {permits}")
    text.add(3, "if cited:")
    held.outcome(4, 1)
    rest = outcomes.denied[0] if denied else outcomes.not_applicable
    text.add(2, f"return {text.bind('rest', rest)}")
    return True


class _Tree:
    """Writes how a tree combines in two truths.

    `relevant` is the text for the rules that stand, in a policy that goes in order the deciding one alone;
    `permits` and `denies` are all rules by effect.
    """

    def __init__(self, text: Text, members: Iterator[Members], held: Whole) -> None:
        self._text, self._members, self._held = text, members, held
        self._free = 0
        self._firsts: list[str] = []
        self.permits = self.denies = 0

    @property
    def relevant(self) -> str:
        if not self._firsts:
            return "standing"
        free = [f"standing & {self._held.mask('free', self._free)}"] if self._free else []
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
        permits = self._held.mask("permits", own.permits)
        if node.algorithm.in_order:
            return self._first(own, permits, rest)
        self._free |= own.permits | own.denies
        permit = f"standing & {permits}"
        deny = f"standing & {self._held.mask('denies', own.denies)}"
        return _BY_ALGORITHM[node.algorithm].format(permit=permit, deny=deny, rest=rest)

    def _first(self, own: Members, permits: str, rest: int) -> str:
        rules = self._held.mask("rules", own.permits | own.denies)
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

"""Pages: slots laid out so that a decision looks at a few dozen rules, however many there are.

Most policies have an attribute that nearly every rule compares with one constant, such as a department: the
*pivot*. Rules that name the same value of it are given neighbouring slots, a *page*; a request's own value rules
out all others. So what a mask leaves standing is kept page by page, as one small number each, and only the numbers
of one page are joined. What every page has in common, rules that name no value and rules added later, lies in the
low slots, and is appended to each page's number.

Only the layout is decided here. It needs algorithms that do not go in order, since slots no longer do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from abac.compiler.index.masks import Mask, bits
from abac.condition.expr import Attribute, Comparison, Condition, Constant, Order
from abac.condition.schema import Schema
from abac.condition.types import STRING

SMALLEST = 64
"""Programs of fewer rules have masks that are small as they are."""

SHARE = 4
"""A pivot leaves at most one rule in so many standing."""

COMMON = 64
"""So many rules at most may name no value of a pivot."""

DIGIT = 30
"""Numbers of so many bits are one digit of Python's, which is what makes a page quick."""


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the pages are: `spans` are their first and last bytes in a mask, `low` where the first begins.

    `home` has the page of each value of the `pivot` that a rule names. The last page is empty: the home of every
    other value.
    """

    pivot: str
    low: int
    spans: tuple[tuple[int, int], ...]
    home: Mapping[str, int]

    @property
    def capacity(self) -> int:
        """How many slots there are."""
        return 8 * self.spans[-1][1]

    def left(self, rules: Mask) -> Left:
        """Return how masks are read page by page, where these slots hold rules."""
        common = rules & ((1 << 8 * self.low) - 1)
        first = (common & -common).bit_length() - 1 if common else 8 * self.low
        return Left(self, first, (1 << self.capacity) - 1)


@dataclass(frozen=True, slots=True)
class Left:
    """What masks leave of each page, as one small number: the rules of the page that are not ruled out.

    Above a page's own bits stand those of the common slots from `first` on, the lowest that holds a rule.
    """

    pages: Pages
    first: int
    full: Mask

    def words(self, mask: Mask) -> list[int]:
        """Return what a mask leaves of each page; it has bits of the first lane alone."""
        left, low = mask ^ self.full, self.pages.low
        raw = left.to_bytes(self.pages.capacity // 8, "little")
        found = [int.from_bytes(raw[start:end], "little") for start, end in self.pages.spans]
        if self.first == 8 * low:
            return found
        common = int.from_bytes(raw[:low], "little") >> self.first
        each = zip(found, self.pages.spans, strict=True)
        return [word | common << 8 * (end - start) for word, (start, end) in each]

    def word(self, mask: Mask, page: int) -> int:
        """Return what a mask leaves of one page."""
        return self.within(mask ^ self.full, page)

    def within(self, slots: Mask, page: int) -> int:
        """Return which of these slots are in a page, by its own numbering."""
        start, end = self.pages.spans[page]
        width = 8 * (end - start)
        common = (slots & ((1 << 8 * self.pages.low) - 1)) >> self.first
        return slots >> 8 * start & ((1 << width) - 1) | common << width

    def slots(self, word: int, page: int) -> Mask:
        """Return the slots of the rules that a page's number stands for."""
        start, end = self.pages.spans[page]
        width = 8 * (end - start)
        return (word & ((1 << width) - 1)) << 8 * start | word >> width << self.first

    def each(self, word: int, page: int) -> list[int]:
        """Return the same slots one by one."""
        start, end = self.pages.spans[page]
        width = 8 * (end - start)
        return [8 * start + n if n < width else self.first + n - width for n in bits(word)]


def laid_out(rules: Sequence[Sequence[Condition]], schema: Schema, free: int) -> tuple[Pages, list[int]] | None:
    """Return pages for rules of these conjuncts and the slot of each; None where no attribute is a pivot."""
    if len(rules) < SMALLEST:
        return None
    named = [dict(_named(conjuncts, schema)) for conjuncts in rules]
    pivot = _pivot(named)
    if pivot is None:
        return None
    values = [own.get(pivot) for own in named]
    homes = list(_homes(Counter(v for v in values if v is not None)))
    low = (free + sum(v is None for v in values) + 7) // 8
    spans, at = [], low
    for held in homes:
        spans.append((at, at + (sum(held.values()) + 7) // 8))
        at = spans[-1][1]
    spans.append((at, at))
    home = {value: n for n, held in enumerate(homes) for value in held}
    following = [8 * start for start, _ in spans[:-1]]
    common, slots = free, []
    for value in values:
        if value is None:
            slots.append(common)
            common += 1
        else:
            slots.append(following[home[value]])
            following[home[value]] += 1
    return Pages(pivot, low, tuple(spans), home), slots


def _named(conjuncts: Iterable[Condition], schema: Schema) -> Iterator[tuple[str, str]]:
    """Yield the attributes that conjuncts compare with one constant, so that they hold for no other value."""
    for conjunct in conjuncts:
        match conjunct:
            case Comparison(order=Order.EQUAL, left=Attribute() as read, right=Constant(value=str() as value)) | (
                Comparison(order=Order.EQUAL, left=Constant(value=str() as value), right=Attribute() as read)
            ):
                definition = schema[read.path]
                if definition.type == STRING and read.least <= definition.assurance:
                    yield read.path, value


def _pivot(named: Iterable[Mapping[str, str]]) -> str | None:
    """Return the attribute whose values leave the fewest rules standing, if few enough."""
    rules, counts = 0, dict[str, Counter[str]]()
    for own in named:
        rules += 1
        for path, value in own.items():
            counts.setdefault(path, Counter())[value] += 1
    best, least = None, rules / SHARE
    for path, values in counts.items():
        naming = values.total()
        standing = rules - naming + sum(n * n for n in values.values()) / naming
        if rules - naming <= COMMON and standing < least:
            best, least = path, standing
    return best


def _homes(counts: Counter[str]) -> Iterator[Counter[str]]:
    """Put values together whose rules fit into one digit."""
    held: Counter[str] = Counter()
    for value, count in sorted(counts.items(), key=lambda item: (item[1], item[0])):
        if held and held.total() + count > DIGIT:
            yield held
            held = Counter()
        held[value] = count
    if held:
        yield held

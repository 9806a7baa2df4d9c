"""Random subjects in Parquet, random questions about them, and what the reference counts of them."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime

import polars as pl

from abac.compiler.program import assemble
from abac.policy import reference
from abac.policy.rule import Policy, PolicySet
from abac.simulation.catalogue import Model
from abac.simulation.change import Ask
from abac.simulation.counts import Question
from abac.simulation.population.frames import USE
from abac.simulation.study import Study
from tests.agreement import strategies as abac_st
from tests.agreement.columns import table

FUNCTIONS, SCHEMA = abac_st.FUNCTIONS, abac_st.SCHEMA
FIXED = ("resource.tier", "resource.size", "resource.tags", "resource.provider", "action.name", "environment.now")
AT = datetime(2026, 6, 20, tzinfo=UTC)
ASKS = tuple(Ask(Model(f"m-{n}", {}, 1.0, 1.0, {}, "a test", "firm"), "invoke") for n in range(3))
BY = ("subject.colour", "subject.flag")
DUTIES = ("duty-1", "duty-2", "duty-3")


class Subjects:
    """Rows of assertions from one seed, and how often each makes each request; now and then not at all."""

    def __init__(self, seed: int, number: int) -> None:
        source = random.Random(seed)
        self.rows = [
            {path: a for path, a in abac_st.random_assertions(source).items() if path not in FIXED}
            for _ in range(number)
        ]
        self.use = [[source.choice((0, 0, 1, 2, 700)) for _ in ASKS] for _ in self.rows]

    def frame(self) -> pl.DataFrame:
        """As a subject frame: every attribute with all its marks, and the columns of use."""
        paths = [path for path in SCHEMA.attributes if path not in FIXED]
        use = [
            pl.Series(USE + ask.key, [row[n] for row in self.use], dtype=pl.UInt32) for n, ask in enumerate(ASKS)
        ]
        return table(self.rows, SCHEMA, paths).drop("row").with_columns(use)


def question(before: Policy | PolicySet, after: Policy | PolicySet, seed: int) -> Question:
    """Ask what a change from one tree to another does, about requests from a seed."""
    source = random.Random(seed)
    stated = [{path: a for path, a in abac_st.random_assertions(source).items() if path in FIXED} for _ in ASKS]
    discharges = frozenset(d for d in DUTIES if source.random() < 0.5)
    programs = [assemble(SCHEMA, _set(root), FUNCTIONS) for root in (before, after)]
    study = Study("change", "", None, *programs, AT)
    return Question(study, ASKS, tuple(stated), discharges, BY)


def _set(root: Policy | PolicySet) -> PolicySet:
    return root if isinstance(root, PolicySet) else PolicySet("all", abac_st.Algorithm.DENY_OVERRIDES, (root,))


def expected(asked: Question, subjects: Subjects) -> Counter:
    """What the reference counts, subject by subject: (group, ask, answers) to subjects and to requests."""
    found: Counter = Counter()
    for row, use in zip(subjects.rows, subjects.use, strict=True):
        group = tuple(None if (a := row.get(path)) is None else str(a.value).lower() for path in BY)
        for n, (ask, stated) in enumerate(zip(asked.asks, asked.stated, strict=True)):
            if not use[n]:
                continue
            sides = [
                reference.decide(root, row | dict(stated), FUNCTIONS, discharges=asked.discharges)
                for root in (asked.study.before.root, asked.study.after.root)
            ]
            place = (*group, ask.model.id, *(s.extended.name for s in sides), *(s.permitted for s in sides))
            found["subjects", *place] += 1
            found["requests", *place] += use[n]
    return found


def counted(cells) -> Counter:
    """What an engine counted, in the same form."""
    found: Counter = Counter()
    for row in cells:
        group = tuple(None if row[path] is None else row[path].lower() for path in BY)
        answers = (row["before"], row["after"], row["permitted_before"], row["permitted_after"])
        for figure in ("subjects", "requests"):
            found[figure, *group, row["model"], *answers] += row[figure]
    return found

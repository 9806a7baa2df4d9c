"""Omission safety of the columnar back end: one column of decisions for requests, one for less of each.

The law and how a request is weakened are `test_omission`'s; here both sides are decided as whole frames.
"""

import random
from collections import Counter

import numpy as np
from hypothesis import given, settings

from abac.backends import columnar
from abac.policy.decision import Extended
from abac.policy.rule import Algorithm
from tests.agreement.columns import table
from tests.agreement.strategies import FUNCTIONS, SCHEMA, random_assertions
from tests.laws.test_omission import LEAST_PERMITS, _has, safe, seeds, weaken

ROWS = 40
DEFINITE = (Extended.PERMIT, Extended.DENY, Extended.NOT_APPLICABLE)


def decided(root, rows):
    frame = columnar.Frame.encode(table(rows, SCHEMA), SCHEMA)
    answers = columnar.decisions(root, frame, {}, FUNCTIONS)
    return answers.to_numpy(), columnar.obligations(root, frame, {}, FUNCTIONS, answers)


def test_knowing_less_never_permits_more_in_columns():
    seen: Counter = Counter()

    @settings(max_examples=60)
    @given(safe, seeds)
    def law(root, seed):
        source = random.Random(seed)
        more = [random_assertions(source, known=0.95) for _ in range(ROWS)]
        (q, owed), (full, owed_full) = (decided(root, r) for r in ([weaken(m, source) for m in more], more))
        seen.update(q.tolist())
        permitted = q == Extended.PERMIT
        assert (full[permitted] == Extended.PERMIT).all()
        for name, marks in owed_full.items():
            if name.startswith("duty"):
                kept = owed[name].to_numpy() if name in owed else np.zeros(ROWS, np.bool_)
                assert not (permitted & marks.to_numpy() & ~kept).any()
        if not _has(root, Algorithm.DENY_UNLESS_PERMIT):
            definite = np.isin(q, DEFINITE)
            assert (full[definite] == q[definite]).all()

    law()
    assert seen[int(Extended.PERMIT)] >= LEAST_PERMITS * seen.total(), seen

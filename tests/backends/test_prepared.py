"""Prepared programs decide as the columnar back end does, and do again only what a changed column asks for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from abac.backends.columnar import Frame, Prepared, decide_many, obligations
from abac.simulation.change import Columns, asks
from tests.simulation import june

SUBJECTS = 1_000


def frames() -> tuple[Frame, Frame]:
    read = june.inputs(SUBJECTS).read
    bare, full = (Columns.of(june.world(SUBJECTS).population(c, c), read).asserted for c in (0.0, 0.6))
    return bare, full


def test_it_decides_as_the_back_end_does_on_every_frame() -> None:
    inputs = june.inputs(SUBJECTS)
    wanted = asks(inputs.population.catalogue, inputs.population)
    bare, full = frames()
    for study in inputs.studies:
        fixed = [ask.fixed(study.at, inputs.program.schema) for ask in wanted]
        roots = [study.before.root, study.after.root]
        prepared = Prepared(roots, bare, fixed, inputs.program.functions)
        for frame in (bare, full, bare):
            expected = decide_many(roots, frame, fixed, inputs.program.functions)
            found = prepared.decide(frame)
            for r, root in enumerate(roots):
                for q, request in enumerate(fixed):
                    assert (found[r][q].codes == expected[r][q].to_numpy()).all()
                    owed = obligations(root, frame, request, inputs.program.functions, expected[r][q])
                    for name, marks in owed.items():
                        assert (found[r][q].owed.get(name, np.zeros(frame.rows, bool)) == marks.to_numpy()).all()


def test_what_no_changed_column_touches_is_the_same_object() -> None:
    inputs, study = june.inputs(SUBJECTS), june.study("d1-foreign-nationals")
    wanted = asks(inputs.population.catalogue, inputs.population)
    fixed = [ask.fixed(study.at, inputs.program.schema) for ask in wanted]
    bare, full = frames()
    prepared = Prepared([study.before.root, study.after.root], bare, fixed, inputs.program.functions)
    first = prepared.decide(bare)
    evaluated = prepared.evaluated
    again = prepared.decide(bare)
    assert prepared.evaluated == evaluated
    assert all(a is b for x, y in zip(first, again, strict=True) for a, b in zip(x, y, strict=True))
    path = "subject.citizenships_current"
    changed = replace(bare, columns={**bare.columns, path: full.columns[path]}, _views={}, _words={})
    after = prepared.decide(changed)
    assert prepared.evaluated == evaluated + 1  # one atom reads citizenships: US among them
    assert all(a is b for a, b in zip(first[0], after[0], strict=True))  # the rules before read none
    touched = [a is not b for a, b in zip(first[1], after[1], strict=True)]
    assert touched == [ask.model.id in ("fable-5", "mythos-5") for ask in wanted]

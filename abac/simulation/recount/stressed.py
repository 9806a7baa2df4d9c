"""A stress test's subjects counted again: of a sample, at any setting, by the reference and in plain Python.

What a setting puts on file and makes true is read off the columns of `stress.filed`, which a test holds equal to
populations really drawn; everything decided, weighed and summed from there on is counted here once more. What is
made of the sums is `stress_sections`' part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from abac.backends.columnar import Frame
from abac.backends.columnar.frame import Scalars
from abac.compiler.program import Program
from abac.condition.reference import Assertion
from abac.condition.schema import Assurance, Schema
from abac.condition.truth import FALSE
from abac.condition.types import Kind, SetType, Type
from abac.simulation.catalogue import Model
from abac.simulation.posture import completes
from abac.simulation.recount.judge import Judge, undecided
from abac.simulation.recount.studies import StudyRecount
from abac.simulation.recount.subjects import Ask, Facts, Subject
from abac.simulation.run import Inputs
from abac.simulation.stress.engine import NOTHING, Engine, Stressed
from abac.simulation.stress.readings import read_by
from abac.simulation.stress.setting import Setting
from abac.simulation.study import Study

KINDS = {"person": "mix.person", "organisation_key": "mix.organisation_key", "agent": "mix.agent"}

Sums = Counter[str]
"""Sums over the sample, each subject weighed by how many it stands for, by the names of `stress.tally`."""


@dataclass
class StressRecount:
    """A stress test over the rows of a sampled engine."""

    stressed: Stressed
    engine: Engine
    _studies: dict[tuple[str, str], Study] = field(default_factory=dict)
    _sums: dict[Any, Sums] = field(default_factory=dict)
    _rows: dict[Any, list[Subject]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stressed = self.stressed
        world = stressed.world.population().part(self.engine.place)
        inputs = Inputs(stressed.scenario, stressed.program, stressed.studies, world, stressed.purpose)
        self.judge = Judge(inputs)
        taken = Counter(self.engine.design.stratum.tolist())
        sizes = self.engine.design.sizes.tolist()
        self.stands_for = [sizes[h] / taken[h] for h in self.engine.design.stratum.tolist()]
        self._use = [
            {(k.rsplit("|", 1)[0], k.rsplit("|", 1)[1]): n for k, n in row.items() if n}
            for row in world.use.to_dicts()
        ]

    # --- the subjects at a setting ----------------------------------------------------------------------

    def subjects(self, setting: Setting, collected: frozenset[str] = NOTHING) -> list[Subject]:
        """Return the sampled subjects as they stand at a setting."""
        key = setting, collected
        if key not in self._rows:
            filed, world = self.engine.filed, self.stressed.world
            frames = filed.asserted(setting, collected), filed.true(setting)
            pairs = zip(*(decoded(frame, world.schema) for frame in frames), strict=True)
            brings = completes(world.seed, world.truth.height, setting["completion"])[self.engine.place].tolist()
            self._rows[key] = [
                Subject(str(place), asserted, true, use, {}, evidence)
                for place, (asserted, true), use, evidence in zip(
                    self.engine.place.tolist(), pairs, self._use, brings, strict=True
                )
            ]
        return self._rows[key]

    def study(self, name: str, reading: str) -> Study:
        """Return a study under a reading of its person test."""
        if (name, reading) not in self._studies:
            self._studies[name, reading] = read_by(self.engine.studies[name], reading, self.stressed.program)
        return self._studies[name, reading]

    def recount(self, name: str, setting: Setting, collected: frozenset[str] = NOTHING) -> StudyRecount:
        """Return a study at a setting, its requests decided by the reference."""
        study = self.study(name, setting["reading"])
        foreign = self._foreign(study.after)
        rows = self.subjects(setting, collected)
        us = [s for s in rows if self.judge.truth(foreign, s.true, None, None) is FALSE]
        return StudyRecount(self.judge, study, rows, us)

    def _foreign(self, program: Program) -> Any:
        return program.persons[self.stressed.scenario.us_person_is_not].condition

    def requests(self, subject: Subject, ask: Ask, setting: Setting) -> float:
        """Return how many requests a day a subject makes of an ask, by the mix of a setting."""
        mix = float(setting[KINDS[subject.kind]])
        return (
            subject.use[ask]
            * mix
            * (setting["mix.capability"] if ask[1] == self.stressed.scenario.capability else 1.0)
        )

    # --- sums -------------------------------------------------------------------------------------------

    def sums(self, name: str, setting: Setting, collected: frozenset[str] = NOTHING) -> Sums:
        """Return what a study comes to at a setting."""
        key = name, setting, collected
        if key not in self._sums:
            self._sums[key] = self._counted(self.recount(name, setting, collected), setting)
        return self._sums[key]

    def _counted(self, study: StudyRecount, setting: Setting) -> Sums:
        found: Sums = Counter()
        posture, targets = setting["posture"], study.targets
        marks: dict[str, set[Subject]] = {
            "person": set(),
            "person_over": set(),
            "us_person": set(),
            "us_blocked": set(),
        }
        weights = dict(zip(study.subjects, self.stands_for, strict=True))
        for s, ask in study.had:
            weight = weights[s] * self.requests(s, ask, setting)
            meant = (s, ask) in targets["purpose"]
            found["meant"] += weight * meant
            if not study.about(ask):
                continue
            after, kept = study.after[s, ask], study.access(s, ask, posture)
            scoped = (s, ask) in targets["scope"]
            found["requests"] += weight
            found["decided"] += weight * (not undecided(after))
            found["blocked"] += weight * (not kept)
            found["right"] += weight * (not kept and meant)
            found["scoped"] += weight * scoped
            found["caught"] += weight * (not kept and scoped)
            if meant:
                reach = bool(self.open_to(study, s, ask, posture, parity_shown=True))
                guarded = kept and bool(set(after.obligations) - set(study.before[s, ask].obligations))
                found["open" if reach else "shut"] += weight * (not kept)
                found["guarded_open" if reach else "guarded_shut"] += weight * guarded
            if s.is_person:
                marks["person"].add(s)
                marks["person_over"] |= {s} if not kept and not meant else set()
                if s in study.us_persons:
                    marks["us_person"].add(s)
                    marks["us_blocked"] |= set() if kept else {s}
        for name, who in marks.items():
            found[name] = sum(weights[s] for s in who)
        return found

    def open_to(
        self, study: StudyRecount, subject: Subject, ask: Ask, posture: str, *, parity_shown: bool
    ) -> list[Model]:
        """Return the substitutes of an ask that a subject may use after."""
        models, capability = self.judge.models, self.stressed.scenario.capability
        least = models[ask[0]].level(capability, parity_shown=parity_shown)
        return [
            m
            for m in models.values()
            if m.id != ask[0]
            and m.level(capability, parity_shown=parity_shown) >= least
            and study.access(subject, (m.id, ask[1]), posture)
        ]


def decoded(frame: Frame, schema: Schema) -> list[Facts]:
    """Return what every row of an encoded frame asserts; date-times are not decoded, for no subject has any."""
    rows: list[dict[str, Assertion]] = [{} for _ in range(frame.rows)]
    for path, column in frame.columns.items():
        if isinstance(column, Scalars):
            values = column.values.to_list()
            levels = (
                [column.levels] * frame.rows if isinstance(column.levels, Assurance) else column.levels.to_list()
            )
            words = _words(schema[path].type) if column.words is None else column.words.to_list()
            for row, value, level in zip(rows, values, levels, strict=True):
                if value is not None:
                    row[path] = Assertion(value if words is None else words[value], Assurance(level))
        else:
            _sets(path, column, rows, _words(schema[path].type))
    return list(rows)


def _words(kind: Type) -> Sequence[str] | None:
    """Return the words that ranks stand for, of an enum or a set of them."""
    own = kind.element if isinstance(kind, SetType) else kind
    return own.values if own.kind in (Kind.ENUM, Kind.ORDERED) else None


def _sets(path: str, column: Any, rows: list[dict[str, Assertion]], spelt: Sequence[str] | None) -> None:
    words = {place: word if spelt is None else spelt[word] for word, place in column.places.items()}
    held: list[dict[Any, int]] = [{} for _ in range(len(column.level))]
    for owner, word, level in zip(
        column.owner.tolist(), column.word.tolist(), column.word_level.tolist(), strict=True
    ):
        held[owner][words[word]] = level
    entries = [
        Assertion(frozenset(own), Assurance(int(level)), bool(whole), _marked(own, int(level)))
        for own, level, whole in zip(held, column.level.tolist(), column.complete.tolist(), strict=True)
    ]
    for row, code in zip(rows, column.codes.tolist(), strict=True):
        if code < len(entries):
            row[path] = entries[code]


def _marked(own: Mapping[Any, int], level: int) -> tuple[tuple[Any, Assurance], ...]:
    return tuple((word, Assurance(one)) for word, one in own.items() if one != level)

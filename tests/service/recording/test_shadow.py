"""A draft decides beside, what differs is counted and handed on, and its answers never leave."""

import abac
from abac.compiler.program import assemble
from abac.condition.schema import AttributeDefinition, Category, Schema
from abac.condition.types import INT
from abac.policy.rule import Algorithm, PolicySet
from abac.service.recording.faults import RecordingError
from abac.service.recording.shadow import Shadow
from tests.service.recording.worlds import asking, decisions, directive, program


class Kept:
    def __init__(self):
        self.batches, self.refusals, self.decided = [], 0, 0

    def note(self, batch):
        if self.refusals:
            self.refusals -= 1
            raise RecordingError("not now")
        self.decided += len(batch)
        self.batches.append([one for one in batch if one[1] != one[2]])
        return True

    @property
    def answers(self):
        return [one for batch in self.batches for one in batch]


def test_what_differs_is_counted_and_kept(store):
    kept = Kept()
    with abac.RecordedPoint(
        program(), store, mode="required", shadow=program(directive()), differences=kept
    ) as point:
        answers = [point.decide(asking(what=what)) for what in ["fable", "other", "fable", "none"]]
        assert all(a.permitted for a in answers)
        assert (point.shadow.decided, point.shadow.differing) == (4, 2)
        assert point.flush()
    assert kept.decided == 4
    assert [(a, s) for _, a, s in kept.answers] == [("PERMIT", "DENY")] * 2
    assert [e.uuid for e in decisions(store)][::2] == [identity for identity, _, _ in kept.answers]


def test_the_policy_store_keeps_them(store):
    draft = program(directive())
    shadows = store.policies.shadows
    store.policies.record(draft, who="ada", why="to see")
    shadows.start(draft.revision, who="ada", why="to see")
    noted = shadows.differences()
    with abac.RecordedPoint(program(), store, mode="required", shadow=draft, differences=noted) as point:
        answers = [point.decide(asking(what=what)) for what in ["fable", "other", "fable"]]
    status = shadows.status()
    assert (status.shadow.decided, status.shadow.differing) == (3, 2)
    (kind,) = status.differences
    assert (kind.active, kind.shadowed, kind.number) == ("PERMIT", "DENY", 2)
    assert set(kind.examples) == {answers[0].id, answers[2].id}


def test_another_schema_is_a_difference(store):
    other = Schema.of([AttributeDefinition(Category.SUBJECT, "id", INT)])
    draft = assemble(other, PolicySet("root", Algorithm.DENY_OVERRIDES), {})
    kept = Kept()
    with abac.RecordedPoint(program(), store, mode="required", shadow=draft, differences=kept) as point:
        assert point.decide(asking()).permitted
    assert [s for _, _, s in kept.answers] == ["REFUSED"]


def test_a_batch_that_cannot_be_kept_is_handed_on_again(store):
    kept = Kept()
    kept.refusals = 2
    with abac.RecordedPoint(
        program(), store, mode="required", shadow=program(directive()), differences=kept
    ) as point:
        for n in range(5):
            point.decide(asking(f"u{n}", "fable"))
        assert point.flush()
    assert len(kept.answers) == kept.decided == 5


def test_a_shadow_holds_nobody_back():
    kept = Kept()
    kept.refusals = 10**9
    shadow = Shadow(program(directive()), kept, most=1)
    request = asking(what="fable")
    outcome = abac.decide(program(), request)
    for n in range(100):
        shadow.decide(n.to_bytes(16, "big"), request, outcome, frozenset())
    assert (shadow.decided, shadow.differing) == (100, 100)
    assert 0 < shadow.dropped <= 51
    shadow.close(0.1)

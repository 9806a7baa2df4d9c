"""Coroutines that wait for their entries: as tasks, as what is driven by hand, and no longer."""

import asyncio

import pytest

import abac
from tests.service.recording.worlds import asking, decisions, program


def test_a_task_that_is_cancelled_waits_no_longer_and_its_entry_is_written(store):
    async def cancelled(point):
        task = asyncio.create_task(point.decide_async(asking()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with abac.RecordedPoint(program(), store, mode="required") as point:
        asyncio.run(cancelled(point))
        assert point.flush()
    assert len(decisions(store)) == 1


def test_an_answer_comes_however_the_coroutine_is_driven(store):
    """Half of the coroutines are tasks; the others are driven by hand, and called when their entry is written."""
    answered = []

    async def driven(point):
        all_driven = asyncio.Event()

        def drive(coroutine):
            def go_on(_):
                try:
                    coroutine.send(None)
                except StopIteration as ended:
                    answered.append(ended.value)
                    if len(answered) == 20:
                        all_driven.set()

            held = coroutine.send(None)
            held._asyncio_future_blocking = False
            held.add_done_callback(go_on)

        tasks = [asyncio.create_task(point.decide_async(asking(f"t{n}"))) for n in range(20)]
        for n in range(20):
            drive(point.decide_async(asking(f"h{n}")))
        await asyncio.gather(*tasks, all_driven.wait())
        answered.extend(task.result() for task in tasks)

    with abac.RecordedPoint(program(), store, mode="required") as point:
        asyncio.run(driven(point))
    assert all(answer.permitted for answer in answered)
    assert sorted(e.id for e in decisions(store)) == sorted(answer.id for answer in answered)


def test_whoever_waits_too_long_is_told_and_the_late_entry_disturbs_nobody(store):
    async def slow(point):
        with store.log.database.writing():  # the lock that the recorder needs
            answer = await point.decide_async(asking())
        assert point.flush()
        await asyncio.sleep(0)
        return answer

    with abac.RecordedPoint(program(), store, mode="required", patience=0.3) as point:
        late = asyncio.run(slow(point))
    assert (late.permitted, late.why.code) == (False, "recorder-slow")
    assert len(decisions(store)) == 1

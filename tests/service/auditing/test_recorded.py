"""A log that the recorder wrote, through the log and through journals, is whole and decides again."""

import abac
from abac.service.auditing.replaying import MATCH, replay
from abac.service.auditing.verifying import verify
from tests.service.auditing.building import Clock, execute, opened, program, request


def test_what_the_recorder_writes_verifies_and_replays(tmp_path):
    with opened(tmp_path, Clock()) as store:
        for mode in ("required", "spill", "buffered", "auto"):
            with abac.RecordedPoint(program(), store, mode=mode, journal=tmp_path / "journals") as point:
                for number in range(20):
                    point.decide(request(number), request_id=f"r-{number}", session="s")
                assert point.flush()
        found = verify(store, now=store.log.clock())
        assert set(found.findings.counts) == {"never-kept"}, found.findings.listed
        assert replay(store, lambda _: program()).counts == {MATCH: 80}
        assert execute(store, "UPDATE abac_merged_journals SET merged = merged - 1")
        assert "journal-row" in verify(store, now=store.log.clock()).findings.counts

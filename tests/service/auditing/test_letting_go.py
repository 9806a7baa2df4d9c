"""Redaction, retention, holds and pruning: what may go, what may not, and that the log still verifies."""

from datetime import UTC, datetime, timedelta

import pytest

from abac.audit.receipt import read as read_receipt
from abac.audit.receipt import verify as verify_receipt
from abac.errors import AbacError
from abac.service.auditing import archives, pruning, redacting, retention
from abac.service.auditing.errors import NamesError, NoEntryError, RetainedError
from abac.service.auditing.proving import prove
from abac.service.auditing.verifying import verify
from tests.service.auditing.building import KEY, START, Clock, decide_all, execute, opened

BY = {"who": "ann", "why": "the period is over"}
TWO = BY | {"approver": "bob"}


@pytest.fixture
def clock():
    return Clock(datetime(2020, 1, 10, tzinfo=UTC))


@pytest.fixture
def store(tmp_path, clock):
    """Decisions of January and February 2020, seen six years later."""
    with opened(tmp_path, clock) as made:
        decide_all(made, clock, 60, every=timedelta(days=8))
        clock.at = START
        yield made


def codes(store, clock):
    return set(verify(store, now=clock()).findings.counts) - {"never-kept"}


# --- redaction -----------------------------------------------------------------------------------------------


def test_by_age_keys_and_openings_go_and_the_log_still_verifies(store, clock):
    planned = redacting.plan(store, before=datetime(2020, 2, 20, tzinfo=UTC))
    assert set(planned.keys.values()) == {"2020-01"}
    assert planned.as_json()["entries"] == len(planned.places) > 0
    assert "subject.id" in planned.fields
    assert redacting.redact(store, planned, **BY) == len(planned.keys)
    assert not store.keys.kept(planned.keys)
    left = {o.key for o in store.log.openings()}
    assert left
    assert not left & planned.keys.keys()
    assert codes(store, clock) == set()
    assert verify(store, now=clock()).counts["redacted"] == len(planned.places)
    (told,) = redacting.redactions(store)
    assert told["handles"] == sorted(h.hex() for h in planned.keys)
    assert "u-" not in str(told)


def test_of_a_subject(store, clock):
    planned = redacting.plan(store, subject="u-3")
    assert len(planned.keys) == 2
    redacting.redact(store, planned, **BY)
    assert store.keys.handles(subject="u-3") == []
    assert store.keys.handles(subject="u-4")
    assert codes(store, clock) == set()
    with pytest.raises(AbacError, match="destroyed"):
        prove(store, str(planned.places[0][0]), disclose=["subject.id"])


def test_inside_the_retention_period_only_a_subject_with_two_names_and_a_basis(store, clock):
    decide_all(store, clock, 20)
    planned = redacting.plan(store, subject="u-3")
    with pytest.raises(RetainedError, match="1 of 3 keys are of months inside the retention period"):
        redacting.redact(store, planned, **BY)
    with pytest.raises(NamesError, match="one person"):
        redacting.redact(store, planned, **BY, override=redacting.Override("Ann", "Art. 17 GDPR"))
    with pytest.raises(NamesError, match="legal basis"):
        redacting.redact(store, planned, **BY, override=redacting.Override("bob", " "))
    by_age = redacting.plan(store, before=START + timedelta(days=30))
    with pytest.raises(NamesError, match="only a subject's"):
        redacting.redact(store, by_age, **BY, override=redacting.Override("bob", "Art. 17 GDPR"))
    assert len(store.keys.handles(subject="u-3")) == 3
    redacting.redact(store, planned, **BY, override=redacting.Override("bob", "Art. 17 GDPR"))
    assert store.keys.handles(subject="u-3") == []
    (told,) = redacting.redactions(store)
    assert (told["approver"], told["basis"]) == ("bob", "Art. 17 GDPR")
    assert codes(store, clock) == set()


def test_a_crash_between_entry_and_destruction_is_told_and_resumed(store, clock, monkeypatch):
    planned = redacting.plan(store, subject="u-3")
    with monkeypatch.context() as broken:
        broken.setattr(type(store.keys), "destroy", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            redacting.redact(store, planned, **BY)
    assert codes(store, clock) == {"redaction-unfinished"}
    assert redacting.resume(store) == (2, 0)
    assert codes(store, clock) == set()
    assert redacting.resume(store) == (0, 0)


def test_an_opening_that_goes_beyond_what_was_redacted_is_tampering(store, clock):
    redacting.redact(store, redacting.plan(store, subject="u-3"), **BY)
    execute(store, "DELETE FROM abac_openings WHERE seq = 5")
    assert codes(store, clock) == {"opening-missing"}


def test_by_age_a_journals_own_key_stays_for_its_merging(store, clock):
    pair = f"journal:{bytes(16).hex()}", "2020-01"
    own = store.keys.of([pair])[pair]
    planned = redacting.plan(store, before=datetime(2020, 2, 20, tzinfo=UTC))
    assert own.handle not in planned.keys
    redacting.redact(store, planned, **BY)
    assert store.keys.kept([own.handle])


def test_neither_or_both_of_subject_and_age_is_bad_input(store):
    for asked in ({}, {"subject": "u-1", "before": START}):
        with pytest.raises(NamesError, match="not both"):
            redacting.plan(store, **asked)


# --- retention and holds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "began"),
    [
        ("5y", "2021-06-12"),
        ("60m", "2021-06-12"),
        ("1d", "2026-06-11"),
        ("4m", "2026-02-12"),
        ("0d", "2026-06-12"),
    ],
)
def test_periods(period, began):
    assert retention.began(period, START).date().isoformat() == began


def test_the_end_of_february():
    assert retention.began("1y", datetime(2024, 2, 29, tzinfo=UTC)).date().isoformat() == "2023-02-28"


@pytest.mark.parametrize("period", ["", "5", "y", "5w", "-1y", "5 y", "99999y", "99999999d", "\u0665y"])
def test_no_periods(store, period):
    with pytest.raises(NamesError):
        retention.set_retention(store, period, **TWO)


def test_the_period_is_set_by_two_names_and_an_update_is_found(store, clock):
    with pytest.raises(NamesError, match="one person"):
        retention.set_retention(store, "10y", who="ann", approver="ANN", why="x")
    assert retention.set_retention(store, "10y", **TWO) == "5y"
    with pytest.raises(RetainedError):
        redacting.redact(store, redacting.plan(store, subject="u-3"), **BY)
    assert codes(store, clock) == set()
    execute(store, "UPDATE abac_settings SET value = '0d' WHERE name = 'retention'")
    assert codes(store, clock) == {"setting-row"}


def test_a_hold_on_a_subject_stands_in_the_way_until_two_lift_it(store, clock):
    placed = retention.hold(store, "Doe v. Roe", subject="u-3", **BY)
    assert "u-3" not in store.log.find(_entry(store, placed.seq).id).bytes.decode()
    planned = redacting.plan(store, subject="u-3")
    assert set(planned.held.values()) == {"Doe v. Roe"}
    with pytest.raises(RetainedError, match=r"Doe v\. Roe"):
        redacting.redact(store, planned, **BY, override=redacting.Override("bob", "Art. 17 GDPR"))
    redacting.redact(store, redacting.plan(store, subject="u-4"), **BY)
    with pytest.raises(NamesError, match="one person"):
        retention.lift(store, "Doe v. Roe", who="ann", approver="ann", why="settled")
    assert codes(store, clock) == set()
    execute(store, "UPDATE abac_holds SET lifted = 3")
    assert codes(store, clock) == {"hold-row"}
    execute(store, "UPDATE abac_holds SET lifted = NULL")
    retention.lift(store, "Doe v. Roe", who="ann", approver="bob", why="settled")
    redacting.redact(store, planned, **BY)
    assert codes(store, clock) == set()


def test_a_hold_covers_months_that_come_later_and_only_its_time(store, clock):
    retention.hold(store, "all", start=datetime(2020, 2, 1, tzinfo=UTC), **BY)
    with pytest.raises(RetainedError, match="all"):
        redacting.redact(store, redacting.plan(store, subject="u-3"), **BY)
    january = redacting.plan(store, before=datetime(2020, 2, 2, tzinfo=UTC))
    assert redacting.redact(store, january, **BY)
    rest = redacting.plan(store, before=datetime(2020, 9, 2, tzinfo=UTC))
    assert rest.keys
    assert redacting.redact(store, rest, except_held=True, **BY) == 0
    with pytest.raises(NamesError, match="in force already"):
        retention.hold(store, "all", **BY)
    with pytest.raises(NamesError, match="no hold named"):
        retention.lift(store, "none", **TWO)
    with pytest.raises(NamesError, match="before --to"):
        retention.hold(store, "never", start=START, stop=START, **BY)


# --- pruning -------------------------------------------------------------------------------------------------


@pytest.fixture
def before():
    return datetime(2020, 2, 1, tzinfo=UTC)


def test_pruned_entries_still_prove_and_the_archive_verifies(store, clock, before, tmp_path):
    archive = tmp_path / "2020.jsonl.gz"
    planned, written = pruning.prune(store, before, archive, **TWO)
    assert planned.entries == written.entries == 30
    assert store.log.find(_first_id(archive)) is None
    assert codes(store, clock) == set()
    assert verify(store, now=clock()).counts["archived"] == 30
    assert pruning.verify_archive(store, archive).counts == {}
    with pytest.raises(NoEntryError, match="--archive"):
        prove(store, "7")
    receipt = pruning.prove_archived(store, archive, "7", ("subject.id",))
    verified = verify_receipt(read_receipt(receipt.to_text()), [KEY.verifying])
    assert verified.index == 7
    assert verified.disclosed["subject.id"].startswith(b'["u-')
    assert codes(store, clock) == set()


def test_pruning_again_goes_on_where_it_ended(store, clock, before, tmp_path):
    pruning.prune(store, before, tmp_path / "one.gz", **TWO)
    pruning.prune(store, before + timedelta(days=20), tmp_path / "two.gz", **TWO)
    assert codes(store, clock) == set()
    for name in ("one.gz", "two.gz"):
        assert pruning.verify_archive(store, tmp_path / name).counts == {}
    with pytest.raises(NamesError, match="no decision"):
        pruning.prune(store, before, tmp_path / "three.gz", **TWO)


def test_an_archive_that_is_redacted_afterwards_still_verifies(store, clock, before, tmp_path):
    pruning.prune(store, before, tmp_path / "one.gz", **TWO)
    redacting.redact(store, redacting.plan(store, subject="u-3"), **BY)
    assert pruning.verify_archive(store, tmp_path / "one.gz").counts == {}
    assert codes(store, clock) == set()


def test_what_is_spoilt_in_an_archive_or_beside_it_is_found(store, clock, before, tmp_path):
    archive = tmp_path / "one.gz"
    pruning.prune(store, before, archive, **TWO)
    rows = list(archives.read(archive))
    other = tmp_path / "other.gz"
    changed = [r._replace(data=r.data.replace(b'"DENY"', b'"PERMIT"')) for r in rows]
    fields = [_row(r) for r in changed[:-1]]
    archives.write(other, KEY.name, 1, 31, fields)
    assert set(pruning.verify_archive(store, other).counts) == {
        "archive-changed",
        "entry-changed",
        "archive-count",
    }
    archive.write_bytes(archive.read_bytes()[:-20])
    assert "archive-damaged" in pruning.verify_archive(store, archive).counts
    execute(store, "DELETE FROM abac_entries WHERE seq = 40")
    assert codes(store, clock) == {"entry-missing", "opening-orphan"}


def test_acts_stay_and_one_that_goes_with_the_pruned_is_found(store, clock, before, tmp_path):
    pruning.prune(store, before, tmp_path / "one.gz", **TWO)
    execute(store, "DELETE FROM abac_entries WHERE seq = 0")
    assert codes(store, clock) == {"entry-missing"}


def test_what_must_be_kept_is_not_pruned(store, clock, before, tmp_path):
    archive = tmp_path / "one.gz"
    with pytest.raises(RetainedError, match="inside the retention period"):
        pruning.prune(store, START, archive, **TWO)
    retention.hold(store, "all", **BY)
    with pytest.raises(RetainedError, match="hold: all"):
        pruning.prune(store, before, archive, **TWO)
    assert not archive.exists()
    retention.lift(store, "all", **TWO)
    archive.write_text("mine")
    with pytest.raises(AbacError, match="not overwritten"):
        pruning.prune(store, before, archive, **TWO)
    assert archive.read_text() == "mine"
    assert codes(store, clock) == set()


def test_on_postgresql(postgres_url, tmp_path, clock, before):
    with opened(tmp_path, clock, postgres_url) as store:
        decide_all(store, clock, 60, every=timedelta(days=8))
        clock.at = START
        retention.set_retention(store, "4y", **TWO)
        redacting.redact(store, redacting.plan(store, subject="u-3"), **BY)
        pruning.prune(store, before, tmp_path / "one.gz", **TWO)
        assert codes(store, clock) == set()
        assert pruning.verify_archive(store, tmp_path / "one.gz").counts == {}


def _entry(store, seq):
    return next(store.log.entries(seq, seq + 1))


def _first_id(archive):
    from uuid import UUID

    return UUID(next(archives.read(archive)).entry.id).bytes


def _row(read):
    from abac.storage.inspecting import Row

    return Row(read.entry.seq, b"", "decision", 0, read.data, read.key, read.opening)

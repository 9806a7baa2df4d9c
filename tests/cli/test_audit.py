"""The auditor's verbs on the command line, on a log of two hundred decisions."""

import csv
import gzip
import json
import shutil
import stat
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from abac.audit.note import SigningKey
from abac.bootstrap import Settings, open_store, write_key
from tests.cli.running import abac, answered
from tests.postgres import postgres  # noqa: F401  # a fixture
from tests.service.auditing.building import Clock, decide_all, draft, execute, program, settle
from tests.service.auditing.conftest import postgres_url  # noqa: F401  # a fixture

OLD = datetime(2020, 1, 10, tzinfo=UTC)
KEY = SigningKey("example.com/decisions", bytes(range(32)))
VKEY = KEY.verifying.text()
BY = ("--who", "ann", "--why", "the period is over")
TWO = (*BY, "--approver", "bob")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A log with sixty decisions of early 2020 and forty of today, its policies recorded."""
    folder = tmp_path_factory.mktemp("built")
    write_key(KEY, folder / "abac.db.key")
    clock = Clock(OLD)
    with open_store(Settings(f"sqlite:///{folder}/abac.db"), clock=clock) as store:
        store.policies.record(program(), who="ann", why="the letter came")
        decide_all(store, clock, 60, every=timedelta(days=8))
        clock.at = datetime.now(UTC)
        store.log.append([draft(store, number, clock()) for number in range(40)])
        clock.pass_(seconds=1)
        store.policies.publish(program(), who="ann", why="in force", expect="none", approver="bob")
        settle(store)
    return folder


@pytest.fixture
def log(built, tmp_path, monkeypatch):
    """A copy of it in the working directory."""
    shutil.copytree(built, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    for name in ("ABAC_DATABASE", "ABAC_AUDIT_KEY", "ABAC_AUDIT_KEY_FILE", "ABAC_SUBJECT_KEYS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "here"


def tampered(statement):
    with open_store() as store:
        assert execute(store, statement)


# --- verify --------------------------------------------------------------------------------------------------


def test_verify_tells_a_whole_log_and_warns_that_no_checkpoint_is_kept(log):
    said = answered("audit", "verify")
    assert said["holds"] is True
    assert said["size"] == 103
    assert said["found"] == {"never-kept": 1}
    result = abac("audit", "verify", "--key", VKEY)
    assert result.exit_code == 0
    assert "The log is whole." in result.stdout
    assert "only with --checkpoint" in result.stdout
    assert "warning[never-kept]" in result.stderr
    assert not Path("abac.db-journal").exists()


def test_verify_names_what_is_wrong_and_exits_with_1(log):
    tampered("UPDATE abac_entries SET kind = 'note' WHERE seq = 7")
    result = abac("audit", "verify")
    assert result.exit_code == 1
    assert "entry 7: error[column-kind]" in result.stderr
    assert "whole" not in result.stdout


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE abac_revisions SET author = 'mallory'", "policy-row"),
        ("UPDATE abac_revisions SET program = x'00'", "policy-row"),
        ("UPDATE abac_publications SET effective_at = effective_at - 1", "policy-row"),
        ("UPDATE abac_directive_events SET at = at + 1 WHERE number = 0", "policy-row"),
        ("DELETE FROM abac_directive_events", "policy-row"),
        ("INSERT INTO abac_holds VALUES (900, 'forged', NULL, NULL, NULL, NULL)", "hold-row"),
        ("INSERT INTO abac_settings VALUES ('retention', '0d', 900)", "setting-row"),
    ],
)
def test_verify_derives_the_other_tables_again(log, statement, code):
    tampered(statement)
    result = abac("audit", "verify", "--json")
    assert result.exit_code == 1
    assert code in json.loads(result.stdout)["found"]


def test_verify_with_a_checkpoint_finds_that_an_old_copy_was_put_back(log):
    shutil.copy("abac.db", "old.db")
    assert abac("audit", "checkpoint", "--to", "kept").exit_code == 0
    assert abac("audit", "verify", "--checkpoint", "kept").exit_code == 0
    with open_store() as store:
        store.log.append([draft(store, 1, datetime.now(UTC))])
        settle(store)
    abac("audit", "checkpoint", "--to", "kept")
    shutil.copy("old.db", "abac.db")
    for path in ("abac.db-wal", "abac.db-shm"):
        Path(path).unlink(missing_ok=True)
    assert abac("audit", "verify").exit_code == 0
    result = abac("audit", "verify", "--checkpoint", "kept", "--json")
    assert result.exit_code == 1
    assert "rolled-back" in json.loads(result.stdout)["found"]


def test_verify_without_any_key_says_that_it_believed_the_log(log):
    Path("abac.db.key").unlink()
    said = answered("audit", "verify")
    assert said["found"] == {"key-unproved": 1, "never-kept": 1}
    assert not Path("abac.db.key").exists()
    assert "key-unproved" not in answered("audit", "verify", "--key", VKEY)["found"]


def test_verify_without_the_subjects_keys_says_so(log):
    Path("abac.db.keys").unlink()
    result = abac("audit", "verify", "--json")
    assert result.exit_code == 1
    assert "keys-missing" in json.loads(result.stdout)["found"]
    assert not Path("abac.db.keys").exists()


def test_bad_input_exits_with_2(log):
    Path("note").write_text("no checkpoint")
    for arguments in (
        ("verify", "--database", "sqlite:///none.db"),
        ("verify", "--checkpoint", "none"),
        ("verify", "--checkpoint", "note"),
        ("verify", "--key", "no+key"),
        ("prove", "u-1"),
        ("prove", "999"),
        ("prove", "5", "--disclose", "subject.nothing"),
        ("verify-receipt", "note", "--key", VKEY),
        ("consistency", "note"),
        ("replay", "--from", "yesterday"),
        ("show", "019792c8-5a00-7000-8000-000000000005"),
        ("export", "--out", "note"),
        ("keygen", "--out", "note"),
        ("keygen", "--out", "new", "--name", "a b"),
        ("checkpoint", "--to", "x", "--every", "often"),
        ("checkpoint", "--to", "note/place"),
        ("redact", *BY),
        ("redact", "--subject", "u-1"),
        ("redact", "--subject", "u-1", *BY),
        ("hold", "lift", "none", *TWO),
        ("retention", "set", "5w", *TWO),
        ("prune", "--before", "2026-01-01", "--archive", "a.gz", *TWO),
    ):
        result = abac("audit", *arguments)
        assert result.exit_code == 2, (arguments, result.stdout, result.stderr)
        assert not Path("none.db").exists()
    assert Path("note").read_text() == "no checkpoint"


def test_on_postgresql(postgres_url, tmp_path, monkeypatch):  # noqa: F811  # the fixture
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ABAC_DATABASE", postgres_url)
    monkeypatch.setenv("ABAC_AUDIT_KEY", KEY.text())
    monkeypatch.delenv("ABAC_SUBJECT_KEYS", raising=False)
    clock = Clock(datetime.now(UTC))
    with open_store(clock=clock, make=True) as store:
        store.policies.record(program(), who="ann", why="the letter came")
        decide_all(store, clock, 30, every=timedelta(seconds=2))
    assert answered("audit", "verify", "--key", VKEY)["found"] == {"never-kept": 1}
    assert answered("audit", "replay")["counts"] == {"match": 30}
    assert abac("audit", "prove", "5", "--out", "5.json", "--disclose", "all").exit_code == 0
    assert answered("audit", "verify-receipt", "5.json", "--key", VKEY)["index"] == 5
    assert abac("audit", "checkpoint", "--to", "kept").exit_code == 0
    tampered("UPDATE abac_entries SET integrated_at = integrated_at + 1 WHERE seq = 9")
    assert abac("audit", "verify", "--checkpoint", "kept").exit_code == 1


# --- receipts ------------------------------------------------------------------------------------------------


def test_a_receipt_is_checked_with_nothing_but_the_key(log, monkeypatch):
    assert abac("audit", "prove", "5", "--out", "5.json", "--disclose", "subject.id").exit_code == 0
    alone = log.parent / "alone"
    alone.mkdir()
    shutil.copy("5.json", alone)
    monkeypatch.chdir(alone)
    said = answered("audit", "verify-receipt", "5.json", "--key", VKEY, "--origin", KEY.name)
    assert (said["index"], said["size"]) == (5, 103)
    assert said["disclosed"]["subject.id"][0] == "u-3"
    assert said["entry"]["seq"] == 5
    assert [p.name for p in alone.iterdir()] == ["5.json"]
    assert abac("audit", "verify-receipt", "5.json", "--key", VKEY).stdout.startswith(
        "This entry stands at place 5"
    )


def test_a_receipt_holds_only_what_is_disclosed(log):
    receipt = json.loads(abac("audit", "prove", "5").stdout)
    assert "openings" not in receipt
    assert "u-3" not in json.dumps(receipt)
    entry = json.loads(receipt["entry"])
    again = json.loads(abac("audit", "prove", entry["id"], "--disclose", "all").stdout)
    assert set(again["openings"]) == set(entry["sealed"])


def test_a_receipt_that_was_changed_proves_nothing(log):
    receipt = json.loads(abac("audit", "prove", "5").stdout)
    receipt["entry"] = receipt["entry"].replace("customer", "staff")
    Path("5.json").write_text(json.dumps(receipt))
    assert abac("audit", "verify-receipt", "5.json", "--key", VKEY).exit_code == 1
    other = SigningKey(KEY.name, bytes(32)).verifying.text()
    assert abac("audit", "verify-receipt", "5.json", "--key", other).exit_code == 1
    assert abac("audit", "verify-receipt", "5.json", "--key", VKEY, "--origin", "other").exit_code == 1


def test_consistency_of_two_checkpoints(log):
    abac("audit", "checkpoint", "--to", "one")
    abac("audit", "checkpoint", "--to", "two")
    said = answered("audit", "consistency", "one", "two")
    assert (said["old"]["size"], said["new"]["size"]) == (103, 104)
    assert said["proof"]
    assert abac("audit", "consistency", "one").exit_code == 0
    assert abac("audit", "consistency", "two", "one").exit_code == 1


# --- replay --------------------------------------------------------------------------------------------------


def test_replay_of_everything_and_of_a_sample(log):
    said = answered("audit", "replay")
    assert said["counts"] == {"match": 100}
    assert answered("audit", "replay", "--sample", "7", "--seed", "1")["counts"] == {"match": 7}
    assert answered("audit", "replay", "--from", "2021-01-01")["counts"] == {"match": 40}
    assert "100 match" in abac("audit", "replay").stdout


def test_replay_under_another_revision_and_with_programs_in_files(log):
    from abac import write_program

    other = program(directive=False)
    write_program(other, "other.json")
    said = answered("audit", "replay", "--revision", other.revision, "--program", "other.json")
    assert {(c["before"], c["after"]) for c in said["changes"]} == {
        ("DENY", "PERMIT"),
        ("INDETERMINATE", "PERMIT"),
    }
    shown = abac("audit", "replay", "--revision", other.revision[:12], "--program", "other.json")
    assert shown.exit_code == 0
    assert "DENY" in shown.stdout
    assert abac("audit", "replay", "--revision", "abcdef012345").exit_code == 2


def test_replay_exits_with_1_where_one_is_a_mismatch(log):
    with open_store() as store:
        forged = draft(store, 1, datetime.now(UTC), by=program(directive=False))
        own, said = program().revision.encode(), program(directive=False).revision.encode()
        store.log.append([forged._replace(body=forged.body.replace(said, own))])
    result = abac("audit", "replay")
    assert result.exit_code == 1
    assert "1 mismatch" in result.stdout
    assert "decision: the log says PERMIT, and it is DENY" in result.stderr


# --- show, list, export, report ------------------------------------------------------------------------------


def test_show_is_legible_and_keeps_what_is_sealed(log):
    shown = abac("audit", "show", "3").stdout
    assert "decision        DENY" in shown or "decision" in shown
    assert "u-1" not in shown
    assert "sealed: " in shown
    assert max(map(len, shown.splitlines())) < 120
    opened = abac("audit", "show", "3", "--disclose").stdout
    assert "u-1" in opened
    assert "d1-foreign-nationals" in opened
    assert "US Department of Commerce" in opened
    assert "letter: SHA-256" in opened
    assert "documented, from identity-provider" in opened
    assert answered("audit", "show", "3")["seq"] == 3
    assert abac("audit", "show", "3", "--html", "3.html").exit_code == 0
    page = Path("3.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "u-1" not in page
    assert "DENY" in page
    assert "the letter came" in abac("audit", "show", "1").stdout


def test_list_filters(log):
    assert len(answered("audit", "list")) == 103
    assert [e["kind"] for e in answered("audit", "list", "--kind", "draft")] == ["draft"]
    denied = answered("audit", "list", "--decision", "DENY", "--model", "fable-5")
    assert denied
    assert {e["decision"] for e in denied} == {"DENY"}
    assert answered("audit", "list", "--decision", "DENY", "--model", "haiku-5") == []
    assert len(answered("audit", "list", "--from", "2020-01-01", "--to", "2021-01-01", "--kind", "decision")) == 60
    shown = abac("audit", "list", "--limit", "3")
    assert len(shown.stdout.splitlines()) == 3
    assert "may be more" in shown.stderr


def test_list_finds_a_subject_through_its_keys(log):
    found = answered("audit", "list", "--subject", "u-3", "--disclose")
    assert len(found) == 15
    assert {e["disclosed"]["subject.id"][0] for e in found} == {"u-3"}
    assert answered("audit", "list", "--subject", "nobody") == []
    assert "disclosed" not in answered("audit", "list", "--subject", "u-3")[0]


def test_export_in_three_formats(log):
    for form in ("jsonl", "csv", "parquet"):
        assert abac("audit", "export", "--format", form, "--out", f"log.{form}").exit_code == 0
    lines = Path("log.jsonl").read_bytes().splitlines()
    with open_store() as store:
        assert lines == [e.bytes for e in store.log.entries()]
    with Path("log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    frame = pl.read_parquet("log.parquet")
    assert [int(r["seq"]) for r in rows] == frame["seq"].to_list() == list(range(103))
    assert [r["decision"] for r in rows] == frame["decision"].to_list()
    assert "u-3" not in Path("log.csv").read_text()
    assert json.loads(rows[5]["sealed"]).keys() == json.loads(lines[5])["sealed"].keys()
    abac("audit", "export", "--out", "open.jsonl", "--disclose", "--from", "2021-01-01")
    opened = [json.loads(line) for line in Path("open.jsonl").read_text().splitlines()]
    assert len(opened) == 41
    assert all(e["disclosed"]["subject.id"][0].startswith("u-") for e in opened[:40])
    assert abac("audit", "export", "--out", "log.csv").exit_code == 2


def test_a_report_is_signed_and_printable(log):
    result = abac("audit", "report", "--from", "2020-01-01", "--to", "2021-01-01", "--out", "2020.json")
    assert result.exit_code == 0
    whole = json.loads(Path("2020.json").read_text())
    made = whole["report"]
    assert made["decisions"] == 60
    assert sum(made["by"]["decision"].values()) == 60
    assert made["verification"]["holds"] is True
    assert made["acts"]["counts"] == {"log": 1, "draft": 1}
    assert "u-3" not in Path("2020.json").read_text()
    assert "Audit report of example.com/decisions" in Path("2020.html").read_text()
    assert answered("audit", "verify-report", "2020.json", "--key", VKEY) == made
    whole["report"]["decisions"] = 61
    Path("2020.json").write_text(json.dumps(whole))
    assert abac("audit", "verify-report", "2020.json", "--key", VKEY).exit_code == 1
    tampered("DELETE FROM abac_entries WHERE seq = 4")
    spoilt = abac("audit", "report", "--from", "2020-01-01", "--to", "2021-01-01", "--out", "spoilt.json")
    assert spoilt.exit_code == 1
    assert json.loads(Path("spoilt.json").read_text())["report"]["verification"]["holds"] is False


# --- keys and checkpoints ------------------------------------------------------------------------------------


def test_keygen_never_overwrites_and_tells_the_public_key_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = abac("audit", "keygen", "--name", "example.com/log", "--out", "key")
    assert result.exit_code == 0
    key = SigningKey.parse(Path("key").read_text().strip())
    assert result.stdout.strip() == key.verifying.text()
    assert key.name == "example.com/log"
    assert stat.S_IMODE(Path("key").stat().st_mode) == 0o600
    assert abac("audit", "keygen", "--out", "key").exit_code == 2
    assert SigningKey.parse(Path("key").read_text().strip()).text() == key.text()
    monkeypatch.setenv("ABAC_AUDIT_KEY_FILE", "key")
    assert abac("audit", "vkey").stdout.strip() == key.verifying.text()


def test_vkey_of_the_log(log):
    assert abac("audit", "vkey").stdout.strip() == VKEY
    assert answered("audit", "vkey") == {"key": VKEY}


def test_a_checkpoint_is_kept_and_never_over_another_past(log):
    said = answered("audit", "checkpoint", "--to", "kept")
    assert (said["size"], said["before"], said["seq"]) == (103, None, 103)
    assert answered("audit", "checkpoint", "--to", "kept")["before"] == 103
    assert answered("audit", "verify", "--checkpoint", "kept")["found"] == {}
    other = Path("kept").read_text().replace("104", "105")
    Path("kept").write_text(other)
    assert abac("audit", "checkpoint", "--to", "kept").exit_code == 2
    assert Path("kept").read_text() == other


class _Elsewhere(BaseHTTPRequestHandler):
    """Another machine: keeps what is PUT, and is full at one place."""

    kept: ClassVar[dict[str, bytes]] = {}

    def do_GET(self):
        held = self.kept.get(self.path)
        self.send_response(404 if held is None else 200)
        self.end_headers()
        self.wfile.write(held or b"")

    def do_PUT(self):
        refused = self.path == "/full"
        if not refused:
            self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(507 if refused else 201)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_checkpoint_is_kept_by_http(log):
    server = HTTPServer(("127.0.0.1", 0), _Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        assert answered("audit", "checkpoint", "--to", f"{url}/log")["before"] is None
        assert answered("audit", "checkpoint", "--to", f"{url}/log")["before"] == 103
        assert _Elsewhere.kept["/log"].startswith(b"example.com/decisions\n104\n")
        assert abac("audit", "checkpoint", "--to", f"{url}/full").exit_code == 2
    finally:
        server.shutdown()
        server.server_close()
    assert abac("audit", "checkpoint", "--to", f"{url}/log").exit_code == 2
    assert answered("audit", "verify")["found"] == {}


# --- letting go ----------------------------------------------------------------------------------------------


def test_redact_by_age_then_the_log_verifies_and_replays(log):
    dry = answered("audit", "redact", "--before", "2020-03-01", "--dry-run")
    assert dry["entries"] > 0
    assert answered("audit", "list", "--kind", "redaction") == []
    done = answered("audit", "redact", "--before", "2020-03-01", *BY)
    assert done["destroyed"] == dry["keys"] > 0
    assert answered("audit", "verify")["found"] == {"never-kept": 1}
    counts = answered("audit", "replay")["counts"]
    assert counts == {"match": 100 - dry["entries"], "consistent": dry["entries"]}
    (entry,) = answered("audit", "list", "--kind", "redaction")
    assert entry["what"]["handles"]
    assert entry["who"] == "ann"
    assert answered("audit", "redact", "--resume") == {"keys": 0, "openings": 0}


def test_a_subjects_erasure_inside_the_period_needs_two_names_and_a_basis(log):
    erase = ("audit", "redact", "--subject", "u-3", *BY)
    assert abac(*erase).exit_code == 2
    assert abac(*erase, "--approver", "bob").exit_code == 2
    assert abac(*erase, "--basis", "Art. 17(1)(d) GDPR").exit_code == 2
    assert abac(*erase, "--approver", "Ann", "--basis", "Art. 17(1)(d) GDPR").exit_code == 2
    assert abac("audit", "hold", "add", "Doe v. Roe", "--subject", "u-3", *BY).exit_code == 0
    assert abac(*erase, "--approver", "bob", "--basis", "Art. 17(1)(d) GDPR").exit_code == 2
    (hold,) = answered("audit", "hold", "list")
    assert hold["name"] == "Doe v. Roe"
    assert abac("audit", "hold", "lift", "Doe v. Roe", *BY, "--approver", "ann").exit_code == 2
    assert abac("audit", "hold", "lift", "Doe v. Roe", *TWO).exit_code == 0
    assert answered("audit", "hold", "list") == []
    assert answered("audit", "hold", "list", "--all")[0]["lifted"] is not None
    assert abac(*erase, "--approver", "bob", "--basis", "Art. 17(1)(d) GDPR").exit_code == 0
    assert answered("audit", "list", "--subject", "u-3") == []
    assert answered("audit", "verify")["found"] == {"never-kept": 1}


def test_retention(log):
    assert answered("audit", "retention", "show") == {"period": "5y"}
    assert answered("audit", "retention", "set", "10y", *TWO) == {"period": "10y", "before": "5y"}
    assert abac("audit", "redact", "--before", "2020-03-01", *BY).exit_code == 2
    assert answered("audit", "verify")["found"] == {"never-kept": 1}


def test_pruned_decisions_prove_from_their_archive(log):
    dry = answered("audit", "prune", "--before", "2020-02-15", "--archive", "old.gz", "--dry-run")
    assert not Path("old.gz").exists()
    done = answered("audit", "prune", "--before", "2020-02-15", "--archive", "old.gz", *TWO)
    assert done["entries"] == dry["entries"] == 50
    with gzip.open("old.gz") as file:
        assert len(file.readlines()) == 51
    assert answered("audit", "verify", "--archive", "old.gz")["found"] == {"never-kept": 1}
    assert abac("audit", "prove", "5").exit_code == 2
    receipt = ("audit", "prove", "5", "--archive", "old.gz", "--out", "5.json", "--disclose", "all")
    assert abac(*receipt).exit_code == 0
    assert answered("audit", "verify-receipt", "5.json", "--key", VKEY)["index"] == 5
    assert answered("audit", "show", "5", "--archive", "old.gz")["seq"] == 5
    assert answered("audit", "replay")["archived"] == 50
    Path("old.gz").write_bytes(Path("old.gz").read_bytes()[:-30])
    assert abac("audit", "verify", "--archive", "old.gz").exit_code == 1

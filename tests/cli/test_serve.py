"""`abac serve` and `abac key`: one command, a URL and a curl that works; keys shown once."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.cli.running import abac as run
from tests.rest.processes import serving


def _run(curl: str) -> httpx.Response:
    """Do what a curl says."""
    words = shlex.split(curl)
    assert words[0] == "curl"
    headers = dict(w.split(": ", 1) for flag, w in pairwise(words) if flag == "-H")
    return httpx.post(words[1], content=words[words.index("-d") + 1], headers=headers, timeout=20)


def test_one_command_serves_and_its_curl_works(tmp_path: Path):
    with serving(tmp_path) as served:
        assert served.url.startswith("http://127.0.0.1:")
        answer = _run(served.curl)
        assert (answer.status_code, answer.json()["decision"]) == (200, True)
        assert httpx.post(f"{served.url}/access/v1/evaluation", json={}).status_code == 401
    assert served.process.returncode == 0
    assert run("audit", "verify", "--database", f"sqlite:///{tmp_path}/abac.db").exit_code == 0
    found = run("audit", "show", answer.json()["context"]["id"], "--database", f"sqlite:///{tmp_path}/abac.db")
    assert "PERMIT" in found.stdout


def test_the_first_key_is_kept_as_a_digest_and_serves_again(tmp_path: Path):
    with serving(tmp_path) as served:
        key = re.search(r"abac_\w+", served.curl)
        assert key is not None
    kept = (tmp_path / "abac-keys.yaml").read_text()
    assert key.group() not in kept
    with serving(tmp_path) as served:
        assert "$ABAC_KEY" in served.curl
        body = {
            "subject": {"type": "person", "id": "a"},
            "action": {"name": "invoke"},
            "resource": {"type": "m", "id": "m"},
        }
        headers = {"authorization": f"Bearer {key.group()}"}
        assert httpx.post(f"{served.url}/access/v1/evaluation", json=body, headers=headers).status_code == 200


def test_without_authentication_it_serves_loopback_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path, "--unsafe-no-auth") as served:
        assert "Authorization" not in served.curl
        assert _run(served.curl).status_code == 200
    refused = run("serve", "--unsafe-no-auth", "--host", "0.0.0.0")  # noqa: S104  # refused
    assert refused.exit_code == 2
    assert "loopback" in refused.stderr


def test_settings_and_policies_that_are_wrong_are_told_with_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "abac.yaml").write_text("prot: 1\n")
    found = run("serve", "--config", str(tmp_path / "abac.yaml"))
    assert (found.exit_code, "did you mean `port`" in found.stderr) == (2, True)
    (tmp_path / "abac.yaml").write_text("notice: {posture: shutdown}\n")
    found = run("serve", "--config", str(tmp_path / "abac.yaml"))
    assert (found.exit_code, "abac policy posture" in found.stderr) == (2, True)
    (tmp_path / "schema.yaml").write_text("schema: abac/9\n")
    found = run("serve", "--unsafe-no-auth", "--policies", str(tmp_path))
    assert (found.exit_code, "schema.yaml:1:1" in found.stderr) == (2, True)
    assert not (tmp_path / "abac.db").exists()


def test_tls_files_that_cannot_be_used_are_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "server.pem").write_text("no certificate")
    words = ("serve", "--unsafe-no-auth", "--tls-certificate", "server.pem", "--tls-key")
    for key in ("server.pem", "nowhere.pem"):
        found = run(*words, key)
        assert (found.exit_code, "tls_certificate, tls_key" in found.stderr) == (2, True)
    assert not (tmp_path / "abac.db").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenarios: nowhere", "scenarios: nowhere is no folder"),
        ("jobs: /dev/null/jobs", "jobs:"),
        ("keys: nowhere/keys.yaml", "cannot be made"),
        ("metadata_key: nowhere.pem", "metadata_key"),
    ],
)
def test_places_that_are_not_there_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "abac.yaml").write_text(f"{text}\nport: 0\n")
    found = run("serve", "--config", "abac.yaml")
    assert (found.exit_code, told in found.stderr) == (2, True), found.stderr


def test_an_address_that_is_taken_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path, "--unsafe-no-auth") as served:
        found = run("serve", "--unsafe-no-auth", "--port", served.url.rpartition(":")[2])
    assert (found.exit_code, "cannot listen" in found.stderr) == (2, True)


def test_tables_of_another_version_are_named_and_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("abac.db") as connection:
        connection.execute("CREATE TABLE abac_schema (version_num TEXT)")
        connection.execute("INSERT INTO abac_schema VALUES ('0000')")
    found = run("serve", "--unsafe-no-auth")
    assert found.exit_code == 2
    assert "migration 0000" in found.stderr
    assert "abac db upgrade" in found.stderr


def test_a_store_that_wants_two_persons_is_not_published_to_by_starting_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert run("new", "policies").exit_code == 0
    words = ("--expect", "none", "--who", "ada", "--approver", "ben", "--why", "first", "--source-commit", "none")
    assert run("publish", "policies", *words).exit_code == 0
    rules = next((tmp_path / "policies").rglob("rules.csv"))
    rules.write_text(rules.read_text().replace("<= 5", "<= 4"))
    found = run("serve", "--unsafe-no-auth", "--policies", "policies")
    assert (found.exit_code, "wants two persons" in found.stderr) == (2, True)
    with serving(tmp_path, "--unsafe-no-auth") as served:
        assert "by ada and ben" in served.told()


def test_a_first_key_of_the_settings_is_an_entry_of_the_log_and_made_once(tmp_path: Path):
    own = run("key", "text")
    text, digest = own.stdout.strip(), own.stderr.split()[-1]
    (tmp_path / "abac.yaml").write_text(f'who: Ada\nfirst_key: {{name: Ada, digest: "{digest}"}}\n')
    where = ("--database", f"sqlite:///{tmp_path}/abac.db")
    headers = {"authorization": f"Bearer {text}"}
    with serving(tmp_path, "--config", "abac.yaml") as served:
        assert "first key" in served.told()
        assert "$ABAC_KEY" in served.curl
        (held,) = httpx.get(f"{served.url}/admin/v1/keys", headers=headers).json()
    assert (held["name"], held["roles"]) == ("Ada", ["audit", "decide", "publish", "read"])
    assert not (tmp_path / "abac-keys.yaml").exists()
    made = [
        one for one in json.loads(run("audit", "list", "--json", *where).stdout) if one["kind"] == "api-key-made"
    ]
    assert [one["who"] for one in made] == ["Ada"]
    assert run("audit", "verify", *where).exit_code == 0
    assert run("key", "revoke", held["id"], *where, "--who", "Ada", "--why", "w").exit_code == 0
    with serving(tmp_path, "--config", "abac.yaml") as served:
        assert "first key" not in served.told()
        assert httpx.get(f"{served.url}/admin/v1/keys", headers=headers).status_code == 401


def test_a_first_key_of_somebody_else_waits_where_two_persons_are_wanted(tmp_path: Path):
    digest = run("key", "text").stderr.split()[-1]
    where = ("--database", f"sqlite:///{tmp_path}/abac.db")
    assert run("new", str(tmp_path / "policies")).exit_code == 0
    words = ("--expect", "none", "--who", "ada", "--approver", "ben", "--why", "first", "--source-commit", "none")
    assert run("publish", str(tmp_path / "policies"), *words, *where).exit_code == 0
    (tmp_path / "abac.yaml").write_text(f'who: Ada\nfirst_key: {{name: Bob, digest: "{digest}"}}\n')
    with serving(tmp_path, "--config", "abac.yaml") as served:
        assert "opens nothing yet" in served.told()
    (held,) = json.loads(run("key", "list", "--json", *where).stdout)
    assert held["pending"] == "Ada"


def test_a_key_may_be_limited_to_some_resources(tmp_path: Path):
    file = ("--keys", str(tmp_path / "keys.yaml"))
    assert run("key", "new", "gateway", "--about", "model=fable-5", "--about", "tool", *file).exit_code == 0
    (held,) = json.loads(run("key", "list", "--json", *file).stdout)
    assert held["about"] == ["model=fable-5", "tool"]
    assert "about model=fable-5, tool" in run("key", "list", *file).stdout
    assert run("key", "change", held["id"], "--about", "model", *file).exit_code == 0
    (held,) = json.loads(run("key", "list", "--json", *file).stdout)
    assert held["about"] == ["model"]
    found = run("key", "new", "x", "--about", "=", *file)
    assert (found.exit_code, "--about" in found.stderr) == (2, True)


def test_a_key_is_made_rotated_shown_and_revoked(tmp_path: Path):
    file = str(tmp_path / "keys.yaml")
    made = run(
        "key", "new", "gateway", "--keys", file, "--role", "decide", "--ceiling", "documented", "--days", "90"
    )
    text = made.stdout.strip()
    assert re.fullmatch(r"abac_[0-9a-f]{16}_[0-9a-f]{64}", text)
    (held,) = json.loads(run("key", "list", "--keys", file, "--json").stdout)
    assert (held["name"], held["ceiling"], held["roles"]) == ("gateway", "documented", ["decide"])
    rotated = run("key", "rotate", held["id"], "--keys", file).stdout.strip()
    assert rotated.startswith(text.rsplit("_", 1)[0])
    assert rotated != text
    assert run("key", "revoke", held["id"], "--keys", file).exit_code == 0
    assert held["id"] in run("key", "list", "--keys", file).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("new", "x", "--role", "decidee"), "did you mean `decide`"),
        (("new", "x", "--ceiling", "high"), "--ceiling"),
        (("rotate", "nokey"), "no key `nokey`"),
        (("revoke", "nokey"), "no key `nokey`"),
    ],
)
def test_what_is_wrong_with_a_key_is_told(tmp_path: Path, words: tuple[str, ...], told: str):
    found = run("key", *words, "--keys", str(tmp_path / "keys.yaml"))
    assert (found.exit_code, told in found.stderr) == (2, True)


def test_keys_in_a_database_are_acts_of_somebody_for_a_reason(tmp_path: Path):
    where = ("--database", f"sqlite:///{tmp_path}/abac.db")
    acts = (*where, "--who", "Ada", "--why", "w")
    assert "--who" in run("key", "new", "gateway", *where).stderr
    text = run("key", "new", "gateway", "--sees", "subject.id", *acts).stdout.strip()
    (held,) = json.loads(run("key", "list", "--json", *where).stdout)
    assert (held["name"], held["sees"], "pending" in held) == ("gateway", ["subject.id"], False)
    rotated = run("key", "rotate", held["id"], *acts).stdout.strip()
    assert (rotated != text, rotated.startswith(text.rsplit("_", 1)[0])) == (True, True)
    run("key", "change", held["id"], "--role", "decide", "--role", "read", "--days", "9", *acts)
    (held,) = json.loads(run("key", "list", "--json", *where).stdout)
    assert (held["roles"], held["sees"], "until" in held) == (["decide", "read"], ["subject.id"], True)
    assert run("key", "revoke", held["id"], *acts).exit_code == 0
    kinds = [one["kind"] for one in json.loads(run("audit", "list", "--json", *where).stdout)]
    assert kinds == ["log", "api-key-made", "api-key-rotated", "api-key-changed", "api-key-revoked"]
    assert run("audit", "verify", *where).exit_code == 0


def test_a_key_that_may_publish_takes_a_second_person(tmp_path: Path):
    where = ("--database", f"sqlite:///{tmp_path}/abac.db")
    made = run("key", "new", "Bob", "--role", "publish", *where, "--who", "Ada", "--why", "w")
    identity = made.stdout.split("_")[1]
    assert "somebody else approves it" in made.stderr
    alone = run("key", "approve", identity, *where, "--who", "Ada", "--why", "w")
    assert (alone.exit_code, "policy-same-person" in alone.stderr) == (2, True)
    assert run("key", "approve", identity, *where, "--who", "Cy", "--why", "w").exit_code == 0
    at_once = run(
        "key", "new", "Bob", "--role", "publish", *where, "--who", "Ada", "--approver", "Cy", "--why", "w"
    )
    assert "approves" not in at_once.stderr


def test_a_key_is_made_of_a_digest_and_its_holder_alone_has_the_text(tmp_path: Path):
    file = tmp_path / "keys.yaml"
    own = run("key", "text")
    text, digest = own.stdout.strip(), own.stderr.split()[-1]
    made = run("key", "new", "Bob", "--keys", str(file), "--digest", digest)
    assert (made.stdout, text.split("_")[1] in made.stderr) == ("", True)
    assert digest.partition(":")[2] in file.read_text()
    assert "no digest" in run("key", "new", "Bob", "--keys", str(file), "--digest", "x").stderr

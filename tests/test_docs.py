"""The examples of `docs/sources.md` and `docs/client.md` run, and print what they say they print."""

import asyncio
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from abac.errors import Findings
from abac.language.sources import read_sources
from abac.service.load import load_schema
from tests.cli.running import abac
from tests.client.todo import BETH, MORTY, Todo

ROOT = Path(__file__).parent.parent
SOURCES, CLIENT = ((ROOT / "docs" / f"{name}.md").read_text() for name in ("sources", "client"))
NORTHWIND = "- {id: ana, passports: [US], organisation: Northwind}\n"


def blocks(document, language):
    return re.findall(rf"```{language}\n(.*?)```", document, re.DOTALL)


def prints_what_it_says(code, example, folder):
    said = re.findall(r"print\(.*\)  # (.*)", example)
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert said
    assert ran.stdout.splitlines() == said


@pytest.fixture
def folder(tmp_path):
    for name in ("policies", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "staff.yaml").write_text(NORTHWIND)
    return tmp_path


def test_the_document_of_sources_is_sound():
    (document,) = blocks(SOURCES, "yaml")
    findings = Findings()
    declared = read_sources(document, "sources.yaml", load_schema(ROOT / "policies" / "schema.yaml"), findings)
    assert findings.errors == ()
    assert [one.name for one in declared] == ["staff", "desk", "models"]


def test_the_example_with_sources_prints_what_its_comments_say(folder):
    (document,), (example,) = blocks(SOURCES, "yaml"), blocks(SOURCES, "python")
    first = {"sources": yaml.safe_load(document)["sources"][:1]}  # the others need servers
    (folder / "sources.yaml").write_text(yaml.safe_dump(first))
    prints_what_it_says(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{example}", example, folder)


def test_the_example_with_a_client_prints_what_its_comments_say(folder):
    todo = Todo().up()
    example = blocks(CLIENT, "python")[0]
    code = example.replace('"morty"', repr(MORTY)).replace('"beth"', repr(BETH))
    setting = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nURL, KEY = {todo.url!r}, 'k'\n"
    prints_what_it_says(setting + code, example, folder)
    todo.down()


def test_the_example_with_a_guard_guards(folder, monkeypatch):
    monkeypatch.chdir(folder)
    space: dict = {}
    exec(blocks(CLIENT, "python")[1], space)  # noqa: S102  # our own document
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/models/fable-5", "headers": [], "query_string": b""}
    scope["headers_of_the_session"] = {"user": "ana"}
    asyncio.run(space["app"](scope, None, send))
    assert sent[0]["status"] in (403, 451)
    sent.clear()
    asyncio.run(space["app"](scope | {"path": "/health"}, None, send))
    assert sent[0]["status"] == 404


def test_every_kind_of_failure_that_the_document_names_is_one():
    from abac.pip.source import FailureKind

    kinds = {kind.value for kind in FailureKind} - {"fault"}
    assert kinds <= set(re.findall(r"`([a-z-]+)`", SOURCES))


def test_the_commands_of_the_page_on_ownership_run(tmp_path, monkeypatch):
    for example in (ROOT / "docs" / "examples").iterdir():
        (tmp_path / example.name).write_bytes(example.read_bytes())
    monkeypatch.chdir(tmp_path)
    lines = "".join(blocks((ROOT / "docs" / "ownership.md").read_text(), "sh")).replace("\\\n", " ").splitlines()
    assert len(lines) == 5
    for line in lines:
        result = abac(*shlex.split(line)[1:])
        assert result.exit_code == 0, result.stderr

"""The Containerfile: what it says, and that its own commands, run without a container engine, make a server.

No image is built: isolation, the read-only root and the user are an engine's part. The law runs every RUN in
order, with the image's folders put into one of the test's, then the entry point and the health check.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import tomllib
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import pytest

from tests.rest.processes import until

ROOT = Path(__file__).parents[1]


class Step(NamedTuple):
    word: str
    rest: str


def steps() -> list[Step]:
    lines = [line for line in (ROOT / "Containerfile").read_text().splitlines() if line and line[0] != "#"]
    assert not any(line.endswith("\\") for line in lines), "one step, one line"
    return [Step(*line.split(" ", 1)) for line in lines]


def last(word: str) -> str:
    return [step.rest for step in steps() if step.word == word][-1]


def stage(number: int) -> list[Step]:
    starts = [n for n, step in enumerate(steps()) if step.word == "FROM"] + [None]
    return steps()[starts[number] : starts[number + 1]]


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for step in steps() if step.word == "ENV" for pair in shlex.split(step.rest))


def test_it_builds_in_one_stage_and_runs_in_another_from_plain_image_names():
    froms = [step.rest for step in steps() if step.word == "FROM"]
    assert froms == ["python:3.11-slim AS build", "python:3.11-slim"]
    assert not [step for step in stage(1) if step.word == "RUN" and "pip" in step.rest]
    assert "COPY --from=build /opt/abac /opt/abac" in [" ".join(step) for step in stage(1)]


def test_it_runs_as_nobody_in_particular_and_writes_to_its_volume_only():
    user = last("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    words = [step.word for step in stage(1)]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert last("VOLUME") == last("WORKDIR") == "/data"
    held = environment()
    assert held["ABAC_DATABASE"].startswith("sqlite:////data/")
    assert held["ABAC_KEYS"].startswith("/data/")
    assert held["PYTHONDONTWRITEBYTECODE"] == "1"


def test_it_installs_the_pinned_versions_with_what_serving_needs():
    installs = [step.rest for step in stage(0) if "pip " in step.rest]
    assert len(installs) == 2
    assert all("--constraint constraints.txt" in line for line in installs)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (named,) = re.findall(r"\[([a-z,]+)\]", installs[1])
    assert set(named.split(",")) <= set(extras)


def test_what_is_copied_is_there_and_no_more_than_that():
    named = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert all((ROOT / name).exists() for name in named)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "constraints.txt"} <= set(named)


@pytest.mark.law
def test_its_commands_make_a_server_that_is_healthy(tmp_path: Path):
    source, data = tmp_path / "src", tmp_path / "data"
    for name in [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"]:
        of = ROOT / name
        source.mkdir(exist_ok=True)
        (shutil.copytree if of.is_dir() else shutil.copy)(of, source / name)
    data.mkdir()

    def here(text: str) -> str:
        return re.sub(r"(?<![\w.])/(src|opt/abac|wheels|data)\b", lambda m: f"{tmp_path}/{m[1]}", text)

    for step in stage(0):
        if step.word == "RUN":
            subprocess.run(["sh", "-ec", here(step.rest)], cwd=source, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    held = {name: here(value) for name, value in environment().items()}
    held = held | {"ABAC_PORT": str(port), "HOME": str(tmp_path)}
    held["PATH"] = held["PATH"].replace("$PATH", os.environ["PATH"])
    held["ABAC_DATABASE"] = f"sqlite:///{data}/abac.db"
    command = json.loads(last("ENTRYPOINT")) + json.loads(last("CMD"))
    program = shutil.which(command[0], path=held["PATH"])
    assert program is not None
    assert program.startswith(str(tmp_path))
    (health,) = re.findall(r"CMD (\[.*\])", last("HEALTHCHECK"))
    before = set((tmp_path / "opt").rglob("*"))
    with subprocess.Popen([program, *command[1:]], cwd=data, env=held) as server:
        try:
            until(lambda: subprocess.run(json.loads(health), env=held, check=False).returncode == 0, 120)
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
                assert json.loads(answer.read())["status"] == "ready"
        finally:
            server.terminate()
            assert server.wait(60) == 0
    assert set((tmp_path / "opt").rglob("*")) == before, "nothing is written beside the volume"
    assert {path.name for path in data.iterdir()} >= {"abac.db", "keys.yaml"}

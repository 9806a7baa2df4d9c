"""Two publishers in processes of their own cannot both win."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from abac.service.program_file import write_program
from tests.policy_stores import KEY, clock, postgres, program, store, url  # noqa: F401  # fixtures

ROOT = Path(__file__).parents[3]

RIVAL = """
import sys, time
from pathlib import Path
from abac.bootstrap import Settings, open_store
from abac.service.program_file import read_program
from abac.storage.policies.errors import PolicyStaleError

url, key, file, expect, who, folder = sys.argv[1:]
program = read_program(file)
with open_store(Settings(url, key=key)) as store:
    Path(folder, who).touch()
    while len(list(Path(folder).glob("rival-*"))) < 3:
        time.sleep(0.001)
    try:
        store.policies.publish(program, who=who, approver="Bob", why="a race", expect=expect)
    except PolicyStaleError as error:
        print(error.code)
    else:
        print("won")
"""


def test_of_three_processes_that_saw_the_same_one_wins(store, url, tmp_path):  # noqa: F811
    store.policies.publish(program(), who="Ada", approver="Bob", why="first", expect="none")
    (tmp_path / "ready").mkdir()
    started = []
    for tier in (1, 2, 3):
        write_program(program(tier), tmp_path / f"{tier}.abac")
        given = (url, KEY, tmp_path / f"{tier}.abac", program().revision, f"rival-{tier}", tmp_path / "ready")
        command = [sys.executable, "-c", RIVAL, *map(str, given)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT))
    said = sorted(one.communicate()[0].strip() for one in started)
    assert said == ["policy-stale", "policy-stale", "won"]
    assert [one.returncode for one in started] == [0, 0, 0]
    assert len(store.policies.publications.all()) == 2
    assert list(store.policies.mismatches()) == []

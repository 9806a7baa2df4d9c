"""The README's library example runs, and prints what it says it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_example_prints_what_its_comments_say():
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None
    said = re.findall(r"print\(.*\)  # (.*)", example.group(1))
    command = [sys.executable, "-c", example.group(1)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    printed = ran.stdout.splitlines()
    assert len(said) == len(printed) == 3
    for claim, line in zip(said, printed, strict=True):
        head, dots, _ = claim.partition(", ...")
        assert line.startswith(head)
        assert dots or line == claim


def test_the_recorded_example_prints_what_its_comment_says(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    recorded = next(block for block in blocks if "RecordedPoint" in block)
    (said,) = re.findall(r"print\(.*\)  # (.*)", recorded)
    command = [sys.executable, "-c", blocks[0] + recorded]
    kept = os.environ | {"ABAC_DATABASE": f"sqlite:///{tmp_path}/abac.db"}
    ran = subprocess.run(command, cwd=ROOT, env=kept, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == said


def test_importing_abac_is_light():
    code = (
        "import sys, abac; "
        "heavy = {'polars', 'numpy', 'altair', 'typer', 'rich', 'jsonschema', 'yaml', 'casbin', 'sqlalchemy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"

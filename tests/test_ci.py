"""What decides whether a change lands fails on a needless skip and on an empty run; long files come first."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONGEST

SCRIPT = Path(__file__).parent.parent / "scripts" / "skipped.py"
CASE = '<testsuites><testsuite><testcase classname="c" name="t">{}</testcase></testsuite></testsuites>'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (CASE.format(""), 0),
        (CASE.format('<skipped type="pytest.skip" message="no browser"/>'), 1),
        (CASE.format('<skipped type="pytest.skip" message="cannot here: no such machine"/>'), 0),
        (CASE.format('<skipped type="pytest.xfail" message="known"/>'), 0),
        ("<testsuites><testsuite/></testsuites>", 1),
        (None, 1),
    ],
)
def test_a_needless_skip_or_an_empty_run_fails(tmp_path, text, code):
    results = tmp_path / "tests.xml"
    if text is not None:
        results.write_text(text)
    assert subprocess.run([sys.executable, SCRIPT, results], capture_output=True, check=False).returncode == code


def test_the_files_that_begin_first_are_there():
    assert [file for file in LONGEST if not (Path(__file__).parent / file).is_file()] == []

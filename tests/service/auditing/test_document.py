"""What `docs/audit.md` says of findings and verbs is what there is."""

import re
from pathlib import Path

from abac.cli.audit import app

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")


def test_every_code_that_can_be_found_is_in_the_document():
    source = "\n".join(
        p.read_text(encoding="utf-8") for p in (ROOT / "abac" / "service" / "auditing").glob("*.py")
    )
    codes = set(re.findall(r'\.(?:add|warn)\(\s*"([a-z]+-[a-z-]+)"', source))
    assert len(codes) > 25
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()


def test_every_verb_is_in_the_document():
    verbs = [c.name for c in app.registered_commands] + [g.name for g in app.registered_groups]
    assert {verb for verb in verbs if f"{verb}" not in DOCUMENT} == set()

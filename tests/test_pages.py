"""Every command that README and the pages of `docs/` show is there, with the options that they show.

They are looked up and not run; `test_readme` and `test_docs` run the examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from abac.cli.app import app

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]
SHOWN = re.compile(r"^(?:    )?abac ([a-z].*)|`abac ([a-z][^`]*)`", re.MULTILINE)
BESIDE = re.compile(r" +#.*|   .*")
"""What a line says of its command: behind a `#`, or three spaces on."""


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every command, whether it has a line of its own or stands within a sentence."""
    for line, within in SHOWN.findall(re.sub(r"\\\n *", "", text)):
        yield re.sub(r"\.\.\.|[\[\]]", " ", BESIDE.sub("", line or within)).split()


def missing(words: list[str]) -> list[str]:
    """Return the verbs and options of a command that there are not."""
    found = get_command(app)
    for word in words:
        verbs = getattr(found, "commands", None)
        if verbs is None or word.startswith("-"):
            break
        if word not in verbs and "answers" not in verbs:  # the verb of `abac ownership` that may be left out
            return [word]
        found = verbs.get(word, verbs.get("answers"))
    options = {name for one in found.params for name in (*one.opts, *one.secondary_opts)}
    return [word for word in words if word.startswith("--") and word not in options]


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_on_a_page_are_there(page):
    shown = list(commands((ROOT / page).read_text()))
    assert [(words, missing(words)) for words in shown if missing(words)] == []


def test_a_command_that_is_not_there_is_noticed():
    (verb,), (option,) = map(
        missing, commands("`abac audit verifi`\n    abac stress june-2026 --draw 5  # as --it")
    )
    assert (verb, option) == ("verifi", "--draw")
    assert list(commands("abac db size    what --it says\nabac a [--b C]... \\\n  --d")) == [
        ["db", "size"],
        ["a", "--b", "C", "--d"],
    ]

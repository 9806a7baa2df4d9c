"""What git says of a folder: the commit that is checked out, and whether files differ from it.

Asked of the program `git`, which is not needed: without it, or outside a checkout, there is no commit to name.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

DIRTY = "-dirty"
"""What follows a commit whose files were changed since, as `git describe --dirty` has it."""

LEFT = 58
"""Digits of a commit's digest that are kept before that: a SHA-1 whole, of a SHA-256 what there is room for."""

LONGEST = 10.0
"""Seconds that git may take."""

_MOVED = ("HEAD", "index", "logs/HEAD")
"""Files of git's own that change with what is checked out."""


class Checkout(NamedTuple):
    """A commit's digest, empty where there is none, and whether files differ from it."""

    commit: str = ""
    dirty: bool = False

    def __str__(self) -> str:
        return f"{self.commit[:LEFT]}{DIRTY}" if self.dirty and self.commit else self.commit


def checkout(paths: Sequence[Path]) -> Checkout:
    """Return what is checked out where the first path lies; `dirty` is of these paths only.

    Files that git does not know come from no commit, though they may lie in a checkout.
    """
    folder = paths[0].absolute()
    folder = folder if folder.is_dir() else folder.parent
    absolute = [str(path.absolute()) for path in paths]
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit or not _git(folder, "ls-files", "--", absolute[0]):
        return Checkout()
    changed = _git(folder, "status", "--porcelain", "--", *absolute)
    return Checkout(commit, changed != "")


def marks(path: Path) -> Iterator[Path]:
    """Yield git's own files that change when another commit is checked out, where there is a checkout."""
    start = path.absolute()
    for folder in (start, *start.parents):
        found = folder / ".git"
        if found.is_file():  # a worktree's, that names its place
            named = found.read_text(encoding="utf-8", errors="replace").removeprefix("gitdir:").strip()
            found = folder / named
        if found.is_dir():
            yield from (found / name for name in _MOVED)
            return


def _git(folder: Path, *words: str) -> str | None:
    """Return what git answers, None where it does not."""
    command = ["git", "--no-optional-locks", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LONGEST, check=True, text=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()

"""Write the folder that `abac new` gives: small, complete, and accepted by `check`, `test` and `simulate`.

The files are package data in `templates/`, and are read by the tests as any user's would be.
"""

from __future__ import annotations

import shutil
import tempfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from abac.errors import CompileError
from abac.service.files import refused

NEXT = (
    "abac check {folder}",
    "abac test {folder}",
    "abac simulate {folder} --out {folder}/out",
    "abac population inspect {folder}/scenarios/first/population.csv --schema {folder}/schema.yaml",
)
"""What to type after it."""


def files(directory: Path) -> list[Path]:
    """Return the files that `write` would write; `CompileError` where it would refuse."""
    _empty(directory)
    return [directory / name for name in sorted(_templates())]


def write(directory: Path) -> list[Path]:
    """Write the folder whole or not at all, and return its files. Refuses a folder that holds anything."""
    _empty(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
        try:
            for name, content in _templates().items():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                (made / name).write_bytes(content)
            made.chmod(0o755)
            made.rename(directory)  # onto nothing or an empty folder, else it fails
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise refused(directory, "file", error.strerror or str(error)) from None
    return files_in(directory)


def files_in(directory: Path) -> list[Path]:
    """Return the files of a starter folder, sorted."""
    return [directory / name for name in sorted(_templates())]


def _empty(directory: Path) -> None:
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise _occupied(directory)


def _occupied(directory: Path) -> CompileError:
    what = "the folder is not empty" if directory.is_dir() else "there is a file of that name"
    return refused(directory, "exists", f"{what}, and nothing is overwritten")


def _templates() -> dict[str, bytes]:
    """Return the content of every template by its path below `templates/`."""
    found: dict[str, bytes] = {}

    def gather(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                gather(entry, f"{prefix}{entry.name}/")
            else:
                found[prefix + entry.name] = entry.read_bytes()

    gather(resources.files("abac.service") / "templates", "")
    return found

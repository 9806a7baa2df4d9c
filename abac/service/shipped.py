"""Find what abac ships with: `models/`, `policies/` and `migrations/`, beside the checkout or inside the wheel.

Also says which scenario a name, a file or a folder stands for. Reads no file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import abac
from abac.errors import CompileError, Diagnostic, Span, did_you_mean

SCENARIO = "scenario.yaml"


def shipped(kind: Literal["models", "policies", "migrations"]) -> Path:
    """Return the folder of that kind that came with abac.

    >>> (shipped("models") / "abac.conf").is_file()
    True
    """
    package = Path(abac.__file__).parent
    beside = package.parent / kind
    if (package.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return package / "_shipped" / kind


def scenario(given: str) -> Path:
    """Return the scenario document that `given` stands for: a file, a folder, or the name of a shipped one.

    A folder is a scenario's own, or one with a single scenario in its `scenarios/` (as `abac new` writes it).
    Raises `CompileError` where there is none.
    """
    path = Path(given)
    if path.is_dir():
        return _in_folder(path)
    folder = shipped("policies") / "scenarios"
    names = sorted(p.parent.name for p in folder.glob(f"*/{SCENARIO}"))
    if not path.exists() and given in names:
        return folder / given / SCENARIO
    if not path.exists():
        hint = did_you_mean(given, names) or f"shipped scenarios: {', '.join(names)}"
        raise _none(path, f"no such file or folder, and no shipped scenario `{given}`", hint)
    return path


def _in_folder(path: Path) -> Path:
    if (path / SCENARIO).is_file():
        return path / SCENARIO
    found = sorted(path.glob(f"scenarios/*/{SCENARIO}"))
    if len(found) == 1:
        return found[0]
    if found:
        raise _none(
            path, "the folder holds several scenarios", "one of " + ", ".join(str(f.parent) for f in found)
        )
    raise _none(path, f"the folder holds no `{SCENARIO}`", "")


def _none(path: Path, message: str, hint: str) -> CompileError:
    return CompileError([Diagnostic(Span(str(path)), "no-scenario", message, "error", hint)])

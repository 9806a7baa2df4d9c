"""Find the files that belong together: the schema, the Casbin model and the policies around a path.

Two layouts are known: a folder with a `schema.yaml`, its models in itself or its `models/`; and a folder with
`policies/schema.yaml` and `models/` side by side. Opening the files is `load`'s part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from abac.errors import CompileError, Diagnostic, Span
from abac.service.shipped import shipped

SCHEMA = "schema.yaml"
MODEL = "abac.conf"
"""The model taken where a folder has several."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder of policies with its schema, all models beside it, and the one that its rows are for."""

    folder: Path
    schema: Path
    models: tuple[Path, ...]
    model: Path | None


def around(path: Path, model: Path | None = None) -> Workspace:
    """Return the workspace that a file or folder lies in. Raises `CompileError` where there is none.

    `model` overrules the choice of the model.
    """
    if not path.exists():
        raise _error(path, "file", "No such file or directory")
    start = path.absolute() if path.is_dir() else path.absolute().parent
    for up, folder in enumerate((start, *start.parents)):
        near = _relative(path if path.is_dir() else path.parent, up, folder)
        for found in (near, near / "policies"):
            if (found / SCHEMA).is_file():
                return _workspace(found, model)
        if (folder / ".git").exists():
            break
    raise _error(path, "no-schema", f"no `{SCHEMA}` here or in a folder above", "name one with --schema")


def nearest_schema() -> Path:
    """Return the schema around the folder one is in; the shipped one where there is none."""
    try:
        return around(Path()).schema
    except CompileError:
        return shipped("policies") / SCHEMA


def _relative(path: Path, up: int, folder: Path) -> Path:
    """Return the folder as it is spelt from `path`, so that findings name files as the caller does."""
    near = path
    for _ in range(up):
        if near in (Path(), Path("/")) or near.name == "..":
            return folder
        near = near.parent
    return near


def _workspace(folder: Path, model: Path | None) -> Workspace:
    home = folder if folder.absolute().name != "policies" else folder.parent if folder.name else Path("..")
    models = tuple(sorted({*folder.glob("*.conf"), *folder.glob("models/*.conf"), *home.glob("models/*.conf")}))
    return Workspace(folder, folder / SCHEMA, models, model or chosen(models))


def chosen(models: tuple[Path, ...]) -> Path | None:
    """Return the only model, or the one named `abac.conf`; None where nothing tells."""
    if len(models) == 1:
        return models[0]
    return next((m for m in models if m.name == MODEL), None)


def _error(path: Path, code: str, message: str, hint: str = "") -> CompileError:
    return CompileError([Diagnostic(Span(str(path)), code, message, "error", hint)])

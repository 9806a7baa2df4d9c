"""`abac key`: make, show, rotate and revoke the API keys of a server."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from abac.cli.console import err, out, print_json

if TYPE_CHECKING:
    from abac.rest.keys import Key, KeysInMemory

app = typer.Typer(help="Make, show, rotate and revoke the API keys of a server.", no_args_is_help=True)

FILE = typer.Option("--keys", help="The document of keys; default: abac-keys.yaml.")
ROLES = typer.Option("--role", help="decide, read, publish or audit; repeatable; default: decide.")
CEILING = typer.Option(help="The best assurance of what the key sends: inferred, declared, documented, verified.")
COMPLETE = typer.Option("--complete-sets", help="A bare set it sends is the whole set, where the schema says so.")
DISCHARGES = typer.Option(help="An obligation it carries out; repeatable.")
RATE = typer.Option(help="Requests a second in the long run.")
DAYS = typer.Option(help="Days until it ends; default: it does not.")
OVERLAP = typer.Option(help="Hours for which the secret it had still holds.")
DEFAULT = Path("abac-keys.yaml")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Who will hold it; stands in metrics and in the log.")],
    file: Annotated[Path, FILE] = DEFAULT,
    roles: Annotated[list[str] | None, ROLES] = None,
    ceiling: Annotated[str, CEILING] = "declared",
    complete_sets: Annotated[bool, COMPLETE] = False,
    discharges: Annotated[list[str] | None, DISCHARGES] = None,
    per_second: Annotated[float | None, RATE] = None,
    days: Annotated[float | None, DAYS] = None,
) -> None:
    """Make a key. Its text is printed once, and kept nowhere: the document holds its SHA-256."""
    from abac.bootstrap import now
    from abac.policy.request import read_assurance
    from abac.rest.keyfile import write_keys
    from abac.rest.keys import Caller, Rate, generate, read_role
    from abac.service.ceiling import Ceiling

    held = _read(file)
    rate = None if per_second is None else Rate(per_second, max(1, round(per_second)))
    chosen = frozenset(read_role(word) for word in roles or ["decide"])
    worth = Ceiling(read_assurance(ceiling, "--ceiling"), complete_sets)
    caller = Caller(name, chosen, worth, frozenset(discharges or ()), rate)
    made, text = generate(caller, now(), until=None if days is None else now() + timedelta(days=days))
    held.put(made)
    write_keys(file, held)
    _shown_once(made, text)


@app.command()
def rotate(
    identity: Annotated[str, typer.Argument(help="The key's id.")],
    file: Annotated[Path, FILE] = DEFAULT,
    overlap: Annotated[float, OVERLAP] = 24.0,
) -> None:
    """Give a key a new secret; the one it had holds for the overlap, so that nobody is cut off meanwhile."""
    from abac.bootstrap import now
    from abac.rest import keys
    from abac.rest.keyfile import write_keys

    held = _read(file)
    made, text = keys.rotate(_found(held, identity), now(), now() + timedelta(hours=overlap))
    held.put(made)
    write_keys(file, held)
    _shown_once(made, text)


@app.command()
def revoke(
    identity: Annotated[str, typer.Argument(help="The key's id.")], file: Annotated[Path, FILE] = DEFAULT
) -> None:
    """End a key; servers notice within two seconds."""
    from abac.bootstrap import now
    from abac.rest import keys
    from abac.rest.keyfile import write_keys

    held = _read(file)
    held.put(keys.revoke(_found(held, identity), now()))
    write_keys(file, held)
    err().print(f"{identity} opens nothing any more")


@app.command("list")
def list_(
    file: Annotated[Path, FILE] = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print the keys as JSON.")] = False,
) -> None:
    """Show the keys; no secret is in the document, so none can be shown."""
    from abac.rest.keyform import described

    found = [described(key) for key in _read(file).all()]
    if as_json:
        print_json(found)
        return
    for key in found:
        until = f", until {key['until']}" if key.get("until") else ""
        out().print(f"{key['id']}  {key['name']}  {', '.join(key['roles'])}, ceiling {key['ceiling']}{until}")


def _read(file: Path) -> KeysInMemory:
    from abac.rest.keyfile import read_keys
    from abac.rest.keys import KeysInMemory

    return read_keys(file) if file.exists() else KeysInMemory()


def _found(held: KeysInMemory, identity: str) -> Key:
    from abac.rest.keys import UnknownKeyError

    key = held.find(identity)
    if key is None:
        raise UnknownKeyError(f"no key `{identity}`; `abac key list` shows those there are")
    return key


def _shown_once(key: Key, text: str) -> None:
    err().print(f"key {key.id} of {key.caller.name}; its text is shown this once:")
    out().print(text)

"""`abac key`: make, show, change, rotate and revoke the API keys of a server, in a document or in its database.

In the database every act is an entry of the log, so it takes who and why; in a document nobody asks.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from abac.cli.console import err, out, print_json
from abac.cli.stored import APPROVER, WHO, WHY, refused

if TYPE_CHECKING:
    from abac.cli.key_places import Place
    from abac.rest.callers.keys import Key

app = typer.Typer(help="Make, show, change, rotate and revoke the API keys of a server.", no_args_is_help=True)

FILE = typer.Option("--keys", help="The document of keys; default: abac-keys.yaml.")
DATABASE = typer.Option(help="The database that the keys are in, instead of a document; takes --who and --why.")
ROLES = typer.Option("--role", help="decide, read, publish or audit; repeatable; default: decide.")
CEILING = typer.Option(help="The best assurance of what the key sends: inferred, declared, documented, verified.")
COMPLETE = typer.Option("--complete-sets", help="A bare set it sends is the whole set, where the schema says so.")
DISCHARGES = typer.Option(help="An obligation it carries out; repeatable.")
SEES = typer.Option(help="An attribute, or a sealed field, whose values it may be shown; `*`: all; repeatable.")
ABOUT = typer.Option(
    help="A resource it may ask about: `TYPE`, or `TYPE=ID` for one; repeatable; default: everything."
)
RATE = typer.Option(help="Requests a second in the long run.")
DIGEST = typer.Option(help="Make it of a digest that its holder gives, who alone has its text: `abac key text`.")
DAYS = typer.Option(help="Days until it ends; default: it does not.")
OVERLAP = typer.Option(help="Hours for which the secret it had still holds.")
IDENTITY = typer.Argument(help="The key's id.")
DEFAULT = Path("abac-keys.yaml")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Who will hold it; stands in metrics and in the log.")],
    file: Annotated[Path, FILE] = DEFAULT,
    database: Annotated[str | None, DATABASE] = None,
    roles: Annotated[list[str] | None, ROLES] = None,
    ceiling: Annotated[str, CEILING] = "declared",
    complete_sets: Annotated[bool, COMPLETE] = False,
    discharges: Annotated[list[str] | None, DISCHARGES] = None,
    sees: Annotated[list[str] | None, SEES] = None,
    about: Annotated[list[str] | None, ABOUT] = None,
    per_second: Annotated[float | None, RATE] = None,
    days: Annotated[float | None, DAYS] = None,
    digest: Annotated[str | None, DIGEST] = None,
    who: Annotated[str, WHO] = "",
    why: Annotated[str, WHY] = "",
    approver: Annotated[str, APPROVER] = "",
) -> None:
    """Make a key. Its text is printed once, and kept nowhere: what is kept is its SHA-256."""
    from abac.bootstrap import now
    from abac.rest.callers.keys import Caller, generate, generate_from

    given = _given(roles or ["decide"], ceiling, complete_sets, discharges or [], sees or [], per_second, about)
    until = None if days is None else now() + timedelta(days=days)
    holder = Caller(name, **given)
    if digest is None:
        made, text = generate(holder, now(), until=until)
    else:
        made, text = generate_from(digest, holder, now(), until=until), ""
    with _place(file, database, who, why, approver) as place:
        waits = place.make(made)
    if text:
        _shown_once(made, text)
    else:
        err().print(f"key {made.id} of {name}, who has its text")
    if waits:
        err().print(f"it opens nothing yet: somebody else approves it by `abac key approve {made.id}`")


@app.command()
def text() -> None:
    """Make the text of a key of your own, to keep, and its digest, to give to whoever makes the key of it."""
    from abac.rest.callers.keys import own_text

    made, digest = own_text()
    err().print("keep this to yourself; it is shown this once:")
    out().print(made)
    err().print(f"and give this to whoever makes your key: {digest}")


@app.command()
def change(
    identity: Annotated[str, IDENTITY],
    file: Annotated[Path, FILE] = DEFAULT,
    database: Annotated[str | None, DATABASE] = None,
    roles: Annotated[list[str] | None, ROLES] = None,
    ceiling: Annotated[str | None, CEILING] = None,
    complete_sets: Annotated[bool | None, typer.Option(help=COMPLETE.help)] = None,
    discharges: Annotated[list[str] | None, DISCHARGES] = None,
    sees: Annotated[list[str] | None, SEES] = None,
    about: Annotated[list[str] | None, ABOUT] = None,
    per_second: Annotated[float | None, RATE] = None,
    days: Annotated[float | None, DAYS] = None,
    who: Annotated[str, WHO] = "",
    why: Annotated[str, WHY] = "",
    approver: Annotated[str, APPROVER] = "",
) -> None:
    """Change what a key may do; what is not named stays as it is."""
    from abac.bootstrap import now
    from abac.rest.callers.keyform import changed

    def edit(key: Key) -> Key:
        held = key.caller.ceiling
        complete = held.complete if complete_sets is None else complete_sets
        given = _given(roles, ceiling or str(held.assurance), complete, discharges, sees, per_second, about)
        if days is not None:
            given["until"] = now() + timedelta(days=days)
        return changed(key, **given)

    with _place(file, database, who, why, approver) as place:
        place.change(identity, edit)
    err().print(f"{identity} is changed")


@app.command()
def rotate(
    identity: Annotated[str, IDENTITY],
    file: Annotated[Path, FILE] = DEFAULT,
    database: Annotated[str | None, DATABASE] = None,
    overlap: Annotated[float, OVERLAP] = 24.0,
    who: Annotated[str, WHO] = "",
    why: Annotated[str, WHY] = "",
    approver: Annotated[str, APPROVER] = "",
) -> None:
    """Give a key a new secret; the one it had holds for the overlap, so that nobody is cut off meanwhile."""
    from abac.bootstrap import now
    from abac.rest.callers import keys

    told: list[tuple[Key, str]] = []

    def edit(key: Key) -> Key:
        told.append(keys.rotate(key, now(), now() + timedelta(hours=overlap)))
        return told[-1][0]

    with _place(file, database, who, why, approver) as place:
        place.rotate(identity, edit)
    _shown_once(*told[-1])


@app.command()
def revoke(
    identity: Annotated[str, IDENTITY],
    file: Annotated[Path, FILE] = DEFAULT,
    database: Annotated[str | None, DATABASE] = None,
    who: Annotated[str, WHO] = "",
    why: Annotated[str, WHY] = "",
) -> None:
    """End a key for good; servers notice within a second."""
    from abac.bootstrap import now
    from abac.rest.callers import keys

    with _place(file, database, who, why) as place:
        place.revoke(identity, lambda key: keys.revoke(key, now()))
    err().print(f"{identity} opens nothing any more")


@app.command()
def approve(
    identity: Annotated[str, IDENTITY],
    database: Annotated[str, DATABASE],
    who: Annotated[str, WHO],
    why: Annotated[str, WHY],
) -> None:
    """Approve a key that waits: one that may publish, made for somebody else by one person."""
    with _place(DEFAULT, database, who, why) as place:
        place.approve(identity)
    err().print(f"{identity} opens what it is for")


@app.command("list")
def list_(
    file: Annotated[Path, FILE] = DEFAULT,
    database: Annotated[str | None, DATABASE] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the keys as JSON.")] = False,
) -> None:
    """Show the keys; no secret is kept, so none can be shown."""
    with _place(file, database, "", "", reading=True) as place:
        found = place.shown()
    if as_json:
        print_json(found)
        return
    for key in found:
        until = f", until {key['until']}" if key.get("until") else ""
        about = f", about {', '.join(key['about'])}" if key.get("about") else ""
        waits = f", waits for somebody else than {key['pending']}" if key.get("pending") else ""
        out().print(
            f"{key['id']}  {key['name']}  {', '.join(key['roles'])}, ceiling {key['ceiling']}{about}{until}{waits}"
        )


def _place(
    file: Path, database: str | None, who: str, why: str, approver: str = "", *, reading: bool = False
) -> Place:
    """Return where the keys are: the database, where one is named, or the document."""
    from abac.cli.key_places import Document, Table
    from abac.cli.stored import opened

    if database is None:
        return Document(file)
    for option, given in (("--who", who), ("--why", why)):
        if not reading and not given.strip():
            raise refused(option, "keys in the database are acts of somebody, for a reason")
    return Table(opened(database, making=not reading), who, why, approver)


def _given(
    roles: list[str] | None,
    ceiling: str,
    complete: bool,
    discharges: list[str] | None,
    sees: list[str] | None,
    per_second: float | None,
    about: list[str] | None,
) -> dict[str, Any]:
    """Return a caller's fields as options give them; what is None is not among them."""
    from abac.policy.request import read_assurance
    from abac.rest.callers.about import read_about
    from abac.rest.callers.keys import Rate, UnknownKeyError, read_role
    from abac.service.ceiling import Ceiling

    found: dict[str, Any] = {"ceiling": Ceiling(read_assurance(ceiling, "--ceiling"), complete)}
    if roles is not None:
        found["roles"] = frozenset(read_role(word) for word in roles)
    if discharges is not None:
        found["discharges"] = frozenset(discharges)
    if sees is not None:
        found["sees"] = frozenset(sees)
    if about:
        try:
            found["about"] = read_about(about)
        except ValueError as error:
            raise UnknownKeyError(f"--about: {error}") from None
    if per_second is not None:
        found["rate"] = Rate(per_second, max(1, round(per_second)))
    return found


def _shown_once(key: Key, text: str) -> None:
    err().print(f"key {key.id} of {key.caller.name}; its text is shown this once:")
    out().print(text)

"""`abac serve`: the decision point over HTTP, from one command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from abac.cli.console import err, out
from abac.cli.stored import DATABASE

if TYPE_CHECKING:
    from abac.rest.settings import ServeSettings

CONFIG = typer.Option(help="A YAML file of settings; the environment (ABAC_...) and options come before it.")
POLICIES = typer.Option(help="A file or folder of policies to put in force; default: what stands in the store.")
WATCH = typer.Option("--watch", help="Take up changes of the policies, as they come by an editor or `git pull`.")
WORKERS = typer.Option(help="Processes that serve, all recording into one log; default: 1.")
NO_AUDIT = typer.Option("--unsafe-no-audit", help="Record nothing of what is decided.")
AUDIT = typer.Option(
    help="What must be durable before an answer leaves: auto (default), required, spill, buffered."
)
SCHEMA = typer.Option("--schema", help="The schema; default: found beside the policies.")
MODEL = typer.Option(help="The Casbin model of the rows; default: found likewise.")
DIRECTIVES = typer.Option("--directive", help="A directive that stands, no other; repeatable; default: all.")
ENTITIES = typer.Option(help="A document of subjects and resources, for searches.")
SOURCES = typer.Option(help="A document of where attributes come from that callers do not send.")
KEYS = typer.Option(help="A document of API keys; made, with a first key that is shown once, where it is missing.")
NO_AUTH = typer.Option("--unsafe-no-auth", help="Ask nobody who they are; refused but for a loopback address.")
CERTIFICATE = typer.Option(help="Serve TLS with this certificate (PEM, with its chain).")
TLS_KEY = typer.Option(help="The certificate's private key (PEM).")
CLIENT_CA = typer.Option(help="Take only clients with a certificate of this authority (mutual TLS).")
PUBLIC = typer.Option(help="The https URL under which this service is known.")

SAMPLE = (
    '{"subject": {"type": "person", "id": "ana", "properties": {"relation": "customer"}}, '
    '"action": {"name": "invoke"}, "resource": {"type": "model", "id": "sonnet-4.5", "properties": '
    '{"access": "public", "released": "2025-09-29T00:00:00Z", "cyber_tier": 3}}}'
)
"""A request that the shipped policies permit; to others, one that they answer."""


def serve(
    config: Annotated[Path | None, CONFIG] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one; default: 8181.")] = None,
    database: Annotated[str | None, DATABASE] = None,
    policies: Annotated[list[Path] | None, POLICIES] = None,
    watch: Annotated[bool, WATCH] = False,
    schema: Annotated[Path | None, SCHEMA] = None,
    model: Annotated[Path | None, MODEL] = None,
    directives: Annotated[list[str] | None, DIRECTIVES] = None,
    entities: Annotated[Path | None, ENTITIES] = None,
    sources: Annotated[Path | None, SOURCES] = None,
    keys: Annotated[Path | None, KEYS] = None,
    unsafe_no_auth: Annotated[bool, NO_AUTH] = False,
    tls_certificate: Annotated[Path | None, CERTIFICATE] = None,
    tls_key: Annotated[Path | None, TLS_KEY] = None,
    tls_client_ca: Annotated[Path | None, CLIENT_CA] = None,
    public_url: Annotated[str | None, PUBLIC] = None,
    workers: Annotated[int | None, WORKERS] = None,
    audit: Annotated[str | None, AUDIT] = None,
    unsafe_no_audit: Annotated[bool, NO_AUDIT] = False,
) -> None:
    """Serve decisions over HTTP: OpenID AuthZEN 1.0, with health, metrics and an OpenAPI document.

    Prints the URL and a curl that works. Every decision is recorded before its answer leaves, in a SQLite file
    that is made where none is named. Serves what was published there; `--policies` puts a folder in force first.
    Runs until it is told to stop, and then answers what is under way and writes what waits.
    """
    from abac.bootstrap import Settings, now, open_store
    from abac.rest import settings
    from abac.rest.running import logs
    from abac.rest.running.hosting import Hosting

    held = settings.load(
        config,
        host=host,
        port=port,
        database=database,
        policies=policies or None,
        watch=watch or None,
        schema_file=schema,
        model=model,
        directives=directives or None,
        entities=entities,
        sources=sources,
        keys=keys,
        unsafe_no_auth=unsafe_no_auth or None,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        public_url=public_url,
        workers=workers,
        audit=audit,
        unsafe_no_audit=unsafe_no_audit or None,
    )
    logs.configure(held.log_level)
    hosting = Hosting(held, lambda: open_store(Settings.of(database=held.database)), now)
    said = hosting.settle()
    held, key = _first_key(held)
    code = hosting._replace(settings=held).run(lambda url: _listening(url, held, key, said))
    if code:
        raise typer.Exit(code)


def _first_key(held: ServeSettings) -> tuple[ServeSettings, str]:
    """Return the settings with a document of keys, and the text of a first key where the document was made."""
    from abac.bootstrap import now
    from abac.rest.callers.keyfile import write_keys
    from abac.rest.callers.keys import Caller, KeysInMemory, Role, generate

    elsewhere = held.tokens is not None or held.first_key is not None
    if held.unsafe_no_auth or (held.keys is None and elsewhere):
        return held, ""
    path = held.keys or Path("abac-keys.yaml")
    held = held.model_copy(update={"keys": path})
    if path.exists():
        return held, ""
    key, text = generate(Caller("first", frozenset(Role)), now())
    write_keys(path, KeysInMemory([key]))
    return held, text


def _listening(url: str, held: ServeSettings, key: str, said: Sequence[str]) -> None:
    """Say what is served, where, and how to ask; the first key is shown here and nowhere else."""
    told = err()
    for sentence in said:
        told.print(sentence, markup=False)
    if held.unsafe_no_audit:
        told.print("nothing is recorded of what is decided here, and nobody can prove it later", style="yellow")
    if held.unsafe_no_auth:
        told.print("nobody is asked who they are: anyone on this machine may ask anything", style="yellow")
    elif key:
        told.print(f"made {held.keys} with a first key; the curl shows it this once, for only its digest is kept")
    bearer = "" if held.unsafe_no_auth else f" -H 'Authorization: Bearer {key or '$ABAC_KEY'}'"
    insecure = " --insecure" if held.tls_certificate else ""
    plain = out()
    plain.print(f"abac decides at {url}")
    plain.print(
        f"curl{insecure} {url}/access/v1/evaluation -H 'Content-Type: application/json'{bearer} -d '{SAMPLE}'",
        markup=False,
    )
    sys.stdout.flush()

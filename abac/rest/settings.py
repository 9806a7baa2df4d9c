"""What a server is started with: from options, the environment (`ABAC_...`) and a file, in that order.

`ABAC_PORT=9000`, `ABAC_TOKENS__ISSUER=https://...`: two underscores go one level down. The file is YAML of the
same names. What a store is opened with is `bootstrap`'s part.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from abac.errors import AbacError, did_you_mean
from abac.rest.callers.about import WORD
from abac.rest.callers.keys import DIGEST
from abac.service.files import read_text

Level = Literal["inferred", "declared", "documented", "verified"]


class ServeSettingsError(AbacError):
    """Settings that a server cannot be started with; every one that is wrong, with its name."""

    code = "settings"


class TokensSettings(BaseModel):
    """Whose JWT are taken. `jwks` is a path or an https URL."""

    model_config = ConfigDict(extra="forbid")
    issuer: str
    audience: str
    jwks: str
    scope_prefix: str = "abac:"
    ceiling: Level = "declared"
    complete_sets: bool = False
    discharges: list[str] = []
    sees: list[str] = []
    about: list[Annotated[str, Field(pattern=WORD)]] | None = Field(default=None, min_length=1)


class FirstKeySettings(BaseModel):
    """The key that a database gets which has none, of the digest that its holder gives (`abac key text`)."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=200)
    digest: str = Field(pattern=DIGEST)
    roles: list[Literal["decide", "read", "publish", "audit"]] = Field(
        default=["decide", "read", "publish", "audit"], min_length=1
    )


class NoticeSettings(BaseModel):
    """What readers are told who are denied under a directive. `lenient` is no posture a server takes."""

    model_config = ConfigDict(extra="forbid")
    posture: Literal["strict", "step-up", "shutdown"] = "strict"
    posture_by: str = ""
    posture_why: str = ""
    contest: str = "Ask the operator of this service to review the decision, and name its id."
    contest_url: str = ""


class ServeSettings(BaseSettings):
    """Everything `abac serve` can be told."""

    model_config = SettingsConfigDict(env_prefix="ABAC_", env_nested_delimiter="__", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=8181, ge=0, le=65_535)
    public_url: str = Field(default="", description="the https URL under which this service is known")

    database: str | None = None
    audit: Literal["auto", "required", "spill", "buffered"] = "auto"
    unsafe_no_audit: bool = False
    workers: int = Field(default=1, ge=1, le=256)
    watch: bool = Field(default=False, description="take up changes of the policies served")
    who: str = Field(default="", description="who publishes the policies served; default: the user that runs this")
    source_commit: str = Field(default="", description="the policies' commit, where it is not git that knows it")

    policies: list[Path] = []
    schema_file: Path | None = None
    model: Path | None = None
    directives: list[str] = []
    entities: Path | None = None
    sources: Path | None = Field(default=None, description="where attributes come from that callers do not send")
    types: dict[str, str] = Field(default={}, description="our word for an AuthZEN type")
    subject_type: str | None = Field(
        default=None, description="the attribute a subject's type becomes; empty: none"
    )
    resource_type: str | None = Field(default=None, description="the attribute a resource's type becomes")

    keys: Path | None = None
    first_key: FirstKeySettings | None = Field(default=None, description="the first key of the database")
    tokens: TokensSettings | None = None
    unsafe_no_auth: bool = False
    unsafe_ceiling: Level = "declared"
    metrics_need_key: bool = False
    page_secret: str = Field(default="", repr=False)
    metadata_key: Path | None = Field(default=None, description="the private key (PEM) that signs the metadata")
    metadata_key_id: str = ""

    scenarios: Path | None = Field(default=None, description="a folder of what simulations may name")
    jobs: Path | None = Field(
        default=None, description="where simulations are kept; default: until the server ends"
    )
    jobs_at_once: int = Field(default=1, ge=1, description="simulations at a time, over all workers")

    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = Field(default=None, description="only clients with a certificate of this CA")

    body_limit: int = Field(default=4 << 20, gt=0)
    batch_limit: int = Field(default=10_000, gt=0)
    connections: int = Field(default=1_000, gt=0)
    idle_seconds: float = Field(
        default=20.0, gt=0, description="how long a request may take to arrive, or the next one be waited for"
    )
    grace_seconds: int = Field(default=10, ge=0, description="how long requests may take to end on shutdown")

    receipts: str = Field(default="", description="where receipts are, with {id} in it")
    notice: NoticeSettings = NoticeSettings()
    traces: bool = Field(default=False, description="leave OpenTelemetry spans; needs `abac[otel]`")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.unsafe_no_auth and not loopback(self.host):
            raise ValueError(
                "unsafe_no_auth: without authentication only a loopback address is served, not " + self.host
            )
        if self.watch and not self.policies:
            raise ValueError("watch: name what is watched with policies")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("tls_client_ca needs tls_certificate and tls_key")
        if self.public_url and not _identifies(self.public_url):
            raise ValueError("public_url: an https URL, without query or fragment")
        return self


def load(file: Path | None = None, **options: Any) -> ServeSettings:
    """Return the settings that options, the environment and a file make; the first that says something counts.

    Options that are None say nothing. Raises `ServeSettingsError` with every setting that is wrong.
    """
    held = {} if file is None else _read(file)

    class Layered(ServeSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # their signature
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, held)

    try:
        return Layered(**{name: value for name, value in options.items() if value is not None})
    except (ValidationError, SettingsError) as error:
        raise ServeSettingsError(_told(error)) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        held = yaml.safe_load(read_text(file)) or {}
    except yaml.YAMLError as error:
        raise ServeSettingsError(f"{file}: not YAML: {error}") from None
    if not isinstance(held, dict):
        raise ServeSettingsError(f"{file}: expected settings by name")
    unknown = sorted(map(str, set(held) - set(ServeSettings.model_fields)))
    if unknown:
        hint = did_you_mean(unknown[0], ServeSettings.model_fields)
        raise ServeSettingsError(f"{file}: no such setting: {', '.join(unknown)}" + (f"; {hint}" if hint else ""))
    return held


def _told(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    lines = []
    for one in error.errors():
        place = ".".join(map(str, one["loc"]))
        lines.append(f"{place}: {one['msg']}" if place else one["msg"].removeprefix("Value error, "))
    return "; ".join(lines)


def _identifies(url: str) -> bool:
    """Return whether a URL can be a decision point's identifier (AuthZEN 1.0, section 9.1.1), or loopback's."""
    try:
        scheme, place, _, query, fragment = urlsplit(url)
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    good = scheme == "https" or (scheme == "http" and loopback(host))
    return good and bool(host) and "@" not in place and not (query or fragment or url[-1:] in "?#")


def loopback(host: str) -> bool:
    """Return whether a host is this machine only. A name other than `localhost` may become any address.

    >>> loopback("127.0.0.1"), loopback("::1"), loopback("0.0.0.0"), loopback("example.com")
    (True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

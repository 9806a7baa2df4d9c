"""The tables of the log and of the policies, as SQLAlchemy knows them; `migrations/` makes them.

The log's truth is `entries.bytes` alone. Everything else here can be derived again from those bytes, and `abac
audit verify` does. Casbin's own `casbin_rule` is no table of ours, and is left alone.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_PLACE = BigInteger().with_variant(Integer, "sqlite")
"""A place in the log. SQLite takes a key of type INTEGER, and no other, for the row's number: no index then."""

_MOMENT = BigInteger
"""Times in our tables are microseconds since 1970 UTC: both databases keep them exactly."""

ENTRIES = Table(
    "abac_entries",
    METADATA,
    Column("seq", _PLACE, primary_key=True, autoincrement=False),
    Column("id", LargeBinary(16), nullable=False, comment="UUIDv7 (RFC 9562)"),
    Column("kind", String(32), nullable=False),
    Column("integrated_at", _MOMENT, nullable=False),
    Column("bytes", LargeBinary, nullable=False, comment="what is hashed: leaf = SHA-256(0x00 || bytes)"),
    Index(None, "id", unique=True),
    Index(
        "ix_abac_entries_acts",
        "seq",
        postgresql_where=text("kind <> 'decision'"),
        sqlite_where=text("kind <> 'decision'"),
    ),
)

OPENINGS = Table(
    "abac_openings",
    METADATA,
    Column("seq", _PLACE, primary_key=True, autoincrement=False),
    Column("key", LargeBinary(16), nullable=False, comment="which subject key it is encrypted under"),
    Column("opening", LargeBinary, nullable=False),
)

TILES = Table(
    "abac_tiles",
    METADATA,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False, comment="up to 256 nodes of 32 bytes"),
)

HEAD = Table(
    "abac_head",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1", name="one"), primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("integrated_at", _MOMENT, nullable=False),
    Column("checkpoint", Text, nullable=False),
)

CHECKPOINTS = Table(
    "abac_checkpoints",
    METADATA,
    Column("size", _PLACE, primary_key=True, autoincrement=False),
    Column("at", _MOMENT, nullable=False),
    Column("note", Text, nullable=False),
)

REVISIONS = Table(
    "abac_revisions",
    METADATA,
    Column("revision", String(64), primary_key=True, comment="SHA-256 of everything that decides"),
    Column("seq", BigInteger, nullable=False, comment="the entry that recorded it"),
    Column("recorded_at", _MOMENT, nullable=False),
    Column("author", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("source_commit", String(64), nullable=False),
    Column("base", String(64), nullable=False, comment="the revision it was drafted against, or empty"),
    Column("program", LargeBinary, nullable=False, comment="the program's text, deflated"),
)

PUBLICATIONS = Table(
    "abac_publications",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="the entry that recorded it"),
    Column("kind", String(32), nullable=False, comment="publication or rollback"),
    Column("revision", String(64), ForeignKey(REVISIONS.c.revision), nullable=False),
    Column("effective_at", _MOMENT, nullable=False),
    Column("recorded_at", _MOMENT, nullable=False),
    Column("previous", String(64), nullable=False, comment="what was in force when it was recorded, or empty"),
    Column("author", Text, nullable=False),
    Column("approver", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("source_commit", String(64), nullable=False),
    Index(None, "effective_at"),
)

DIRECTIVE_EVENTS = Table(
    "abac_directive_events",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="the publication that brought it"),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("directive", Text, nullable=False),
    Column("event", String(32), nullable=False),
    Column("at", _MOMENT, nullable=False, comment="when it takes effect"),
    Column("recorded", _MOMENT, nullable=False, comment="when it was recorded, as the document says"),
    Column("recorded_at", _MOMENT, nullable=False, comment="from when it was known: the later of both"),
    Index(None, "directive"),
)

SHADOWS = Table(
    "abac_shadows",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="the entry that started it"),
    Column("revision", String(64), ForeignKey(REVISIONS.c.revision), nullable=False),
    Column("ended", BigInteger, nullable=True, comment="the entry that ended it"),
    Column("decided", BigInteger, nullable=False),
    Column("differing", BigInteger, nullable=False),
)

SHADOW_DIFFERENCES = Table(
    "abac_shadow_differences",
    METADATA,
    Column("shadow", BigInteger, ForeignKey(SHADOWS.c.seq), primary_key=True, autoincrement=False),
    Column("id", LargeBinary(16), primary_key=True, comment="the decision"),
    Column("active", String(32), nullable=False),
    Column("shadowed", String(32), nullable=False),
)

HOLDS = Table(
    "abac_holds",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="the entry that placed it"),
    Column("name", Text, nullable=False),
    Column("subject", Text, nullable=True, comment="a subject's keys by handle, or null: everybody"),
    Column("start", _MOMENT, nullable=True),
    Column("stop", _MOMENT, nullable=True),
    Column("lifted", BigInteger, nullable=True, comment="the entry that lifted it"),
)

SETTINGS = Table(
    "abac_settings",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    Column("seq", BigInteger, nullable=False, comment="the entry that set it"),
)

API_KEYS = Table(
    "abac_api_keys",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("seq", BigInteger, nullable=False, comment="the entry that its present state comes from"),
    Column("holder", Text, nullable=False),
    Column("pending", Text, nullable=False, comment="who made it and waits for a second person, or empty"),
    Column("terms", Text, nullable=False, comment="JSON, secrets as SHA-256"),
)

MERGED_JOURNALS = Table(
    "abac_merged_journals",
    METADATA,
    Column("journal", LargeBinary(16), primary_key=True),
    Column("merged", BigInteger, nullable=False, comment="how many of its entries are in the log"),
    Column("chain", LargeBinary(32), nullable=False, comment="the chain's hash after the last of them"),
)

HAPPENINGS = Table(
    "abac_happenings",
    METADATA,
    Column(
        "number", _PLACE, primary_key=True, autoincrement=False, comment="in the order in which they were told"
    ),
    Column("name", String(160), nullable=False, comment="what it is, so that several who notice tell it once"),
    Column("kind", String(32), nullable=False),
    Column("at", _MOMENT, nullable=False, comment="when it took effect"),
    Column("told_at", _MOMENT, nullable=False),
    Column("caller", Text, nullable=True, comment="who alone is told, or null: everybody"),
    Column("said", Text, nullable=False, comment="what is told, as JSON"),
    Index(None, "name", unique=True),
)

SESSIONS = Table(
    "abac_sessions",
    METADATA,
    Column("id", LargeBinary(16), primary_key=True, comment="UUIDv7 (RFC 9562)"),
    Column("caller", Text, nullable=False, comment="who registered it"),
    Column("opened_at", _MOMENT, nullable=False),
    Column("expires_at", _MOMENT, nullable=False),
    Column("version", Integer, nullable=False, comment="raised with every change of its attributes"),
    Column("decided", BigInteger, nullable=False, comment="the last happening that its decision knows of"),
    Column("permitted", Integer, nullable=False),
    Column("warned", _MOMENT, nullable=True, comment="of which coming flip its caller was warned"),
    Column("taken_until", _MOMENT, nullable=False, comment="until when a worker has it in hand"),
    Column("key", LargeBinary(16), nullable=False, comment="the subject key that `sealed` is encrypted under"),
    Column("sealed", LargeBinary, nullable=False, comment="the request, and what its caller's word is worth"),
    Index(None, "caller"),
    Index(None, "decided"),
    Index(None, "expires_at"),
)
"""Sessions and what happened are working state: no entry follows from them, nor they from entries alone."""

"""The log, the policies and what goes with them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "abac_api_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the entry that its present state comes from"),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column(
            "pending", sa.Text(), nullable=False, comment="who made it and waits for a second person, or empty"
        ),
        sa.Column("terms", sa.Text(), nullable=False, comment="JSON, secrets as SHA-256"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_abac_api_keys")),
    )
    op.create_table(
        "abac_checkpoints",
        sa.Column("size", PLACE, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_abac_checkpoints")),
    )
    op.create_table(
        "abac_directive_events",
        sa.Column(
            "seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="the publication that brought it"
        ),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("directive", sa.Text(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when it takes effect"),
        sa.Column(
            "recorded", sa.BigInteger(), nullable=False, comment="when it was recorded, as the document says"
        ),
        sa.Column(
            "recorded_at", sa.BigInteger(), nullable=False, comment="from when it was known: the later of both"
        ),
        sa.PrimaryKeyConstraint("seq", "number", name=op.f("pk_abac_directive_events")),
    )
    with op.batch_alter_table("abac_directive_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_abac_directive_events_directive"), ["directive"], unique=False)

    op.create_table(
        "abac_entries",
        sa.Column("seq", PLACE, autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False, comment="UUIDv7 (RFC 9562)"),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("integrated_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "bytes", sa.LargeBinary(), nullable=False, comment="what is hashed: leaf = SHA-256(0x00 || bytes)"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_abac_entries")),
    )
    with op.batch_alter_table("abac_entries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_abac_entries_acts",
            ["seq"],
            unique=False,
            postgresql_where=sa.text("kind <> 'decision'"),
            sqlite_where=sa.text("kind <> 'decision'"),
        )
        batch_op.create_index(batch_op.f("ix_abac_entries_id"), ["id"], unique=True)

    op.create_table(
        "abac_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("integrated_at", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_abac_head_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_abac_head")),
    )
    op.create_table(
        "abac_holds",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="the entry that placed it"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True, comment="a subject's keys by handle, or null: everybody"),
        sa.Column("start", sa.BigInteger(), nullable=True),
        sa.Column("stop", sa.BigInteger(), nullable=True),
        sa.Column("lifted", sa.BigInteger(), nullable=True, comment="the entry that lifted it"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_abac_holds")),
    )
    op.create_table(
        "abac_merged_journals",
        sa.Column("journal", sa.LargeBinary(length=16), nullable=False),
        sa.Column("merged", sa.BigInteger(), nullable=False, comment="how many of its entries are in the log"),
        sa.Column(
            "chain", sa.LargeBinary(length=32), nullable=False, comment="the chain's hash after the last of them"
        ),
        sa.PrimaryKeyConstraint("journal", name=op.f("pk_abac_merged_journals")),
    )
    op.create_table(
        "abac_openings",
        sa.Column("seq", PLACE, autoincrement=False, nullable=False),
        sa.Column(
            "key", sa.LargeBinary(length=16), nullable=False, comment="which subject key it is encrypted under"
        ),
        sa.Column("opening", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_abac_openings")),
    )
    op.create_table(
        "abac_revisions",
        sa.Column("revision", sa.String(length=64), nullable=False, comment="SHA-256 of everything that decides"),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the entry that recorded it"),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("source_commit", sa.String(length=64), nullable=False),
        sa.Column(
            "base", sa.String(length=64), nullable=False, comment="the revision it was drafted against, or empty"
        ),
        sa.Column("program", sa.LargeBinary(), nullable=False, comment="the program's text, deflated"),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_abac_revisions")),
    )
    op.create_table(
        "abac_settings",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the entry that set it"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_abac_settings")),
    )
    op.create_table(
        "abac_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False, comment="up to 256 nodes of 32 bytes"),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_abac_tiles")),
    )
    if (
        op.get_context().dialect.name == "postgresql"
    ):  # hashes cannot be compressed, and a growing tile stays in its row
        op.execute("ALTER TABLE abac_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE abac_tiles SET (toast_tuple_target = 8160)")
    op.create_table(
        "abac_publications",
        sa.Column(
            "seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="the entry that recorded it"
        ),
        sa.Column("kind", sa.String(length=32), nullable=False, comment="publication or rollback"),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "previous",
            sa.String(length=64),
            nullable=False,
            comment="what was in force when it was recorded, or empty",
        ),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("source_commit", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision"], ["abac_revisions.revision"], name=op.f("fk_abac_publications_revision_abac_revisions")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_abac_publications")),
    )
    with op.batch_alter_table("abac_publications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_abac_publications_effective_at"), ["effective_at"], unique=False)

    op.create_table(
        "abac_shadows",
        sa.Column(
            "seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="the entry that started it"
        ),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True, comment="the entry that ended it"),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("differing", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision"], ["abac_revisions.revision"], name=op.f("fk_abac_shadows_revision_abac_revisions")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_abac_shadows")),
    )
    op.create_table(
        "abac_shadow_differences",
        sa.Column("shadow", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(length=16), nullable=False, comment="the decision"),
        sa.Column("active", sa.String(length=32), nullable=False),
        sa.Column("shadowed", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["shadow"], ["abac_shadows.seq"], name=op.f("fk_abac_shadow_differences_shadow_abac_shadows")
        ),
        sa.PrimaryKeyConstraint("shadow", "id", name=op.f("pk_abac_shadow_differences")),
    )
    op.create_table(
        "abac_happenings",
        sa.Column(
            "number", PLACE, autoincrement=False, nullable=False, comment="in the order in which they were told"
        ),
        sa.Column(
            "name",
            sa.String(length=160),
            nullable=False,
            comment="what it is, so that several who notice tell it once",
        ),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when it took effect"),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=True, comment="who alone is told, or null: everybody"),
        sa.Column("said", sa.Text(), nullable=False, comment="what is told, as JSON"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_abac_happenings")),
    )
    with op.batch_alter_table("abac_happenings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_abac_happenings_name"), ["name"], unique=True)

    op.create_table(
        "abac_sessions",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False, comment="UUIDv7 (RFC 9562)"),
        sa.Column("caller", sa.Text(), nullable=False, comment="who registered it"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="raised with every change of its attributes"),
        sa.Column(
            "decided", sa.BigInteger(), nullable=False, comment="the last happening that its decision knows of"
        ),
        sa.Column("permitted", sa.Integer(), nullable=False),
        sa.Column("warned", sa.BigInteger(), nullable=True, comment="of which coming flip its caller was warned"),
        sa.Column("taken_until", sa.BigInteger(), nullable=False, comment="until when a worker has it in hand"),
        sa.Column(
            "key",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="the subject key that `sealed` is encrypted under",
        ),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="the request, and what its caller's word is worth"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_abac_sessions")),
    )
    with op.batch_alter_table("abac_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_abac_sessions_caller"), ["caller"], unique=False)
        batch_op.create_index(batch_op.f("ix_abac_sessions_decided"), ["decided"], unique=False)
        batch_op.create_index(batch_op.f("ix_abac_sessions_expires_at"), ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("abac_sessions")
    op.drop_table("abac_happenings")
    op.drop_table("abac_shadow_differences")
    op.drop_table("abac_shadows")
    with op.batch_alter_table("abac_publications", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_abac_publications_effective_at"))

    op.drop_table("abac_publications")
    op.drop_table("abac_tiles")
    op.drop_table("abac_settings")
    op.drop_table("abac_revisions")
    op.drop_table("abac_openings")
    op.drop_table("abac_merged_journals")
    op.drop_table("abac_holds")
    op.drop_table("abac_head")
    with op.batch_alter_table("abac_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_abac_entries_id"))
        batch_op.drop_index(
            "ix_abac_entries_acts",
            postgresql_where=sa.text("kind <> 'decision'"),
            sqlite_where=sa.text("kind <> 'decision'"),
        )

    op.drop_table("abac_entries")
    with op.batch_alter_table("abac_directive_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_abac_directive_events_directive"))

    op.drop_table("abac_directive_events")
    op.drop_table("abac_checkpoints")
    op.drop_table("abac_api_keys")

"""Ways to tamper with a log behind its back, each with the codes of which one at least must be found, and where.

`world` has the store, the log's older snapshot and its signing key; `rng` decides where. What only a checkpoint
kept elsewhere can show is in `BY_KEPT`.
"""

from __future__ import annotations

import sqlalchemy as sa
import uuid_utils

from abac.audit.checkpoint import Checkpoint, signed
from abac.audit.clock import stamp
from abac.audit.entry import act, placed
from abac.audit.merkle import Frontier, leaf_hash
from abac.audit.note import SigningKey
from abac.audit.tiles import grown
from abac.storage.keys import SUBJECT_KEYS
from abac.storage.tables import CHECKPOINTS, ENTRIES, HEAD, METADATA, OPENINGS, TILES

FORGED = SigningKey("example.com/decisions", bytes(31) + b"\x01")


class World:
    """A store, what is in its tables, and how to put it back."""

    def __init__(self, store, key):
        self.store, self.key = store, key
        self.old = None

    def __enter__(self):
        self.connection = self.store.database.engine.connect()
        self.secret = self.store.keys.database.engine.connect()
        return self

    def __exit__(self, *_):
        for connection in (self.connection, self.secret):
            connection.commit()
            connection.close()

    def rows(self, table):
        key = list(table.primary_key)
        where = self.secret if table is SUBJECT_KEYS else self.connection
        return [dict(r) for r in where.execute(sa.select(table).order_by(*key)).mappings()]

    def change(self, table, row, **values):
        where = self.secret if table is SUBJECT_KEYS else self.connection
        same = sa.and_(*(c == row[c.name] for c in table.primary_key))
        assert where.execute(sa.update(table).where(same).values(values)).rowcount == 1

    def delete(self, table, row):
        where = self.secret if table is SUBJECT_KEYS else self.connection
        same = sa.and_(*(c == row[c.name] for c in table.primary_key))
        assert where.execute(sa.delete(table).where(same)).rowcount == 1

    def insert(self, table, **row):
        self.connection.execute(sa.insert(table).values(row))

    def snapshot(self):
        return {t: self.rows(t) for t in (*METADATA.sorted_tables, SUBJECT_KEYS)}

    def restore(self, snapshot):
        for table in (SUBJECT_KEYS, *reversed(METADATA.sorted_tables)):
            where = self.secret if table is SUBJECT_KEYS else self.connection
            where.execute(sa.delete(table))
        for table, rows in snapshot.items():
            where = self.secret if table is SUBJECT_KEYS else self.connection
            if rows:
                where.execute(sa.insert(table), rows)


def flipped(rng, data):
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def respelt(rng, text):
    at = rng.choice([i for i, c in enumerate(text) if c.isalnum()])
    other = rng.choice([c for c in "Abc019" if c != text[at]])
    return text[:at] + other + text[at + 1 :]


# --- entries -------------------------------------------------------------------------------------------------


def entry_byte(rng, world):
    row = rng.choice(world.rows(ENTRIES))
    world.change(ENTRIES, row, bytes=flipped(rng, row["bytes"]))
    return {"entry-changed"}, f"entry {row['seq']}"


def entry_word(rng, world):
    row = rng.choice([r for r in world.rows(ENTRIES) if b'"decision":"DENY"' in r["bytes"]])
    world.change(ENTRIES, row, bytes=row["bytes"].replace(b'"decision":"DENY"', b'"decision":"PERMIT"'))
    return {"entry-changed"}, f"entry {row['seq']}"


def act_word(rng, world):
    """Give an act a field that no entry has: it can be read no more."""
    row = world.rows(ENTRIES)[0]
    world.change(ENTRIES, row, bytes=row["bytes"].replace(b'"who":', rng.choice([b'"wha":', b'"why":[],"who":'])))
    return {"act-unreadable"}, "entry 0"


def entry_deleted(rng, world):
    *rows, _ = world.rows(ENTRIES)
    row = rng.choice(rows)
    world.delete(ENTRIES, row)
    return {"entry-missing"}, f"entry {row['seq']}"


def entries_reordered(rng, world):
    one, other = rng.sample(world.rows(ENTRIES), 2)
    world.change(ENTRIES, one, bytes=other["bytes"])
    world.change(ENTRIES, other, bytes=one["bytes"])
    return {"column-seq"}, f"entry {one['seq']}"


def entry_slipped_in(rng, world):
    """Move everything from a place on by one, and put an entry of our own there."""
    rows = world.rows(ENTRIES)
    at = rng.randrange(1, len(rows))
    for row in reversed(rows[at:]):
        world.change(ENTRIES, row, seq=row["seq"] + 1)
    _forged(world, at, rows[at]["integrated_at"])
    return {"entry-changed"}, f"entry {at}"


def entry_appended(rng, world):
    last = world.rows(ENTRIES)[-1]
    _forged(world, last["seq"] + rng.randint(1, 3), last["integrated_at"])
    return {"entry-extra"}, None


def entry_before_the_first(_, world):
    first = world.rows(ENTRIES)[0]
    _forged(world, -1, first["integrated_at"])
    return {"entry-extra"}, "entry -1"


def tail_cut(rng, world):
    rows = world.rows(ENTRIES)
    cut = rng.randint(1, 20)
    for row in rows[-cut:]:
        world.delete(ENTRIES, row)
    return {"tail-missing"}, f"entry {rows[-cut]['seq']}"


def column(rng, world):
    row = rng.choice(world.rows(ENTRIES))
    name, value = rng.choice(
        [
            ("id", uuid_utils.uuid7().bytes),
            ("kind", "decision" if row["kind"] != "decision" else "note"),
            ("integrated_at", row["integrated_at"] + rng.choice([-1, 1])),
        ]
    )
    world.change(ENTRIES, row, **{name: value})
    return {f"column-{name.replace('_', '-')}"}, f"entry {row['seq']}"


# --- openings and keys ---------------------------------------------------------------------------------------


def opening_byte(rng, world):
    row = rng.choice(world.rows(OPENINGS))
    world.change(OPENINGS, row, opening=flipped(rng, row["opening"]))
    return {"opening-changed"}, f"entry {row['seq']}"


def opening_deleted(rng, world):
    row = rng.choice(world.rows(OPENINGS))
    world.delete(OPENINGS, row)
    return {"opening-missing"}, f"entry {row['seq']}"


def openings_swapped(rng, world):
    one, other = rng.sample(world.rows(OPENINGS), 2)
    for row, given in ((one, other), (other, one)):
        world.change(OPENINGS, row, key=given["key"], opening=given["opening"])
    return {"opening-key", "opening-changed"}, f"entry {one['seq']}"


def opening_of_another_key(rng, world):
    row = rng.choice(world.rows(OPENINGS))
    other = rng.choice([r["handle"] for r in world.rows(SUBJECT_KEYS) if r["handle"] != row["key"]])
    world.change(OPENINGS, row, key=other)
    return {"opening-key"}, f"entry {row['seq']}"


def opening_of_nothing(rng, world):
    row = world.rows(OPENINGS)[0]
    world.insert(OPENINGS, seq=10_000 + rng.randrange(9), key=row["key"], opening=row["opening"])
    return {"opening-orphan"}, None


def opening_of_an_act(_, world):
    row = world.rows(OPENINGS)[0]
    world.insert(OPENINGS, seq=0, key=row["key"], opening=row["opening"])
    return {"opening-extra"}, "entry 0"


def key_byte(rng, world):
    row = rng.choice(world.rows(SUBJECT_KEYS))
    world.change(SUBJECT_KEYS, row, key=flipped(rng, row["key"]))
    return {"opening-changed"}, None


def key_deleted(rng, world):
    row = rng.choice(world.rows(SUBJECT_KEYS))
    world.delete(SUBJECT_KEYS, row)
    return {"key-missing"}, None


def key_of_another(rng, world):
    row = rng.choice(world.rows(SUBJECT_KEYS))
    name = rng.choice(["subject", "period"])
    world.change(SUBJECT_KEYS, row, **{name: "u-none" if name == "subject" else "2020-01"})
    return {"key-owner"}, None


# --- the tree and its heads ----------------------------------------------------------------------------------


def tile_byte(rng, world):
    row = rng.choice(world.rows(TILES))
    world.change(TILES, row, hashes=flipped(rng, row["hashes"]))
    return {"tile-changed"}, f"tile {row['level']}/{row['index']}"


def tile_deleted(rng, world):
    row = rng.choice(world.rows(TILES))
    world.delete(TILES, row)
    return {"tile-missing"}, f"tile {row['level']}/{row['index']}"


def tile_shortened(rng, world):
    row = rng.choice(world.rows(TILES))
    world.change(TILES, row, hashes=row["hashes"][:-32])
    return {"tile-changed", "tile-missing"}, f"tile {row['level']}/{row['index']}"


def tile_added(rng, world):
    level = rng.randrange(4)
    world.insert(TILES, level=level, index=90, hashes=rng.randbytes(32))
    return {"tile-extra"}, f"tile {level}/90"


def head_changed(rng, world):
    (row,) = world.rows(HEAD)
    name, value, code = rng.choice(
        [
            ("size", row["size"] + rng.randint(1, 9), "head-other"),
            ("size", row["size"] - rng.randint(1, 9), "entry-extra"),
            ("frontier", flipped(rng, row["frontier"]), "head-frontier"),
            ("frontier", row["frontier"][:-32], "head-frontier"),
            ("integrated_at", row["integrated_at"] + 1, "head-time"),
            ("checkpoint", respelt(rng, row["checkpoint"]), "head-signature"),
            ("checkpoint", world.old[HEAD][0]["checkpoint"], "head-other"),
        ]
    )
    world.change(HEAD, row, **{name: value})
    return {code}, "head" if code.startswith("head") else None


def head_deleted(_, world):
    world.delete(HEAD, world.rows(HEAD)[0])
    return {"head-missing"}, "head"


def head_signed_by_another(_, world):
    (row,) = world.rows(HEAD)
    size, frontier = row["size"], Frontier.from_bytes(row["size"], row["frontier"])
    world.change(HEAD, row, checkpoint=signed(Checkpoint(FORGED.name, size, frontier.root()), FORGED))
    return {"head-signature"}, "head"


def checkpoint_changed(rng, world):
    row = rng.choice(world.rows(CHECKPOINTS))
    name, value, code = rng.choice(
        [
            ("note", respelt(rng, row["note"]), "checkpoint-signature"),
            ("at", row["at"] + rng.choice([-1, 1]), "checkpoint-time"),
        ]
    )
    world.change(CHECKPOINTS, row, **{name: value})
    return {code}, f"checkpoint {row['size']}"


def checkpoints_swapped(rng, world):
    one, other = rng.sample(world.rows(CHECKPOINTS), 2)
    world.change(CHECKPOINTS, one, note=other["note"])
    world.change(CHECKPOINTS, other, note=one["note"])
    return {"checkpoint-other"}, f"checkpoint {one['size']}"


def checkpoint_deleted(rng, world):
    row = rng.choice(world.rows(CHECKPOINTS))
    world.delete(CHECKPOINTS, row)
    return {"checkpoint-missing"}, f"checkpoint {row['size']}"


def checkpoint_of_another_tree(rng, world):
    row = rng.choice(world.rows(CHECKPOINTS))
    note = signed(Checkpoint(world.key.name, row["size"], rng.randbytes(32)), world.key)
    world.change(CHECKPOINTS, row, note=note)
    return {"checkpoint-root"}, f"checkpoint {row['size']}"


def checkpoint_signed_by_another(rng, world):
    row = rng.choice(world.rows(CHECKPOINTS))
    text = row["note"].split("\n\n")[0] + "\n"
    world.change(CHECKPOINTS, row, note=signed(Checkpoint.parse(text), FORGED))
    return {"checkpoint-signature"}, f"checkpoint {row['size']}"


def rewritten_without_the_key(rng, world):
    """Change an entry and all that follows from it, but for signatures."""
    _rewritten(rng, world, None)
    return {"head-root"}, "head"


def rewritten_with_another_key(rng, world):
    _rewritten(rng, world, FORGED)
    return {"head-signature"}, "head"


# --- what only a checkpoint kept elsewhere can show ------------------------------------------------------------


def rolled_back(_, world):
    world.restore(world.old)
    return {"rolled-back"}, "kept"


def tail_cut_and_signed(rng, world):
    """Cut groups of ten, as they were appended: inside one a checkpoint would be missing that was kept."""
    rows = world.rows(ENTRIES)
    cut = 10 * rng.randint(1, 3)
    for row in rows[-cut:]:
        world.delete(ENTRIES, row)
        world.connection.execute(sa.delete(OPENINGS).where(OPENINGS.c.seq == row["seq"]))
    _regrow(world, rows[:-cut], world.key)
    return {"rolled-back"}, "kept"


def rewritten_with_the_key(rng, world):
    _rewritten(rng, world, world.key)
    return {"rewritten"}, "kept"


BY_KEPT = (rolled_back, tail_cut_and_signed, rewritten_with_the_key)

FROM_WITHIN = (
    *(entry_byte, entry_word, entry_deleted, entries_reordered, entry_slipped_in, entry_appended),
    *(entry_before_the_first, tail_cut, column, act_word),
    *(opening_byte, opening_deleted, openings_swapped, opening_of_another_key, opening_of_nothing),
    *(opening_of_an_act, key_byte, key_deleted, key_of_another),
    *(tile_byte, tile_deleted, tile_shortened, tile_added),
    *(head_changed, head_deleted, head_signed_by_another),
    *(checkpoint_changed, checkpoints_swapped, checkpoint_deleted, checkpoint_of_another_tree),
    *(checkpoint_signed_by_another, rewritten_without_the_key, rewritten_with_another_key),
)


def _forged(world, seq, at):
    draft = act(uuid_utils.uuid7().bytes, "note", stamp(world.store.log.clock()), {}, who="mallory")
    time = stamp(world.store.log.clock())
    data = placed(draft.body, seq, time)
    world.insert(ENTRIES, seq=seq, id=draft.id, kind="note", integrated_at=at, bytes=data)


def _rewritten(rng, world, key):
    """Make an entry say something else of the same length for its decision, and grow the whole tree anew."""
    rows = world.rows(ENTRIES)
    row = rng.choice([r for r in rows if b'"decision":"DENY"' in r["bytes"]])
    row["bytes"] = row["bytes"].replace(b'"decision":"DENY"', b'"decision":"PERMIT"')
    world.change(ENTRIES, row, bytes=row["bytes"])
    _regrow(world, rows, key)


def _regrow(world, rows, key):
    """Make tiles, head and checkpoints those of the entries; signatures only where there is a key."""
    world.connection.execute(sa.delete(TILES))
    leaves = [leaf_hash(r["bytes"]) for r in rows]
    frontier, tiles = grown(Frontier(), leaves, lambda *_: b"")
    for (level, index), hashes in tiles.items():
        world.insert(TILES, level=level, index=index, hashes=hashes)
    (head,) = world.rows(HEAD)
    values = {"size": len(rows), "frontier": frontier.to_bytes(), "integrated_at": rows[-1]["integrated_at"]}
    if key is not None:
        values["checkpoint"] = signed(Checkpoint(key.name, len(rows), frontier.root()), key)
    world.change(HEAD, head, **values)
    for row in world.rows(CHECKPOINTS):
        if row["size"] > len(rows):
            world.delete(CHECKPOINTS, row)
        elif key is not None:
            root = Frontier().extend(leaves[: row["size"]]).root()
            world.change(CHECKPOINTS, row, note=signed(Checkpoint(key.name, row["size"], root), key))

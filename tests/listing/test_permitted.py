"""Listing through the public call: what a table must hold, what comes back, what is never listed."""

from __future__ import annotations

import functools
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column

from abac.compiler.program import assemble
from abac.condition.expr import (
    AllOf,
    And,
    AnyOf,
    Attribute,
    Call,
    Comparison,
    Constant,
    Holds,
    Literal,
    Member,
    Not,
    Order,
    SetConstant,
)
from abac.condition.functions import SHIPPED, Function
from abac.condition.schema import Assurance, AttributeDefinition, Category, Schema
from abac.condition.truth import TRUE
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, Kind, ScalarType, SetType
from abac.errors import RequestError
from abac.listing import Everything, HeldIn, ListingError, Nothing, Where, list_permitted
from abac.policy.decision import Effect, Obligation
from abac.policy.rule import Algorithm, ObligationRule, Policy, PolicySet, Rule
from tests.postgres import postgres

__all__ = ["postgres"]

TIER = ScalarType(Kind.ORDERED, ("small", "large", "frontier"), "tier")
KINDS = {
    "name": STRING,
    "size": INT,
    "weight": FLOAT,
    "open": BOOL,
    "tier": TIER,
    "released": DATETIME,
    "tags": SetType(STRING),
    "sizes": SetType(INT),
    "tiers": SetType(TIER),
    "moments": SetType(DATETIME),
}
SCHEMA = Schema.of(
    [AttributeDefinition(Category.RESOURCE, name, kind, Assurance.VERIFIED) for name, kind in KINDS.items()]
    + [
        AttributeDefinition(Category.SUBJECT, "groups", SetType(STRING), Assurance.VERIFIED),
        AttributeDefinition(Category.SUBJECT, "level", INT, Assurance.VERIFIED),
        AttributeDefinition(Category.ACTION, "name", STRING, Assurance.VERIFIED),
        AttributeDefinition(Category.ENVIRONMENT, "now", DATETIME, Assurance.VERIFIED),
    ]
)
FUNCTIONS = dict(SHIPPED) | {"odd": Function("odd", 1, (INT,), BOOL, lambda n: n % 2 == 1)}


def held(name, least=Assurance.INFERRED, category=Category.RESOURCE):
    return Attribute(category, name, SCHEMA[f"{category.value}.{name}"].type, least)


def program_of(*rules, algorithm=Algorithm.DENY_OVERRIDES, riders=()):
    inner = Policy("p", algorithm, rules, riders)
    return assemble(SCHEMA, PolicySet("all", Algorithm.DENY_OVERRIDES, (inner,)), FUNCTIONS)


def permit(condition, *owed):
    return Rule("permit", Effect.PERMIT, condition, owed)


def deny(condition):
    return Rule("deny", Effect.DENY, condition)


@functools.cache
def models(sets="json"):
    kinds = {
        "json": {"tags": sa.JSON, "sizes": sa.JSON, "tiers": sa.JSON, "moments": sa.JSON},
        "jsonb": dict.fromkeys(("tags", "sizes", "tiers", "moments"), JSONB),
        "array": {
            "tags": ARRAY(sa.Text),
            "sizes": ARRAY(sa.Integer),
            "tiers": ARRAY(sa.String(20)),
            "moments": ARRAY(sa.DateTime(timezone=True)),
        },
    }[sets]
    return sa.Table(
        f"models_{sets}",
        sa.MetaData(),
        sa.Column("key", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text),
        sa.Column("size", sa.BigInteger),
        sa.Column("weight", sa.Double),
        sa.Column("open", sa.Boolean),
        sa.Column("tier", sa.Text),
        sa.Column("released", sa.DateTime(timezone=sets != "json")),
        *(sa.Column(name, kind) for name, kind in kinds.items()),
    )


def listed(engine, table, listing):
    with engine.connect() as connection:
        return connection.scalars(sa.select(table.c.key).where(listing.clause).order_by(table.c.key)).all()


@pytest.fixture
def lite():
    engine = sa.create_engine("sqlite://")
    models().create(engine)
    return engine


def put(engine, table, *rows):
    table.drop(engine, checkfirst=True)
    table.create(engine)
    with engine.begin() as connection:
        for key, row in enumerate(rows):
            connection.execute(sa.insert(table), {"key": key} | row)


SMALL = Comparison(Order.LESS, held("size"), Constant(10, INT))

# --- what comes back ----------------------------------------------------------------------------------------


def test_everything_and_nothing_read_no_column():
    empty = sa.Table("empty", sa.MetaData())
    assert list_permitted(program_of(permit(Literal(TRUE))), {}, "use", empty) == Everything()
    assert list_permitted(program_of(), {}, "use", empty) == Nothing()
    level = Comparison(Order.AT_LEAST, held("level", category=Category.SUBJECT), Constant(3, INT))
    assert list_permitted(program_of(permit(level)), {"level": 3}, "use", empty) == Everything()
    assert list_permitted(program_of(permit(level)), {"level": 2}, "use", empty) == Nothing()
    assert list_permitted(program_of(permit(level)), {}, "use", empty) == Nothing()


def test_an_unknown_lists_nothing(lite):
    put(lite, models(), {"size": 3}, {"size": None}, {"size": 30})
    assert listed(lite, models(), list_permitted(program_of(permit(SMALL)), {}, "use", models())) == [0]
    guarded = program_of(permit(Literal(TRUE)), deny(SMALL))
    assert listed(lite, models(), list_permitted(guarded, {}, "use", models())) == [2]


def test_the_subject_the_action_and_the_environment_are_put_in(lite):
    shared = AnyOf(held("groups", category=Category.SUBJECT), held("tags"))
    now = Comparison(Order.AT_LEAST, held("now", category=Category.ENVIRONMENT), held("released"))
    program = program_of(permit(shared), deny(Not(now)))
    june, july = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    put(lite, models(), {"tags": ["a", "b"], "released": june}, {"tags": ["a"], "released": july}, {"tags": ["c"]})
    noon = datetime(2026, 6, 12, 14, tzinfo=timezone(timedelta(hours=2)))
    listing = list_permitted(program, {"groups": ["a"]}, "use", models(), environment={"now": noon})
    assert listed(lite, models(), listing) == [0]
    assert list_permitted(program, {"groups": []}, "use", models(), environment={"now": noon}) == Nothing()
    assert list_permitted(program, {"groups": ["a"]}, "use", models()) == Nothing()


def test_a_permit_that_owes_is_not_permitted_unless_it_is_discharged(lite):
    rider = ObligationRule(
        "rider", Effect.PERMIT, SMALL, (Obligation("watermark"), Obligation("hint", advice=True))
    )
    program = program_of(permit(Literal(TRUE)), riders=(rider,))
    put(lite, models(), {"size": 3}, {"size": None}, {"size": 30})
    assert listed(lite, models(), list_permitted(program, {}, "use", models())) == [2]
    found = list_permitted(program, {}, "use", models(), discharges=frozenset({"watermark"}))
    assert found == Everything()


# --- what sql cannot say ------------------------------------------------------------------------------------

ODD = Holds(Call("odd", (held("size"),), BOOL))


def test_what_sql_cannot_say_is_marked_and_rechecked(lite):
    put(lite, models(), {"size": 3}, {"size": 4}, {"size": 30}, {"size": 5}, {"size": None})
    for program, sure, wanted in (
        (program_of(permit(ODD), deny(Not(SMALL))), [], [0, 3]),
        (program_of(permit(SMALL), deny(ODD)), [], [1]),
    ):
        listing = list_permitted(program, {}, "use", models())
        assert isinstance(listing, Where)
        assert not listing.exact
        assert [(o.what, o.why) for o in listing.unlowered] == [("odd(...)", "the function is Python")]
        assert listed(lite, models(), listing) == sure
        with lite.connect() as connection:
            rows = connection.execute(sa.select(models()).where(listing.candidates)).all()
        assert [row.key for row in rows if listing.recheck(row)] == wanted
        assert [row.key for row in rows if listing.recheck(row._mapping)] == wanted
        assert [row.key for row in rows if listing.recheck(row._asdict())] == wanted


def test_a_recheck_needs_what_the_answer_reads():
    listing = list_permitted(program_of(permit(ODD)), {}, "use", models())
    with pytest.raises(ListingError, match="the row has no `size`; select that column too"):
        listing.recheck({"key": 1})
    assert not listing.recheck({"size": "3"})
    with pytest.raises(RequestError, match=r"resource\.size"):
        listing.decide({"size": "3"})


def test_date_times_in_json_are_left_to_the_recheck(lite):
    june = datetime(2026, 6, 1, tzinfo=UTC)
    program = program_of(permit(Member(Constant(june, DATETIME), held("moments"))))
    put(lite, models(), {"moments": ["2026-06-01T02:00:00+02:00"]}, {"moments": []}, {"moments": None})
    listing = list_permitted(program, {}, "use", models())
    assert [o.what for o in listing.unlowered] == ["resource.moments"]
    with lite.connect() as connection:
        rows = connection.execute(sa.select(models()).where(listing.candidates)).all()
    assert [row.key for row in rows if listing.recheck(row)] == [0]


# --- which column holds what --------------------------------------------------------------------------------


def test_a_missing_column_is_named_with_what_was_perhaps_meant():
    table = sa.Table("models", sa.MetaData(), sa.Column("sise", sa.Integer), sa.Column("text", sa.Text))
    program = program_of(permit(SMALL))
    with pytest.raises(ListingError, match=r"resource\.size: .* no column `size`, did you mean `sise`"):
        list_permitted(program, {}, "use", table)
    assert isinstance(list_permitted(program, {}, "use", table, columns={"size": "sise"}), Where)
    assert isinstance(list_permitted(program, {}, "use", table, columns={"size": table.c.sise}), Where)
    assert list_permitted(program, {}, "use", table, columns={"size": None}) == Nothing()
    with pytest.raises(ListingError, match=r"resource\.sice: no such attribute .* `size`"):
        list_permitted(program, {}, "use", table, columns={"sice": "sise"})
    with pytest.raises(ListingError, match="column `text`: int is not held by a column of Text"):
        list_permitted(program, {}, "use", table, columns={"size": "text"})
    with pytest.raises(ListingError, match="expected a Table, a selectable or a mapped class, got list"):
        list_permitted(program, {}, "use", [])


def test_assurance_and_completeness_are_said_of_a_column(lite):
    table = models()
    free = Not(AnyOf(held("tags", Assurance.DOCUMENTED), SetConstant(frozenset({"x"}), SetType(STRING))))
    program = program_of(permit(free))
    put(lite, table, {"tags": ["a"], "open": True}, {"tags": ["a"], "open": None}, {"tags": ["x"], "open": True})
    for place, wanted in (
        (HeldIn("tags"), [0, 1]),
        (HeldIn("tags", complete="open"), [0]),
        (HeldIn("tags", Assurance.DOCUMENTED, complete=table.c.open), [0]),
    ):
        listing = list_permitted(program, {}, "use", table, columns={"tags": place})
        assert listed(lite, table, listing) == wanted
        with lite.connect() as connection:
            rows = connection.execute(sa.select(table)).all()
        assert [row.key for row in rows if listing.recheck(row)] == wanted
    assert list_permitted(program, {}, "use", table, columns={"tags": HeldIn("tags", "declared")}) == Nothing()
    assert list_permitted(program, {}, "use", table, columns={"tags": HeldIn("tags", complete=False)}) == Nothing()
    with pytest.raises(ListingError, match="column `size`: completeness is true or false"):
        list_permitted(program, {}, "use", table, columns={"tags": HeldIn("tags", complete="size")})


class Base(DeclarativeBase):
    pass


class Model(Base):
    __tablename__ = "mapped"
    key: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int | None] = mapped_column("size_in_column")


def test_a_mapped_class_and_an_alias_of_one(lite):
    Base.metadata.create_all(lite)
    program = program_of(permit(SMALL))
    with Session(lite) as session:
        session.add_all([Model(key=0, size=3), Model(key=1, size=None), Model(key=2, size=30)])
        session.flush()
        listing = list_permitted(program, {}, "use", Model)
        assert [m.key for m in session.scalars(sa.select(Model).where(listing.clause))] == [0]
        assert [m.key for m in session.scalars(sa.select(Model)) if listing.recheck(m)] == [0]
        other = aliased(Model)
        again = list_permitted(program, {}, "use", other)
        pairs = sa.select(Model.key, other.key).where(listing.clause, ~again.clause)
        assert session.execute(pairs).all() == [(0, 1), (0, 2)]
        program = program_of(permit(ODD))
        listing = list_permitted(program, {}, "use", Model, columns={"size": Model.size})
        found = session.scalars(sa.select(Model).where(listing.candidates))
        assert [m.key for m in found if listing.recheck(m)] == [0]


# --- bad rows are not listed, and never raise ---------------------------------------------------------------


def free_of(name, kind, value):
    """Who is none of something: what a value of another type would slip through."""
    return Not(Member(Constant(value, kind), held(name)))


LATE = Constant(datetime(2027, 1, 1, tzinfo=UTC), DATETIME)
EARLY = Constant(datetime(2, 1, 1, tzinfo=UTC), DATETIME)
UNSOUND = [
    ("size", "'12'", SMALL),
    ("size", "'abc'", Not(SMALL)),
    ("size", "1.5", SMALL),
    ("size", "x'01'", Not(SMALL)),
    ("weight", "9e999", Comparison(Order.GREATER, held("weight"), Constant(0.0, FLOAT))),
    ("weight", "'heavy'", Comparison(Order.GREATER, held("weight"), Constant(0.0, FLOAT))),
    ("open", "2", Not(Holds(held("open")))),
    ("open", "'t'", Not(Holds(held("open")))),
    ("name", "x'61'", Not(Comparison(Order.EQUAL, held("name"), Constant("x", STRING)))),
    ("name", "'a' || char(0)", Not(Comparison(Order.EQUAL, held("name"), Constant("x", STRING)))),
    ("tier", "'Small'", Not(Comparison(Order.EQUAL, held("tier"), Constant("large", TIER)))),
    ("released", "'2026-06-01'", Comparison(Order.LESS, held("released"), LATE)),
    ("released", "'2026-02-03 00:00:00.000000' || char(0)", Comparison(Order.LESS, held("released"), LATE)),
    ("released", "'2026-02-30 00:00:00.000000'", Comparison(Order.LESS, held("released"), LATE)),
    *(
        ("released", f"'{bad}.000000'", Comparison(Order.LESS, held("released"), LATE))
        for bad in (
            "0000-02-03 00:00:00",
            "2026-00-03 00:00:00",
            "2026-13-03 00:00:00",
            "2026-06-00 00:00:00",
            "2026-06-31 00:00:00",
            "2026-06-03 24:00:00",
            "2026-06-03 00:60:00",
        )
    ),
    ("tags", "'[\"a\", null]'", free_of("tags", STRING, "x")),
    ("tags", "'[\"a\", 1]'", free_of("tags", STRING, "x")),
    ("tags", "'[\"\\ud834\"]'", free_of("tags", STRING, "x")),
    ("tags", "'[\"a\\u0000\"]'", free_of("tags", STRING, "x")),
    ("tiers", "'[\"small\\u0000\"]'", free_of("tiers", TIER, "large")),
    ("tags", "'[[\"x\"]]'", free_of("tags", STRING, "x")),
    ("tags", '\'{"x": "a"}\'', free_of("tags", STRING, "x")),
    ("tags", "'\"a\"'", free_of("tags", STRING, "x")),
    ("tags", "'not json'", free_of("tags", STRING, "x")),
    ("tags", "''", free_of("tags", STRING, "x")),
    ("sizes", "'[1, true]'", free_of("sizes", INT, 7)),
    ("sizes", "'[1, 2.0]'", free_of("sizes", INT, 7)),
    ("sizes", "'[9223372036854775808]'", free_of("sizes", INT, 7)),
    ("tiers", '\'["small", "tiny"]\'', free_of("tiers", TIER, "large")),
]


@pytest.mark.parametrize(("column", "value", "condition"), UNSOUND, ids=lambda v: v if isinstance(v, str) else "")
def test_sqlite_never_lists_a_row_that_no_request_may_carry(lite, column, value, condition):
    table = models()
    put(lite, table, {})
    with lite.begin() as connection:
        connection.exec_driver_sql(f'INSERT INTO {table.name} (key, "{column}") VALUES (1, {value})')  # noqa: S608  # our own values
    listing = list_permitted(program_of(permit(condition)), {}, "use", table)
    assert listed(lite, table, listing) == []
    lenient = list_permitted(program_of(permit(Literal(TRUE)), deny(Not(condition))), {}, "use", table)
    assert listed(lite, table, lenient) == []


ANY = SetConstant(frozenset({"x"}), SetType(STRING))
POSTGRES_UNSOUND = [
    ("jsonb", "weight", "'NaN'", Comparison(Order.GREATER, held("weight"), Constant(0.0, FLOAT))),
    ("jsonb", "weight", "'Infinity'", Comparison(Order.GREATER, held("weight"), Constant(0.0, FLOAT))),
    ("jsonb", "released", "'infinity'", Comparison(Order.GREATER, held("released"), EARLY)),
    ("jsonb", "released", "'-infinity'", Comparison(Order.LESS, held("released"), EARLY)),
    ("jsonb", "released", "'0044-03-15 00:00:00+00 BC'", Comparison(Order.LESS, held("released"), EARLY)),
    ("jsonb", "tags", "'[\"a\", null]'", Not(AnyOf(held("tags"), ANY))),
    ("jsonb", "tags", "'\"x\"'", AnyOf(held("tags"), ANY)),
    ("jsonb", "tags", "'{\"x\": 1}'", Not(AnyOf(held("tags"), ANY))),
    ("jsonb", "tags", "'[[\"x\"]]'", Not(AllOf(held("tags"), ANY))),
    ("jsonb", "sizes", "'[1.0]'", free_of("sizes", INT, 7)),
    ("jsonb", "sizes", "'[1e400]'", free_of("sizes", INT, 7)),
    ("jsonb", "sizes", "'[\"1\"]'", free_of("sizes", INT, 7)),
    ("jsonb", "tiers", "'[\"tiny\"]'", free_of("tiers", TIER, "large")),
    ("json", "tags", "'[\"a\\u0000\"]'", free_of("tags", STRING, "x")),
    ("json", "tags", "'[\"\\ud834\"]'", free_of("tags", STRING, "x")),
    ("array", "tags", "'{a,NULL}'", free_of("tags", STRING, "x")),
    ("array", "tags", "'{{a},{b}}'", free_of("tags", STRING, "x")),
    ("array", "tiers", "'{tiny}'", free_of("tiers", TIER, "large")),
    ("array", "moments", "'{infinity}'", free_of("moments", DATETIME, datetime(2, 1, 1, tzinfo=UTC))),
]


@pytest.mark.parametrize(
    ("sets", "column", "value", "condition"), POSTGRES_UNSOUND, ids=lambda v: v if isinstance(v, str) else ""
)
def test_postgresql_never_lists_a_row_that_no_request_may_carry(postgres, sets, column, value, condition):
    table = models(sets)
    put(postgres, table, {})
    with postgres.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO {table.name} (key, {column}) VALUES (1, {value})")  # noqa: S608  # our own values
    listing = list_permitted(program_of(permit(condition)), {}, "use", table)
    assert listed(postgres, table, listing) == []
    lenient = list_permitted(program_of(permit(Literal(TRUE)), deny(Not(condition))), {}, "use", table)
    assert listed(postgres, table, lenient) == []


def test_json_columns_work_on_postgresql_too(postgres):
    table = models("json")
    put(postgres, table, {"tags": ["x", "\U0001d11e"]}, {"tags": ["y"]}, {"tags": None}, {"tags": []})
    listing = list_permitted(program_of(permit(Not(AnyOf(held("tags"), ANY)))), {}, "use", table)
    assert listed(postgres, table, listing) == [1, 3]


# --- text and indexes ---------------------------------------------------------------------------------------


def test_collations_of_columns_do_not_matter(lite, postgres):
    for engine, collation in ((lite, "NOCASE"), (postgres, "POSIX")):
        table = sa.Table(
            "loose",
            sa.MetaData(),
            sa.Column("key", sa.Integer, primary_key=True),
            sa.Column("name", sa.Text(collation=collation)),
            sa.Column("tags", sa.JSON().with_variant(JSONB(), "postgresql")),
        )
        put(engine, table, *({"name": name, "tags": ["a"]} for name in ("a", "A", "é", "Z")))
        equal = Comparison(Order.EQUAL, held("name"), Constant("a", STRING))
        less = Comparison(Order.LESS, held("name"), Constant("a", STRING))
        for condition, wanted in ((equal, [0]), (less, [1, 3]), (Member(held("name"), held("tags")), [0])):
            assert listed(engine, table, list_permitted(program_of(permit(condition)), {}, "use", table)) == wanted


def test_every_date_time_of_the_calendar_is_listed(lite):
    moments = [
        datetime(*given, tzinfo=UTC) for given in ((2024, 2, 29, 23, 59, 59, 999_999), (2026, 1, 31), (1, 1, 1))
    ]
    put(lite, models(), *({"released": moment} for moment in moments))
    listing = list_permitted(
        program_of(permit(Comparison(Order.LESS, held("released"), LATE))), {}, "use", models()
    )
    assert listed(lite, models(), listing) == [0, 1, 2]


NAMED = Comparison(Order.EQUAL, held("name"), Constant("n3", STRING))
MANY = And((NAMED, *(Comparison(Order.GREATER, held("size"), Constant(-n, INT)) for n in range(10))))


@pytest.mark.parametrize("equal", [NAMED, MANY], ids=["alone", "beside so many that they are put in brackets"])
def test_an_index_on_an_equality_is_used(lite, postgres, equal):
    for engine, explain, mark in ((lite, "EXPLAIN QUERY PLAN ", "SEARCH"), (postgres, "EXPLAIN ", "Index")):
        table = models("json" if engine is lite else "array")
        put(engine, table, *({"name": f"n{n}"} for n in range(50)))
        with engine.begin() as connection:
            connection.execute(sa.text(f"CREATE INDEX by_name ON {table.name} (name)"))
        listing = list_permitted(program_of(permit(equal)), {}, "use", table)
        chosen = sa.select(table.c.key).where(listing.clause)
        text = str(chosen.compile(engine, compile_kwargs={"literal_binds": True}))
        with engine.connect() as connection:
            if engine is postgres:
                connection.execute(sa.text("SET enable_seqscan = off"))
            plan = connection.exec_driver_sql(explain + text).all()
        assert any(mark in str(line) for line in plan), plan


def test_importing_abac_does_not_import_sqlalchemy():
    code = "import sys, abac; assert 'sqlalchemy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_text_that_only_looks_like_an_escaped_nul_is_sound(lite):
    put(lite, models(), {"tags": ["a\\u0000"]}, {"tags": ["x"]})
    listing = list_permitted(program_of(permit(free_of("tags", STRING, "x"))), {}, "use", models())
    assert listed(lite, models(), listing) == [0]

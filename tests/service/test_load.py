import os
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import abac
from abac.errors import CompileError
from tests.reading import DIRECTIVES, MODELS, ROOT, SCHEMA_TEXT, SHIPPED_SCHEMA

PERSON = "person: {name}\nversion: 1\ntitle: T\nsource: S\ncondition: {condition}\n"
DIRECTIVE = """\
directive: {id}
title: T
kind: broad
binding: true
firmness: assumption
authority: {{body: B, theory: T}}
status: [{{event: effective, at: 2026-06-12T00:00:00Z, recorded: {recorded}}}]
clauses: [{{id: c, kind: deny, subject: {subject}}}]
"""


class Home:
    """A folder of policies, written by the test."""

    def __init__(self, path):
        self.path = path
        self.write("schema.yaml", SCHEMA_TEXT)

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def directive(self, name="d", *, subject="r.sub.flag", recorded="2026-06-12T00:00:00Z", file=None):
        text = DIRECTIVE.format(id=name, subject=subject, recorded=recorded)
        return self.write(f"rules/{file or name}.yaml", text)

    def compile(self, *, model=MODELS / "abac.conf", policies=("rules",), **more):
        (self.path / "rules").mkdir(exist_ok=True)
        return abac.compile(self.path / "schema.yaml", model, [self.path / p for p in policies], **more)

    def errors(self, **more):
        with pytest.raises(CompileError) as refused:
            self.compile(**more)
        found = refused.value.diagnostics
        assert list(found) == sorted(found)
        return [(os.path.relpath(d.span.file, self.path), d.span.line, d.span.column, d.code) for d in found]


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def test_the_shipped_policies_compile_with_the_two_warnings_they_deserve():
    program = abac.compile(
        SHIPPED_SCHEMA, MODELS / "abac.conf", [DIRECTIVES, ROOT / "policies/rules/baseline.csv"]
    )
    assert [(w.code, Path(w.span.file).name) for w in program.warnings] == [
        ("exempts-everyone", "d3-rescinded.yaml"),
        ("pending-term", "v0-framework.yaml"),
    ]
    assert len(program.directives) == 9


def test_every_error_of_every_file_comes_at_once_in_order(home):
    home.write("rules/b.csv", "p, r.sub.agee > 1, true, read, allow\np, true\np, true, true, raed, allow\n")
    home.write("rules/a.csv", "p, r.sub.flag &&, true, read, allow\n")
    home.directive("d", subject="r.sub.flg")
    home.write("persons/p.yaml", PERSON.format(name="p", condition="r.sub.ag > 3"))
    home.write("lists/l.yaml", "list: l\n")
    assert home.errors() == [
        *[("lists/l.yaml", 1, 1, "document")] * 5,
        ("persons/p.yaml", 5, 12, "unknown-attribute"),
        ("rules/a.csv", 1, 17, "syntax"),
        ("rules/b.csv", 1, 4, "unknown-attribute"),
        ("rules/b.csv", 2, 1, "row"),
        ("rules/b.csv", 3, 16, "type-clash"),
        ("rules/d.yaml", 8, 40, "unknown-attribute"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("rules/x.yaml", "a: [", "yaml"),
        ("rules/x.yaml", "a: 1", "document"),
        ("rules/x.yaml", "- 1", "document"),
        ("rules/x.yaml", "", "yaml"),
        ("rules/x.yaml", b"\xff\xfe", "encoding"),
        ("rules/x.csv", b"p, \xe9, true, read, allow", "encoding"),
        ("rules/x.csv", "p, true, true, read\n", "row"),
        ("rules/X.CSV", "p, true, true, read\n", "row"),
        ("rules/X.YML", "a: 1", "document"),
        ("rules/deep/er/x.csv", "p", "row"),
        ("rules/x.csv", "alpha2,name\n", "missing-column"),
        ("rules/x.csv", "alpha2," + "x" * 200_000, "csv"),
        ("rules/x.yaml", "directive: d\nstatus: 5\n", "document"),
        ("rules/x.yaml", "directive: d\nstatus: {event: effective}\n", "document"),
        ("rules/x.yaml", "directive: d\nstatus: [{event: effective, at: 5}]\n", "document"),
        (
            "rules/x.yaml",
            "directive: d\nstatus: [{event: effective, at: '0001-01-01T00:00:00+14:00'}]\n",
            "document",
        ),
        ("rules/x.yaml", "a: " + "[" * 100_000, "nested-too-deep"),
        ("schema.yaml", "nothing: here", "schema"),
        ("persons/x.yaml", "person: 1", "document"),
        ("rules/x.csv", "p, " + "(" * 10_000 + "true, true, read, allow", "row"),
        ("rules/x.csv", "p, " + "!" * 10_000 + "true, true, read, allow", "nested-too-deep"),
        ("rules/x.csv", "p, " + "(" * 10_000 + "true" + ")" * 10_000 + ", true, read, allow", "nested-too-deep"),
        ("rules/x.csv", "p, " + "x" * 2_000_000 + ", true, read, allow", "row-too-long"),
        ("rules/x.csv", "p, True) or (True, true, read, allow", "row"),
    ],
    ids=range(24),
)
def test_a_bad_file_is_refused_by_name(home, name, content, code):
    home.write(name, content)
    found = home.errors()
    assert found[0][0] == name
    assert code in [c for _, _, _, c in found]


def test_what_is_not_there_or_cannot_be_read_is_refused_by_name(home):
    assert home.errors(policies=["nowhere"]) == [("nowhere", 1, 1, "file")]
    assert home.errors(model=home.path / "no.conf") == [("no.conf", 1, 1, "file")]
    assert home.errors(model=home.path) == [(".", 1, 1, "file")]
    (home.path / "schema.yaml").unlink()
    assert home.errors()[0] == ("schema.yaml", 1, 1, "file")
    with pytest.raises(CompileError, match="null byte"):
        abac.compile("sch\0ema.yaml")


def test_rows_without_a_model_are_refused_and_directives_alone_are_not(home):
    home.directive()
    assert home.compile(model=None).directives
    home.write("rules/x.csv", "p, true, true, read, allow")
    assert home.errors(model=None) == [("rules/x.csv", 1, 1, "no-model")]


def test_whatever_is_defined_twice_is_refused(home):
    home.write("rules/l1.yaml", "list: l\nversion: 1\nsource: s\nfirmness: firm\ntype: string\nvalues: [a]\n")
    home.write("rules/l2.yaml", "list: l\nversion: 2\nsource: s\nfirmness: firm\ntype: string\nvalues: [b]\n")
    home.write("rules/p1.yaml", PERSON.format(name="p", condition="r.sub.flag"))
    home.write("rules/p2.yaml", PERSON.format(name="p", condition="r.obj.hidden"))
    home.directive("d")
    home.directive("d", file="d-again")
    assert {(file, code) for file, _, _, code in home.errors()} == {
        ("rules/l2.yaml", "duplicate-id"),
        ("rules/p2.yaml", "duplicate-id"),
        ("rules/d.yaml", "duplicate-id"),
    }


def test_a_file_named_twice_is_read_once(home):
    home.directive()
    program = home.compile(policies=["rules", "rules/d.yaml", "rules/../rules"])
    assert len(program.directives) == 1


def test_persons_and_lists_beside_the_schema_are_always_read_and_scenarios_never(home):
    home.write("persons/p.yaml", PERSON.format(name="p", condition="r.sub.flag"))
    home.write("rules/scenarios/x.yaml", "not: a policy")
    home.write("rules/notes.txt", "not a policy")
    assert set(home.compile().persons) == {"p@1"}


@pytest.mark.parametrize("word", ["keys", "mapping", "entities"])
def test_what_a_server_or_a_verb_left_in_the_folder_is_no_policy_and_stops_none(home, word):
    home.directive()
    home.write("rules/left.yaml", f"{word}: abac/1\nheld: {{}}\n")
    assert [d.id for d in home.compile().directives] == ["d"]
    home.write("rules/left.yaml", f"{word}: [abac/1]\n")
    assert home.errors() == [("rules/left.yaml", 1, 1, "document")]


def test_circular_person_tests_are_refused_directly_and_via_three(home):
    home.write("persons/a.yaml", PERSON.format(name="a", condition='person("a@1")'))
    assert home.errors() == [("persons/a.yaml", 5, 19, "circular-person-test")]
    for name, other in (("a", "b"), ("b", "c"), ("c", "a")):
        home.write(
            f"persons/{name}.yaml", PERSON.format(name=name, condition=f'person("{other}@1") && r.sub.flag')
        )
    assert [code for _, _, _, code in home.errors()] == ["circular-person-test"]


def test_person_tests_that_double_at_every_step_are_refused_in_no_time(home):
    for n in range(60):
        text = f'person("p{n + 1}@1") && (person("p{n + 1}@1") || r.sub.flag)'
        home.write(f"persons/p{n}.yaml", PERSON.format(name=f"p{n}", condition=text))
    home.write("persons/p60.yaml", PERSON.format(name="p60", condition="r.sub.flag"))
    home.directive(subject='person("p0@1")')
    start = time.process_time()
    assert {code for _, _, _, code in home.errors()} <= {"too-large", "nested-too-deep"}
    assert time.process_time() - start < 20


def test_a_directive_needs_a_schema_that_knows_the_time(home):
    home.directive()
    home.write("schema.yaml", SCHEMA_TEXT.replace("now: {type: date-time}", "now: {type: string}"))
    assert home.errors() == [("rules/d.yaml", 1, 1, "no-now")]
    home.write("schema.yaml", SCHEMA_TEXT.replace("  environment:\n    now: {type: date-time}\n", ""))
    assert home.errors() == [("rules/d.yaml", 1, 1, "no-now")]


def test_what_was_recorded_later_does_not_count_as_known_before(home):
    home.directive(recorded="2026-06-20T00:00:00Z")
    request = abac.Request({"flag": True}, "read", environment={"now": "2026-06-15T00:00:00Z"})
    for known, decision in ((None, "DENY"), (datetime(2026, 6, 18, tzinfo=UTC), "NOT_APPLICABLE")):
        program = home.compile(model=None, as_known_at=known)
        assert abac.decide(program, request).decision.value == decision


def test_a_time_without_offset_is_refused(home):
    with pytest.raises(CompileError, match="has no offset"):
        home.compile(as_known_at=datetime(2026, 6, 18))  # noqa: DTZ001  # that is the test


def test_dated_lists_are_taken_on_the_day_asked_for_or_the_day_the_latest_directive_takes_effect(home):
    home.write(
        "lists/groups.csv",
        "alpha2,name,group,from,until,source,firmness\nCN,China,G,2026-06-10,2026-06-20,s,firm\nFR,France,G,,2026-06-11,s,firm\n",
    )
    assert home.compile(as_of=date(2026, 6, 10)).lists == {"G": {"CN", "FR"}}
    assert home.compile().lists == {"G": frozenset()}  # no directive: the last membership there is
    home.directive()
    assert home.compile().lists == {"G": {"CN"}}


def test_files_with_a_byte_order_mark_and_foreign_line_ends_read_the_same(home):
    rows = "p, r.sub.flag, true, read, allow\np, true, r.obj.hidden, read, deny\n"
    home.write("rules/x.csv", rows)
    plain = home.compile().revision
    home.write("rules/x.csv", "\ufeff" + rows.replace("\n", "\r\n"))
    assert home.compile().revision == plain


def test_an_embedders_function_is_known_by_its_name(home):
    even = abac.Function("even", 1, (abac.condition.types.INT,), abac.condition.types.BOOL, lambda n: n % 2 == 0)
    home.write("rules/x.csv", "p, even(r.sub.age), true, read, allow")
    assert abac.decide(home.compile(functions=[even]), abac.Request({"age": 4}, "read")).permitted
    assert home.errors() == [("rules/x.csv", 1, 4, "unknown-function")]


def test_three_thousand_rows_compile_in_seconds(home):
    rows = "".join(f'p, r.sub.name == "u{n}" && r.sub.age > {n % 90}, true, read, allow\n' for n in range(3_000))
    home.write("rules/x.csv", rows)
    start = time.process_time()
    program = home.compile()
    assert time.process_time() - start < 30
    assert abac.decide(program, abac.Request({"name": "u77", "age": 91}, "read")).permitted

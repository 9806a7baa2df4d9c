import time

import casbin
import pytest
from casbin.rbac.default_role_manager import DomainManager
from hypothesis import given
from hypothesis import strategies as st

from abac.errors import Findings
from abac.language.casbin import EFFECTS, MAX_ROW, Rows, in_order, read_model, read_rows
from abac.language.lexer import tokens
from abac.policy.rule import Algorithm
from tests.reading import MODELS

MODEL = """\
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub_rule, obj_rule, act, eft

[role_definition]
g = _, _
g2 = _, _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = eval(p.sub_rule) && eval(p.obj_rule) && r.act == p.act
"""


def model(text: str = MODEL):
    findings = Findings()
    read = read_model(text, "m.conf", {}, findings)
    findings.raise_errors()
    assert read is not None
    return read


def refusals(text: str) -> list[tuple[str, int, int, str]]:
    findings = Findings()
    assert read_model(text, "m.conf", {}, findings) is None
    return [(f.code, f.span.line, f.span.column, f.message) for f in findings.errors]


def rows(text: str, of: str = MODEL) -> tuple[Rows, Findings]:
    read, findings = Rows(), Findings()
    read_rows(text, "p.csv", model(of), read, findings)
    return read, findings


# --- models ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "algorithm", "default_deny"),
    [
        ("some(where (p.eft == allow))", Algorithm.DENY_UNLESS_PERMIT, False),
        ("!some(where (p.eft == deny))", Algorithm.PERMIT_UNLESS_DENY, False),
        ("some(where (p.eft == allow)) && !some(where (p.eft == deny))", Algorithm.DENY_OVERRIDES, True),
        ("priority(p.eft) || deny", Algorithm.FIRST_APPLICABLE, True),
    ],
)
def test_casbins_effects_are_algorithms(effect, algorithm, default_deny):
    read = model(MODEL.replace("some(where (p.eft == allow)) && !some(where (p.eft == deny))", effect))
    assert (read.algorithm, read.default_deny) == (algorithm, default_deny)
    assert len(EFFECTS) == 4


@pytest.mark.parametrize("file", sorted(MODELS.glob("*.conf")), ids=lambda f: f.name)
def test_a_shipped_model_is_read_by_us_and_by_stock(file):
    text = file.read_text(encoding="utf-8")
    assert model(text).fields
    assert casbin.Enforcer(str(file)).get_model()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("[matchers]", "[nothing]"), ("model", 1, 1, "needs a section [matchers]")),
        (("e = some", "e = most"), ("unsupported", 12, 5, "is not supported")),
        (("&& r.act", "&& r.act.x.y"), ("unknown-name", 15, 45, "names no attribute")),
        (("== p.act", "== p.acts"), ("unknown-field", 15, 54, "no field `acts`")),
        (("m = ", "m2 = true\nm = "), ("unsupported", 15, 6, "`m2`")),
        (("p = sub_rule, obj_rule", "p = sub rule, obj_rule"), ("model", 5, 5, "distinct names")),
        (("p = sub_rule, obj_rule", "p = act, obj_rule"), ("model", 5, 5, "distinct names")),
        (("g = _, _", "g = _"), ("unsupported", 8, 5, "role definition `g = _`")),
        (("g = _, _", "g = _, _, (_, _)"), ("unsupported", 8, 5, "role definition")),
        (("&& r.act == p.act", '&& r.act == p.act "'), ("syntax", 15, 60, "does not end on its line")),
        (("&& r.act == p.act", '&& r.act == p.act " && r.sub.x'), ("syntax", 15, 60, "does not end on its line")),
    ],
)
def test_a_model_that_nobody_can_mean_is_refused_with_its_place(change, found):
    code, line, column, says = found
    got = refusals(MODEL.replace(*change))
    assert [(c, ln, col) for c, ln, col, message in got if says in message][:1] == [(code, line, column)]


@pytest.mark.parametrize("text", ["", "x", "[a]\nb", "[request_definition]\nr = a\n", "=", "\0", "[]\n=="])
def test_what_is_no_model_at_all_is_refused(text):
    assert refusals(text)


def test_a_matcher_may_end_in_a_comment_and_hold_a_hash_in_a_string():
    read = model(MODEL.replace("== p.act", '== p.act && r.sub.x != "#1" && r.sub.y != "\\"#" # why'))
    assert len(read.matcher.operands) == 5


def test_a_matcher_carried_over_lines_keeps_its_places():
    text = MODEL.replace("eval(p.sub_rule) && ", "eval(p.sub_rule) \\\n    && ").replace(
        "== p.act", "== \\\n  p.acts"
    )
    (found,) = refusals(text)
    assert found[:3] == ("unknown-field", 17, 3)


# --- rows -----------------------------------------------------------------------------------------------------


def test_a_row_is_cut_as_pycasbin_cuts_it_and_every_field_keeps_its_place():
    line = 'p,  r.sub.x in ("a", "b") , r.obj.id == "x"  ,read,allow'
    read, findings = rows(f"# a comment\n\n{line}\n")
    assert not findings.errors
    (row,) = read.policy
    assert {name: (t.value, t.span.line, t.span.column) for name, t in row.fields.items()} == {
        "sub_rule": ('r.sub.x in ("a", "b")', 3, 5),
        "obj_rule": ('r.obj.id == "x"', 3, 29),
        "act": ("read", 3, 47),
        "eft": ("allow", 3, 52),
    }


def test_a_field_whose_text_occurs_earlier_in_the_row_keeps_its_own_place():
    read, _ = rows("p, allow == allow, allow, allow, allow")
    assert [t.span.column for t in read.policy[0].fields.values()] == [4, 20, 27, 34]
    read, _ = rows("  p,p,p,p,allow")
    assert [t.span.column for t in read.policy[0].fields.values()] == [5, 7, 9, 11]


@given(
    st.lists(st.sampled_from(["a", "aa", "a a", "p", "f(a, a)", "[a]", "allow"]), min_size=3, max_size=3),
    st.data(),
)
def test_a_field_stands_where_its_place_says(values, data):
    gaps = [data.draw(st.sampled_from(["", " ", "  "])) for _ in range(8)]
    cells = [*values, "allow"]
    line = gaps[0] + "p" + "".join(f"{gaps[i]},{gaps[i + 4]}{cell}" for i, cell in enumerate(cells))
    read, findings = rows(line)
    assert not findings.errors
    for cell, found in zip(cells, read.policy[0].fields.values(), strict=True):
        assert found.value == cell
        assert line[found.span.column - 1 :].startswith(cell)
        assert line[: found.span.column - 1].rstrip().endswith(",")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("p, a, b, read", "row has 3 fields; the model's rows have 4 (sub_rule, obj_rule, act, eft)"),
        ("p, a, b, read, allow, more", "row has 5 fields"),
        ("p", "row has 0 fields"),
        ("p, a, b, read, alow", "neither `allow` nor `deny`"),
        ("p, a, b, read,", "neither `allow` nor `deny`"),
        ("q, a, b, read, allow", "`q`, which the model does not define"),
        ("p2, a, b, read, allow", "`p2`, which the model does not define"),
        ("p, a), b, read, allow", "this bracket closes nothing"),
        ("p, (a, b, read, allow", "row has 1 fields"),
        ('p, r.sub.x == "a,b", b, read, allow', "row has 5 fields"),
        ("g, alice", "a link of `g` has 2 names; this row has 1"),
        ("g, alice, admin, domain", "a link of `g` has 2 names; this row has 3"),
        ("g, alice,", "a link of `g` has 2 names"),
        ("g2, alice, admin", "a link of `g2` has 3 names"),
        ("g", "a link of `g` has 2 names; this row has 0"),
    ],
)
def test_a_row_that_the_model_does_not_define_is_refused_with_its_line(line, says):
    read, findings = rows(f"p, a, b, read, allow\n{line}\n")
    (found,) = findings.errors
    assert says in found.message
    assert found.span.line == 2
    assert (len(read.policy), read.links) == (1, {})


@pytest.mark.parametrize("line", ["p, True) or (True, b, read, allow", "  p, True) or (True, b, read, allow"])
def test_a_bracket_that_closes_nothing_is_found_at_its_column(line):
    (found,) = rows(f"p, a, b, read, allow\n{line}\n")[1].errors
    assert (found.span.line, found.span.column) == (2, line.index(")") + 1)


def test_all_bad_rows_are_found_at_once():
    _, findings = rows("p\nq\np, a, b, read, maybe\ng, x\n")
    assert [f.span.line for f in findings.errors] == [1, 2, 3, 4]


def test_rows_are_numbered_without_comments_blank_lines_and_links():
    read, _ = rows("# c\np, a, b, read, allow\n\ng, x, y\np, a, b, read, deny\n")
    assert [row.number for row in read.policy] == [1, 2]
    assert [row.span.line for row in read.policy] == [2, 5]


def test_a_row_beyond_the_limit_is_refused_by_file_and_row_and_the_rest_is_read():
    start = time.process_time()
    huge = "p, " + "x" * 2_000_000 + ", b, read, allow"
    read, findings = rows(f"p, a, b, read, allow\n{huge}\np, a, b, read, allow\n")
    (found,) = findings.errors
    assert (found.code, str(found.span)) == ("row-too-long", "p.csv:2:1")
    assert f"{MAX_ROW:,}" in found.message
    assert len(str(found)) < 200
    assert len(read.policy) == 2
    assert time.process_time() - start < 2


def test_reading_rows_takes_time_in_proportion_to_their_number():
    def seconds(count: int) -> float:
        text = "p, r.sub.x == 1, r.obj.y == 2, read, allow\n" * count
        start = time.process_time()
        rows(text)
        return time.process_time() - start

    one, eight = (min(seconds(count) for _ in range(3)) for count in (1_000, 8_000))
    assert eight < 40 * one  # 8 times, and much room for a noisy machine


@pytest.mark.law
def test_a_row_of_a_hundred_megabytes_is_refused_in_seconds():
    start = time.process_time()
    read, findings = rows("p, a, b, read, allow\np, " + "x" * 100_000_000 + ", b, read, allow\n")
    assert [str(f.span) for f in findings.errors] == ["p.csv:2:1"]
    assert len(read.policy) == 1
    assert time.process_time() - start < 20


@given(st.text(max_size=60))
def test_any_text_of_rows_is_read_or_refused(text):
    read, findings = rows(text)
    assert len(read.policy) + sum(map(len, read.links.values())) + len(findings.errors) <= text.count("\n") + 1


def test_rows_are_tried_by_priority_and_equals_in_their_order():
    text = MODEL.replace("p = sub_rule", "p = priority, sub_rule")
    read, findings = rows("p, 10, a, b, read, allow\np, 2, c, d, read, deny\np, 10, e, f, read, deny\n", text)
    assert not findings.errors
    assert [row.fields["sub_rule"].value for row in in_order(read.policy)] == ["c", "a", "e"]
    _, findings = rows("p, -1, a, b, read, allow\np, \u0663, a, b, read, allow\np, x, a, b, read, allow\n", text)
    assert len(findings.errors) == 3


# --- roles ----------------------------------------------------------------------------------------------------

names = st.sampled_from([f"n{i}" for i in range(14)])


@given(st.lists(st.tuples(names, names), max_size=25))
def test_who_has_a_role_is_whom_pycasbins_manager_says(links):
    manager, read = DomainManager(10), Rows(links={"g": [tuple(link) for link in links]})
    for link in links:
        manager.add_link(*link)
    everyone = {f"n{i}" for i in range(14)}
    for role in everyone:
        has = {name for name in everyone if manager.has_link(name, role)}
        assert read.members("g", role) == has


@given(st.lists(st.tuples(names, names, st.sampled_from(["d1", "d2"])), max_size=15))
def test_a_link_holds_in_its_own_domain_alone(links):
    manager, read = DomainManager(10), Rows(links={"g": [tuple(link) for link in links]})
    for link in links:
        manager.add_link(*link)
    for role in ("n0", "n1", "n2"):
        for domain in ("d1", "d2", "d3"):
            has = {f"n{i}" for i in range(14) if manager.has_link(f"n{i}", role, domain)}
            assert read.members("g", role, (domain,)) == has


def test_role_links_are_followed_as_far_as_pycasbin_follows_them():
    links = [(f"n{i}", f"n{i + 1}") for i in range(20)]
    manager, read = DomainManager(10), Rows(links={"g": links})
    for link in links:
        manager.add_link(*link)
    assert read.members("g", "n20") == {f"n{i}" for i in range(21) if manager.has_link(f"n{i}", "n20")}
    assert len(read.members("g", "n20")) == 10


def test_a_circle_of_roles_ends():
    assert Rows(links={"g": [("a", "b"), ("b", "a")]}).members("g", "a") == {"a", "b"}


def test_ten_thousand_members_are_found_in_no_time():
    read = Rows(links={"g": [(f"n{i}", "staff") for i in range(10_000)]})
    start = time.process_time()
    assert len(read.members("g", "staff")) == 10_001
    assert time.process_time() - start < 2


def test_tokens_of_a_field_stand_in_their_row():
    read, _ = rows("p, true, r.obj.id == 'x', read, allow")
    assert [t.span.column for t in tokens(read.policy[0].fields["obj_rule"])][-2:] == [22, 25]

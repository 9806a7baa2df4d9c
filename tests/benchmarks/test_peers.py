from __future__ import annotations

import ast
import json
import re

import pytest

from benchmarks.peers import results
from benchmarks.peers.clock import WARM, Measured, Spread, measure, pooled
from benchmarks.peers.field import FIELD, OPTIONAL, installed
from benchmarks.peers.run import SIZES, DisagreementError, Run, agree
from benchmarks.peers.with_abac import Abac
from benchmarks.peers.with_cedarpy import policy_text as cedar_text
from benchmarks.peers.with_cel import policy_text as cel_text
from benchmarks.peers.with_eval import EvalExpression, EvalRules
from benchmarks.peers.with_eval import policy_text as python_text
from benchmarks.peers.with_oso import policy_text as polar_text
from benchmarks.peers.with_py_abac import policy as py_abac_policy
from benchmarks.peers.with_pycasbin import Pycasbin
from benchmarks.peers.with_regopy import policy_text as rego_text
from benchmarks.peers.with_zen import INPUTS, expression_text, table_text
from benchmarks.peers.workload import Asked, Relation, Workload

RULES = 60
INSTALLED = [peer for peer in FIELD if installed(peer) is not None]


@pytest.fixture(scope="module")
def workload():
    return Workload(RULES)


@pytest.fixture(scope="module")
def asked(workload):
    return workload.requests(200, "test")


class Backwards(EvalRules):
    """A peer that permits what the policy denies."""

    def permits(self, held):
        return not super().permits(held)


def test_the_workload_is_seeded_and_every_request_its_own(workload, asked):
    assert Workload(RULES).rules == workload.rules
    assert workload.requests(200, "test") == asked
    assert len({json.dumps(one) for one in asked + workload.requests(200, "other")}) == 400


def test_the_workload_is_the_policy_that_the_page_describes(workload):
    conjuncts = [c for rule in workload.rules for c in rule.conjuncts]
    assert {len(rule.conjuncts) for rule in workload.rules} == {3, 4, 5}
    assert {c.relation for c in conjuncts} == set(Relation)
    assert len({(c.category, c.attribute) for c in conjuncts}) == 8
    assert sum(not rule.permits for rule in workload.rules) == RULES // 4


def test_every_way_to_an_answer_occurs(workload, asked):
    ways = {tuple(_matched(workload, one, permits) for permits in (True, False)) for one in asked}
    assert ways == {(True, True), (True, False), (False, True), (False, False)}


@pytest.mark.parametrize("peer", INSTALLED, ids=lambda p: p.name)
def test_whoever_is_installed_agrees(peer, workload, asked):
    agree(peer(workload), workload, asked)


def test_what_the_project_itself_needs_is_among_them():
    assert set(INSTALLED) >= {Abac, Pycasbin, EvalRules, EvalExpression}


def test_a_disagreement_names_the_request_and_both_answers(workload, asked):
    with pytest.raises(DisagreementError) as caught:
        agree(Backwards(workload), workload, asked)
    message = str(caught.value)
    assert str(asked[0]) in message
    assert ("PERMIT instead of DENY" in message) is not workload.answer(asked[0])


def test_python_text_is_one_expression(workload):
    assert isinstance(ast.parse(python_text(workload), mode="eval").body, ast.BoolOp)


@pytest.mark.parametrize(
    ("text", "permitting", "denying"),
    [
        (cedar_text, r'^@id\("rule-\d+"\) permit \(.*};$', r'^@id\("rule-\d+"\) forbid \(.*};$'),
        (rego_text, r"^permitted if {.*}$", r"^denied if {.*}$"),
        (polar_text, r"^permitted\(.*\) if .*;$", r"^denied\(.*\) if .*;$"),
    ],
    ids=["cedar", "rego", "polar"],
)
def test_every_rule_is_one_line(text, permitting, denying, workload):
    emitted = text(workload)
    assert len(re.findall(permitting, emitted, re.MULTILINE)) == RULES * 3 // 4
    assert len(re.findall(denying, emitted, re.MULTILINE)) == RULES // 4


@pytest.mark.parametrize("text", [cel_text, expression_text], ids=["cel", "zen"])
def test_an_expression_is_balanced_and_has_every_rule(text, workload):
    emitted = text(workload)
    assert emitted.count("(") == emitted.count(")") >= RULES
    assert emitted.count("department") == RULES


def test_a_table_has_denying_rows_first(workload):
    table = json.loads(table_text(workload))["nodes"][1]["content"]
    assert [row["permits"] for row in table["rules"]] == ["false"] * (RULES // 4) + ["true"] * (RULES * 3 // 4)
    assert all(set(INPUTS) < set(row) for row in table["rules"])


def test_json_policies_test_each_attribute_once(workload):
    for rule in workload.rules:
        emitted = py_abac_policy(rule)
        assert sum(map(len, emitted["rules"].values())) == len(rule.conjuncts)
        assert json.loads(json.dumps(emitted)) == emitted


def test_only_a_peer_without_wheels_may_be_left_out():
    assert {peer.distribution for peer in FIELD} > OPTIONAL == {"oso"}


def test_the_clock_reads_every_chunk_once(workload, asked):
    peer = EvalExpression(workload)
    seen = []
    peer.over = seen.extend
    held = [peer.hold(one) for one in asked]
    measured = measure(peer, held, held[:WARM], seconds=60)
    assert seen == held[:WARM] + held
    assert (measured.decisions, len(measured.readings)) == (200, 200 // peer.chunk)


def test_the_clock_stops_when_its_time_is_spent(workload, asked):
    peer = EvalRules(workload)
    measured = measure(peer, [peer.hold(one) for one in asked], [], seconds=0)
    assert measured.decisions == peer.chunk


def test_portions_count_as_one_measurement():
    whole = pooled([Measured((1.0, 2.0), 10, 30, 40), Measured((9.0,), 10, 20, 60)])
    assert (whole.nanoseconds, whole.decisions, whole.share) == (2.0, 30, 0.5)


def test_the_page_has_every_row_and_what_it_is_measured_against(workload):
    from datetime import date

    timed = {peer: Measured((1000.0 * (n + 1),), 50, 45, 50) for n, peer in enumerate(FIELD[:1] + FIELD[2:])}
    scaled = {peer: dict.fromkeys(SIZES, timed[peer]) for peer in timed if peer.scales}
    versions = dict.fromkeys(timed, "1.0")
    page = results.report(Run(timed, scaled, Spread(1100, 3300), 400, versions), date(2026, 11, 24))
    assert "left out: oso" in page
    assert "| **abac** | 1.0 | 1.00 µs | 1 | 50 |" in page
    assert all(f"- {peer.name}: {peer.how}" in page for peer in timed)
    assert "99th percentile 3.30 µs, 3.0 times the median" in page


def _matched(workload: Workload, asked: Asked, permits: bool) -> bool:
    """Say whether any rule of an effect matches."""
    part = Workload(RULES)
    alike = tuple(rule._replace(permits=True) for rule in workload.rules if rule.permits is permits)
    object.__setattr__(part, "rules", alike)
    return part.answer(asked)

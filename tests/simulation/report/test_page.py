from __future__ import annotations

import re

import pytest

from abac.simulation.report import page
from abac.simulation.report.charts import displacement, frontier
from tests.simulation.report import fixture


@pytest.fixture(scope="module")
def shown():
    """The pages of two reports as they are made up, rendered once."""
    return {"known": page.render(fixture.known()), "bounded": page.render(fixture.bounded())}


def test_two_renders_are_byte_identical(known, shown):
    assert page.render(known) == shown["known"]


def test_it_opens_with_the_sentence_and_the_options(shown):
    html = shown["known"]
    body = html[html.index("<body>") :]
    order = ["SYNTHETIC", "With what is on file", "What the provider can do", ">strict<", ">step-up<", ">lenient<"]
    places = [body.index(text) for text in order]
    assert places == sorted(places)
    assert "228,280" in html
    assert "6,190,004" in html


def test_synthetic_stands_on_the_page_and_in_every_chart(shown):
    html = shown["known"]
    charts = re.findall(r"<figure.*?</figure>", html, re.DOTALL)
    assert len(charts) == 5
    assert all("SYNTHETIC" in chart for chart in charts)
    assert "SYNTHETIC" not in shown["bounded"]


def test_nothing_is_asked_of_anybody_and_nothing_runs(shown):
    html = shown["known"]
    assert "<script" not in html
    assert not re.search(r"""(?:src|href)=["'](?!#)""", html)
    assert "url(" not in html
    assert "@import" not in html
    assert set(re.findall(r"https?://[^\"' ]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


EVIL = "<script>alert(1)</script>\"'&"


def test_words_from_documents_are_escaped_everywhere(known):
    for one in known["directives"]:
        one["title"] = one["authority"] = one["kind"] = EVIL
        one["id"] += EVIL
        one["conditions"][0]["evidence"] = EVIL
        one["displaced"]["parity_shown"]["to"][EVIL] = 5
    for row in known["timeline"]:
        row["event"], row["model"] = EVIL, row["model"] + EVIL
    for row in (*known["assumptions"], *known["dependence"], *known["witnesses"]):
        row.update({key: EVIL for key, value in row.items() if isinstance(value, str) and key != "posture"})
    known["person_tests"] = {f"{EVIL}|b": {"disagree": 1}}
    known["in_force"] += EVIL
    known["headline"] = known["scenario"] = known["purpose"] = EVIL
    html = page.render(known)
    assert "<script" not in html
    assert "&lt;script" in html


def test_bounds_are_written_as_ranges(estimated, shown):
    assert "136,968\N{EN DASH}<wbr>319,592" in shown["bounded"]
    assert "about 228,280" in page.render(estimated)
    assert "either" in shown["bounded"]


def test_null_is_never_written_as_a_number(known):
    for one in known["directives"]:
        one["precision"] = one["recall"] = None
    html = page.render(known)
    assert "None" not in html
    assert "nan" not in html.lower().replace("finance", "")


@pytest.mark.parametrize("empty", ["timeline", "blackout", "dependence", "witnesses", "directives", "options"])
def test_a_report_without_some_part_is_still_a_page(known, empty):
    known[empty] = []
    known.pop("sweeps")
    assert "</html>" in page.render(known)


def test_a_report_with_only_the_keys_of_the_contract_is_a_page(known):
    for key in ("purpose", "in_force", "now", "witnesses", "minutes_of_notice", "days_voluntary_to_binding"):
        del known[key]
    for key in ("sweeps", "selective_compliance_at", "synthetic"):
        del known[key]
    extra = {"title", "broad", "counterfactual", "authority", "us_persons_behind_foreign_keys", "keys", "agents"}
    extra |= {"dark_organisations", "other_models_changed"}
    for one in known["directives"]:
        for key in extra & set(one):
            del one[key]
        del one["us_persons_denied"]["applicants"]
    for row in known["dependence"]:
        for key in ("tier", "users", "employers"):
            del row[key]
    for row in known["timeline"]:
        del row["event"]
    assert "SYNTHETIC" in page.render(known)


def test_one_posture_alone_is_a_page(known):
    known["directives"] = [one for one in known["directives"] if one["posture"] == "shutdown"]
    assert "under the shutdown posture" in page.render(known)


def test_flows_sum_to_what_was_denied():
    to = {f"m{n}": n for n in range(1, 12)}
    assert sum(flow["size"] for flow in displacement.flows(to, 100)) == 100
    bound = {"a": {"low": 10, "high": 30, "point": None}}
    sizes = {flow["name"]: flow["size"] for flow in displacement.flows(bound, 100)}
    assert sizes == {"a": 10, displacement.NOWHERE: 70, displacement.OPEN: 20}


def test_the_frontier_leaves_out_what_another_beats():
    dots = [{"over": 5, "under": 5}, {"over": 0, "under": 9}, {"over": 5, "under": 7}, {"over": 9, "under": 0}]
    assert [(d["over"], d["under"]) for d in frontier.frontier(dots)] == [(0, 9), (5, 5), (9, 0)]

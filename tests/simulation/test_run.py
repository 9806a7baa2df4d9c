"""The whole run: the ten headline results of the scenario, byte for byte the same whatever the order of things."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from abac.condition.schema import Assurance
from abac.service import simulate as service
from abac.simulation.report.validate import validate
from abac.simulation.report.write import as_json
from abac.simulation.run import run
from tests.simulation import june

SIZE = 10_000
POSTURES = ("strict", "step-up", "shutdown", "lenient")


@pytest.fixture(scope="module")
def told():
    return june.report(SIZE)


def strict(told, name, yardstick="scope"):
    return june.entry(told, name, "strict", yardstick)


# --- the headline results ---------------------------------------------------------------------------------


def test_who_is_asked_completely_and_truly_is_stopped_if_and_only_if_meant():
    """On the whole truth every directive has precision and recall 1 by its own scope."""
    inputs = june.inputs(1_500)
    paths, truth = list(inputs.program.schema.attributes), inputs.population.truth
    whole = replace(
        inputs.population,
        asserted=truth,
        assurance=dict.fromkeys(paths, Assurance.VERIFIED),
        complete=dict.fromkeys(paths, True),
    )
    report = run(replace(inputs, population=whole, sweeps=(), postures=("strict",))).report
    own = [e for e in report["directives"] if e["yardstick"] == "scope"]
    assert {(e["precision"], e["recall"]) for e in own if e["blocked"]["people"]} == {(1.0, 1.0)}
    assert sum(bool(e["blocked"]["people"]) for e in own) >= 6
    assert not any(e["under_block"]["people"] or e["undecided"]["people"] for e in own)


def test_1_blackout_nothing_can_be_decided_and_citizens_are_denied_with_the_rest(told):
    d1 = strict(told, "d1-foreign-nationals")
    assert d1["decidable_share"] == 0.0
    assert told["blackout"][0] == {"coverage": 0.0, "decidable_share": 0.0, "citizens_denied_share": 1.0}
    assert d1["undecided"] == d1["blocked"], "strict denies all of it and nothing else"
    assert d1["blocked"] == june.entry(told, "d1-foreign-nationals", "shutdown")["blocked"]
    assert all(a["decidable_share"] < b["decidable_share"] for a, b in pairwise(told["sweeps"]["both"]))
    assert 0.9 < told["selective_compliance_at"]["coverage"] < 1.0


def test_2_no_other_model_changes_for_anyone(told):
    assert {e["other_models_changed"] for e in told["directives"]} == {0}
    people = june.result(SIZE).people
    touched = set(people.filter(people["directive"] == "d1-foreign-nationals")["models"].str.split(", ").explode())
    assert touched == {"fable-5", "mythos-5"}


def test_3_location_and_employment_do_not_matter(told):
    found = strict(told, "d1-foreign-nationals")["caught_regardless"]
    assert found["foreign_staff_denied"] > 0
    assert found["us_persons_abroad_denied"] > 0
    assert found["us_persons_abroad_in_scope"] == 0, "US citizens abroad are targets of nothing"
    assert strict(told, "d1-foreign-nationals")["us_persons_behind_foreign_keys"] > 0
    decided = run(replace(june.covered(SIZE, 1.0, 1.0), sweeps=(), postures=("strict",))).report
    known = strict(decided, "d1-foreign-nationals")
    assert known["caught_regardless"]["us_persons_abroad_denied"] == 0, "they lose it through the unknown alone"
    assert known["us_persons_denied"] == {"customers": 0, "staff": 0, "applicants": 0}
    assert known["caught_regardless"]["foreign_staff_denied"] > 0
    assert known["us_persons_behind_foreign_keys"] > 0, "the entity limb takes these whatever is on file"


def test_4_sessions_in_flight_are_cut_and_it_is_told_whose(told):
    d1 = strict(told, "d1-foreign-nationals")
    whose = d1["sessions_cut_whose"]
    assert d1["sessions_cut"] == sum(whose.values())
    assert min(whose["us_persons"], whose["other_persons"], whose["keys"]) > 0
    sessions = june.inputs(SIZE).population.sessions
    assert d1["sessions_cut"] == sessions["fable-5"].sum() + sessions["mythos-5"].sum()


def test_5_with_parity_shown_the_risk_is_only_relocated(told):
    d1 = strict(told, "d1-foreign-nationals", "purpose")
    shown, not_shown = d1["displaced"]["parity_shown"], d1["displaced"]["parity_not_shown"]
    assert shown["share"] == 1.0
    assert shown["to"] == {"gpt-5.5": d1["blocked"]["requests"]}
    assert not_shown["people"] == 0
    assert set(not_shown["to"]) == {"nowhere: capability lost"}
    assert d1["contained_parity_shown"] == 0
    assert d1["contained"] > 0


def test_6_broad_against_targeted_by_both_yardsticks(told):
    d1, t2 = strict(told, "d1-foreign-nationals", "purpose"), strict(told, "t2-end-users", "purpose")
    assert t2["over_block"]["people"] < d1["over_block"]["people"] / 10
    assert t2["precision"] > 10 * d1["precision"]
    assert d1["recall"] == 1.0
    assert d1["contained"] >= t2["contained"], "where the broad one contains more, the numbers show it"
    assert strict(told, "d1-foreign-nationals")["over_block"]["requests"] > 0
    assert strict(told, "t3-capability")["blocked"]["requests"] == 0
    assert strict(told, "t3-capability")["safeguarded"]["requests"] > 0
    assert {e["yardstick"] for e in told["directives"]} == {"scope", "purpose"}


def test_7_person_tests_disagree(told):
    assert told["person_tests"]["foreign-person-ear@1|non-citizen@1"]["disagree"] > 0
    assert len(told["person_tests"]) == 6


def test_8_us_persons_are_denied_for_want_of_nationality_data_with_a_witness(told):
    denied = strict(told, "d1-foreign-nationals")["us_persons_denied"]
    assert denied["customers"] > denied["staff"] > 0
    assert denied["applicants"] >= 0
    witness = next(w for w in told["witnesses"] if w["directive"] == "d1-foreign-nationals")
    assert witness["posture"] == "strict"
    assert "cannot be decided without citizenships_current" in witness["why"]


def test_9_the_timeline(told):
    fable = {row["as_of"][:10]: row["permitted_share"] for row in told["timeline"] if row["model"] == "fable-5"}
    assert list(fable.items()) == [
        ("2026-06-02", 0.0),
        ("2026-06-09", 1.0),
        ("2026-06-12", 0.0),
        ("2026-06-26", 0.0),
        ("2026-07-01", 1.0),
    ]
    assert told["days_voluntary_to_binding"] == 10
    assert told["minutes_of_notice"] == 90


def test_10_employers_depend_on_one_provider(told):
    row = next(r for r in told["dependence"] if (r["tier"], r["provider"]) == (5, "anthropic"))
    assert row["employers_dark"] > 0
    assert row["users"] >= row["employers_dark"] / 2
    assert {r["provider"] for r in told["dependence"] if r["tier"] == 5} == {"anthropic"}


def test_the_first_table_has_a_row_per_posture_all_from_one_run(told):
    options = {o["posture"]: o for o in told["options"]}
    assert tuple(options) == POSTURES
    assert options["strict"]["permitted_though_forbidden"] == 0
    assert options["lenient"]["permitted_though_forbidden"] > 0
    assert options["lenient"]["us_persons_denied"] == {"customers": 0, "staff": 0, "applicants": 0}
    assert (
        options["step-up"]["us_persons_denied"]["customers"] < options["strict"]["us_persons_denied"]["customers"]
    )
    assert options["strict"]["reachable_elsewhere"]["parity_not_shown"] == 0
    assert not options["lenient"]["reversible"]


def test_the_sentence_above_it_tells_the_same_numbers(told):
    d1 = strict(told, "d1-foreign-nationals")
    us = sum(d1["us_persons_denied"].values())
    people = d1["blocked"]["people"]
    assert told["headline"].startswith(
        f"With what is on file 0 % can be decided; obeying switches off {people:,} people, of whom {us:,} are US"
    )
    assert f"{people:,} of them lose the capability altogether, or 0 if parity" in told["headline"]


def test_what_the_letter_lifts_changes_nothing(told):
    for name in ("baseline", "v0-framework", "d3-rescinded"):
        assert strict(told, name)["blocked"] == {"people": 0, "organisations": 0, "requests": 0}
        assert strict(told, name)["precision"] is None


def test_the_press_reading_means_more_people_than_the_letter(told):
    letter, press = strict(told, "d1-foreign-nationals"), strict(told, "d1-passport-reading")
    assert press["over_block"]["people"] < letter["over_block"]["people"], "its target is larger"
    assert press["blocked"] == letter["blocked"], "with nothing on file nobody can be told apart"


def test_the_second_letter_gives_back_only_what_the_annex_and_a_partnership_both_allow(told):
    d1, d2 = strict(told, "d1-foreign-nationals"), strict(told, "d2-annex-a")
    assert 0 < d1["blocked"]["requests"] - d2["blocked"]["requests"] < d1["blocked"]["requests"] / 2


# --- the same answers -------------------------------------------------------------------------------------

PRINT = """
import sys
from pathlib import Path
from abac.service.simulate import load
from abac.simulation.report.write import as_json
from abac.simulation.run import run
result = run(load(Path(sys.argv[1]), subjects=1500, seed=7))
sys.stdout.buffer.write(as_json(result.report).encode())
sys.stdout.buffer.write(result.people.write_csv().encode())
"""


def test_two_runs_with_one_seed_are_byte_identical_whatever_the_hash_seed_and_the_threads():
    def started(hash_seed: str, threads: str) -> subprocess.Popen[bytes]:
        own = os.environ | {"PYTHONHASHSEED": hash_seed, "POLARS_MAX_THREADS": threads}
        command = [sys.executable, "-c", PRINT, str(june.SCENARIO)]
        return subprocess.Popen(command, env=own, stdout=subprocess.PIPE, cwd=june.POLICIES.parent)

    runs = [started("0", "1"), started("4711", "4")]
    first, second = (process.communicate()[0] for process in runs)
    assert [process.returncode for process in runs] == [0, 0]
    assert len(first) > 100_000
    assert first == second


def test_two_runs_in_one_process_are_byte_identical():
    inputs = june.inputs(1_500, 7)
    again = service.load(june.SCENARIO, subjects=1_500, seed=7)
    assert as_json(run(inputs).report) == as_json(run(again).report)


def test_another_seed_gives_other_numbers_of_the_same_shape():
    one, other = june.report(1_500), run(june.inputs(1_500, 7)).report
    assert one["generated_from"]["population"] != other["generated_from"]["population"]
    assert one["directives"] != other["directives"]
    assert strict(other, "d1-foreign-nationals")["decidable_share"] == 0.0
    validate(other)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped policies, to be put in another order."""
    shutil.copytree(june.POLICIES, tmp_path / "policies")
    shutil.copytree(june.POLICIES.parent / "models", tmp_path / "models")
    return tmp_path / "policies"


def rerun(policies: Path):
    return run(service.load(policies / "scenarios" / "june-2026", subjects=1_500, seed=june.SEED))


def unordered(report):
    """Return the report without the digest that names the order of the rules."""
    return report | {"generated_from": {k: v for k, v in report["generated_from"].items() if k != "revision"}}


def test_the_order_of_rows_under_deny_overrides_does_not_matter(copied: Path):
    rules = copied / "rules" / "baseline.csv"
    lines = rules.read_text("utf-8").splitlines()
    head, rows = [x for x in lines if not x.startswith("p,")], [x for x in lines if x.startswith("p,")]
    rules.write_text("\n".join([*head, *reversed(rows)]) + "\n", "utf-8")
    assert len(rows) > 2
    assert unordered(rerun(copied).report) == unordered(june.report(1_500))


def test_the_order_of_directive_files_does_not_matter(copied: Path):
    files = sorted((copied / "directives").glob("*.yaml"))
    for number, file in enumerate(reversed(files)):
        file.rename(file.with_name(f"{number:02}-{file.name}"))
    assert len(files) > 5
    assert unordered(rerun(copied).report) == unordered(june.report(1_500))


def test_the_order_of_a_brought_populations_rows_does_not_matter():
    base = june.inputs(1_500)
    drawn = june.covered(1_500, 0.5, 0.5).population
    brought = replace(drawn, truth=None, synthetic=False, seed=None)
    backwards = replace(
        brought,
        asserted=brought.asserted.reverse(),
        use=brought.use.reverse(),
        sessions=brought.sessions.reverse(),
    )
    first, second = (run(replace(base, population=p, sweeps=())) for p in (brought, backwards))

    def told(report):
        return report | {"witnesses": [w | {"subject": ""} for w in report["witnesses"]]}

    assert told(first.report) == told(second.report)
    assert first.report["truth"] == "bounded"
    assert sorted(first.people.drop("subject").rows()) == sorted(second.people.drop("subject").rows())


def test_the_file_has_no_clock_and_only_finite_numbers():
    text = as_json(june.report(1_500))
    assert "NaN" not in text
    assert "Infinity" not in text
    assert june.report(1_500)["now"] == "2026-06-12T21:21:00Z", "the cut, an input"


def test_progress_is_told_before_each_study():
    seen: list[str] = []
    run(replace(june.inputs(1_000), sweeps=(), postures=("strict",)), progress=seen.append)
    assert {f"deciding {s.id}" for s in june.inputs(1_000).studies} <= set(seen)
    assert seen[0] == "encoding the population"

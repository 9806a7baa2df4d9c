"""A believable report of the June 2026 scenario, made up for the tests: no number here is a result."""

from __future__ import annotations

import copy
from typing import Any

PEOPLE, US, KEYS = 912_400, 214_310, 61_200
REQUESTS = 8_412_960
POSTURES = ("strict", "step-up", "shutdown", "lenient")
MODELS = (
    "Fable 5",
    "Mythos 5",
    "Opus 4.8",
    "Sonnet 5",
    "Haiku 4.5",
    "GPT-5.6",
    "GPT-5.5",
    "Gemini 3.5",
    "Grok 5",
    "Qwen 4",
)

# id, kind, title, broad, authority, people the scope forbids, people it touches, safeguarded
DIRECTIVES: tuple[tuple[str, str, str, bool | None, str, int, int, int], ...] = (
    ("baseline", "baseline", "As on 9 June: Fable 5 for everyone", None, "none", 0, 0, 0),
    ("v0-framework", "advice", "Voluntary framework of 2 June", None, "executive order; voluntary", 0, 0, 0),
    (
        "d1-foreign-nationals",
        "broad",
        "Suspension for foreign nationals, as the letter defines them",
        True,
        "Commerce, is-informed letter, EAR Part 744",
        684_120,
        912_400,
        0,
    ),
    (
        "d1-passport-reading",
        "broad",
        "Suspension for foreign nationals, as the press reads it",
        True,
        "Commerce, is-informed letter, EAR Part 744",
        698_090,
        912_400,
        0,
    ),
    (
        "d2-annex-a",
        "narrowed by employer",
        "Second letter: trusted partners of Annex A",
        True,
        "Commerce, second letter",
        683_010,
        910_870,
        0,
    ),
    ("d3-rescinded", "lifted", "Controls lifted", None, "Commerce", 0, 0, 0),
    (
        "p1-customer-gate",
        "allow-list",
        "GPT-5.6 preview for listed customers",
        True,
        "at the government's request",
        801_400,
        801_400,
        0,
    ),
    (
        "t1-country-groups",
        "targeted by country",
        "Country groups D:5, E:1 and E:2 at cyber tier 5",
        False,
        "alternative",
        41_960,
        388_400,
        0,
    ),
    (
        "t2-end-users",
        "targeted by employer",
        "Listed end users and what they own",
        False,
        "alternative",
        1_204,
        9_310,
        0,
    ),
    (
        "t3-capability",
        "targeted by capability",
        "Cyber safeguard for anyone not verified",
        False,
        "alternative",
        0,
        0,
        871_020,
    ),
)

EVIDENCE = (
    "The letter cites 744.22 and 50 USC 4817(b)(1); no written findings are on the public record.",
    "Sealed. One claim by a third party; no public, model-specific test.",
    "The subject condition depends on nationality; the capability is reachable through GPT-5.5.",
    "No test of parity is on record; the author's own claim is not evidence.",
    "Denies access; offers no safeguard, monitoring or narrower switch.",
)


def counts(people: float, per: float = 9.22) -> dict[str, int]:
    return {"people": round(people), "organisations": round(people * 0.061), "requests": round(people * per)}


def displaced(blocked: int, reachable: float) -> dict[str, Any]:
    weights = (("GPT-5.5", 0.46), ("Gemini 3.5", 0.27), ("Grok 5", 0.11), ("Qwen 4", 0.09), ("Opus 4.8", 0.07))
    going = blocked * reachable * 9.22
    to = {model: round(going * weight) for model, weight in weights} if going else {}
    return {"people": round(blocked * reachable), "share": reachable if blocked else None, "to": to}


def conditions(directive: str) -> list[dict[str, Any]]:
    verdicts = {
        "d1": ("not met", "not shown", "not met", "not shown", "not met"),
        "d2": ("not met", "not shown", "not met", "not shown", "not met"),
        "p1": ("not met", "not shown", "met", "not shown", "not met"),
        "t1": ("met", "not shown", "not met", "not shown", "not met"),
        "t2": ("met", "not shown", "met", "not shown", "not met"),
        "t3": ("not met", "not shown", "met", "met", "met"),
    }.get(directive[:2], ("not shown", "not shown", "met", "not shown", "met"))
    return [{"number": n, "met": met, "evidence": EVIDENCE[n - 1]} for n, met in enumerate(verdicts, 1)]


def directive(row: tuple[Any, ...], posture: str, yardstick: str) -> dict[str, Any]:
    name, kind, title, broad, authority, scope, touched, safeguarded = row
    blocked = {"strict": touched, "step-up": touched - round((touched - scope) * 0.61), "lenient": scope // 40}
    people = blocked.get(posture, 912_400 if touched else 0)
    target = scope if yardstick == "scope" else 3_140
    hit = min(target, people) if posture != "lenient" else target // 40
    over, under = max(0, people - hit), target - hit
    if not people:
        over, under = 0, target
    elif yardstick == "purpose" and name.startswith("t"):
        hit = {"t1": 1_880, "t2": 410}[name[:2]]
        over, under = max(0, people - hit), max(0, target - hit)
    entry: dict[str, Any] = {
        "id": name,
        "kind": kind,
        "title": title,
        "counterfactual": name == "p1-customer-gate",
        "authority": authority,
        "posture": posture,
        "yardstick": yardstick,
        "blocked": counts(people),
        "over_block": counts(over),
        "under_block": counts(under),
        "undecided": counts(touched - scope // 30),
        "safeguarded": counts(safeguarded),
        "keys": counts(round(people * 0.067)),
        "agents": counts(round(people * 0.021)),
        "precision": round((people - over) / people, 6) if people else None,
        "recall": round((target - under) / target, 6) if target else None,
        "contained": round(hit * 0.08) if people else 0,
        "decidable_share": 0.0 if name.startswith("d1") else 0.37 if touched else 1.0,
        "displaced": {"parity_shown": displaced(people, 0.94), "parity_not_shown": displaced(people, 0.31)},
        "sessions_cut": round(people * 0.0213),
        "us_persons_denied": {
            "customers": round(over * (0.91 if yardstick == "scope" else 0.23)),
            "staff": 3_904 if people > 9e5 else 0,
            "applicants": 212 if people > 9e5 else 0,
        },
        "us_persons_behind_foreign_keys": 4_118 if people > 5e5 else 0,
        "dark_organisations": round(people * 0.012),
        "other_models_changed": 0,
        "conditions": conditions(name),
    }
    return entry if broad is None else entry | {"broad": broad}


def option(posture: str, forbidden: int, us: tuple[int, int], cut: int, minutes: float) -> dict[str, Any]:
    blocked = 912_400 if posture != "lenient" else 17_100
    return {
        "posture": posture,
        "permitted_though_forbidden": forbidden,
        "us_persons_denied": {"customers": us[0], "staff": us[1]},
        "sessions_cut": cut,
        "undecidable_share": 1.0,
        "reachable_elsewhere": {"parity_shown": round(blocked * 0.94), "parity_not_shown": round(blocked * 0.31)},
        "minutes_to_enforce": minutes,
        "reversible": posture != "shutdown",
    }


def sweep(power: float) -> list[dict[str, float]]:
    steps = [n / 10 for n in range(11)]
    return [
        {"coverage": c, "decidable_share": round(c**power, 4), "citizens_denied_share": round(1 - c**power, 4)}
        for c in steps
    ]


DATES = (
    ("2026-06-02T12:00:00Z", "Voluntary framework", (None, None, 1, 1, 1, None, 1, 1, 1, 1)),
    ("2026-06-09T16:00:00Z", "Fable 5 and Mythos 5 released", (1, 0.014, 1, 1, 1, None, 1, 1, 1, 1)),
    ("2026-06-12T21:21:00Z", "Letter takes effect", (0, 0, 1, 1, 1, None, 1, 1, 1, 1)),
    ("2026-06-26T18:00:00Z", "Annex A; GPT-5.6 preview", (0, 0.0017, 1, 1, 1, 0.00021, 1, 1, 1, 1)),
    ("2026-07-01T13:00:00Z", "Controls lifted", (1, 0.014, 1, 1, 1, 0.00021, 1, 1, 1, 1)),
)


def known() -> dict[str, Any]:
    """Return a report of a generated population: exact counts."""
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    return {
        "scenario": "june-2026",
        "seed": 20260612,
        "subjects": 1_000_000,
        "synthetic": True,
        "generated_from": dict.fromkeys(("revision", "schema", "scenario", "population", "catalogue"), digest)
        | {"engine_version": "0.1.0"},
        "assumptions": [
            {
                "name": "share of use, United States",
                "value": 0.216,
                "source": "Anthropic Economic Index, Sep 2025, as reported",
                "firmness": "reported",
            },
            {
                "name": "foreign-born share of US STEM workers",
                "value": 0.19,
                "source": "NSF, Science and Engineering Indicators 2024",
                "firmness": "firm",
            },
            {
                "name": "nationality on file at the provider",
                "value": "none",
                "source": "reporting on 12 June",
                "firmness": "reported",
            },
            {
                "name": "dual citizens",
                "value": 0.03,
                "source": "chosen by us; varied in the stress test",
                "firmness": "assumption",
            },
            {
                "name": "step-up",
                "value": {"completion": 0.61, "delay_minutes": 2880},
                "source": "chosen by us",
                "firmness": "assumption",
            },
        ],
        "truth": "known",
        "purpose": "People working for a listed military end user who use cyber capability at tier 5.",
        "in_force": "d1-foreign-nationals",
        "now": "2026-06-12T21:21:00Z",
        "minutes_of_notice": 0,
        "days_voluntary_to_binding": 10,
        "options": [
            option("lenient", 6_190_004, (0, 0), 412, 90),
            option("strict", 0, (228_280, 3_904), 19_434, 90),
            option("step-up", 14_220, (91_312, 1_522), 19_434, 2_880),
            option("shutdown", 0, (228_280, 3_904), 19_980, 5),
        ],
        "headline": "With what is on file 0 % can be decided; obeying switches off 912,400 people, "
        "of whom 228,280 are US persons; 54,744 of them lose the capability altogether.",
        "directives": [directive(row, p, y) for row in DIRECTIVES for p in POSTURES for y in ("scope", "purpose")],
        "person_tests": {
            "ear-772-1|press-non-citizen": {"disagree": 13_970},
            "ear-772-1|itar-120": {"disagree": 8_204},
            "ear-772-1|doj-bulk-data": {"disagree": 61_044},
            "press-non-citizen|itar-120": {"disagree": 22_174},
            "press-non-citizen|doj-bulk-data": {"disagree": 75_014},
            "doj-bulk-data|itar-120": {"disagree": 69_248},
        },
        "blackout": sweep(1.0),
        "sweeps": {"persons": sweep(1.0), "organisations": sweep(2.2)},
        "selective_compliance_at": {"tolerated_error": 0.05, "coverage": 0.9},
        "timeline": [
            {"as_of": as_of, "model": model, "permitted_share": value, "event": event}
            for as_of, event, shares in DATES
            for model, value in zip(MODELS, shares, strict=True)
            if value is not None
        ],
        "dependence": [
            {
                "provider": "Anthropic",
                "employers_dark": 1_204,
                "tier": 5,
                "users": 88_120,
                "employers": ["org-00121", "org-00419", "org-01177"],
            },
            {
                "provider": "Anthropic",
                "employers_dark": 311,
                "tier": 4,
                "users": 19_004,
                "employers": ["org-00121", "org-00877"],
            },
            {"provider": "OpenAI", "employers_dark": 902, "tier": 5, "users": 70_551, "employers": ["org-00007"]},
            {"provider": "Google", "employers_dark": 88, "tier": 4, "users": 4_410, "employers": []},
        ],
        "witnesses": [
            {
                "directive": "d1-foreign-nationals",
                "posture": "strict",
                "subject": "s-7f21c09e",
                "relation": "customer",
                "why": "citizenships unknown: nothing on file, so the letter's person test "
                "cannot be decided and strict denies",
            },
            {
                "directive": "d1-foreign-nationals",
                "posture": "strict",
                "subject": "s-01be55d2",
                "relation": "staff",
                "why": "citizenships asserted as declared; the letter demands documented",
            },
        ],
    }


def bounded(*, point: bool = False) -> dict[str, Any]:
    """Return a report of a brought population: errors are bounds; with `point`, estimates beside them."""
    report = copy.deepcopy(known())
    report["truth"] = "estimated" if point else "bounded"
    report["synthetic"] = False
    for entry in report["directives"]:
        for word in ("over_block", "under_block"):
            most = entry["blocked"] if word == "over_block" else dict.fromkeys(entry["blocked"], 900_000)
            entry[word] = {unit: _widen(n, point, most[unit]) for unit, n in entry[word].items()}
        for word in ("precision", "recall"):
            value = entry[word]
            if value is not None:
                entry[word] = {"low": round(value * 0.6, 4), "high": min(1.0, round(value * 1.5 + 0.1, 4))}
        entry["contained"] = _widen(entry["contained"], point)
        denied = entry["us_persons_denied"]
        entry["us_persons_denied"] = {k: _widen(n, point) for k, n in denied.items()}
    for option_ in report["options"]:
        option_["permitted_though_forbidden"] = _widen(option_["permitted_though_forbidden"], point)
        denied = option_["us_persons_denied"]
        option_["us_persons_denied"] = {k: _widen(n, point) for k, n in denied.items()}
    return report


def _widen(n: int, point: bool, most: int = 9_000_000) -> dict[str, Any]:
    return {"low": n * 6 // 10, "high": max(n, min(n * 14 // 10, most)), "point": n if point else None}

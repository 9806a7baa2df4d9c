"""The point decision against stock pycasbin: the same model, the same rows, the same requests, one run.

The acceptance is a ratio: at 100 rules `abac.decide` is at least 1,000 times as fast. Answers are compared first.
"""

from __future__ import annotations

import random
import timeit
from pathlib import Path
from types import SimpleNamespace

import pytest

import abac

casbin = pytest.importorskip("casbin")

MODEL = Path(__file__).parents[1] / "models" / "abac.conf"
TIERS = ("small", "large", "frontier", "beyond")
SORTS = ("person", "organisation_key", "agent")
SCHEMA = f"""
schema: abac/1
attributes:
  subject:
    age: {{type: int}}
    risk: {{type: float}}
    department: {{type: string}}
    location: {{type: {{enum: countries}}}}
    sort: {{type: {{enum: [{", ".join(SORTS)}]}}}}
    protected: {{type: bool}}
  resource:
    id: {{type: string}}
    tier: {{type: {{enum: [{", ".join(TIERS)}]}}}}
    capability: {{type: int}}
  action:
    name: {{type: string}}
"""
COUNTRIES = ("US", "FR", "DE", "GB", "JP", "CA", "IN", "BR", "CN", "KE")
REQUESTS = 500


def rows(count: int) -> str:
    """Attribute rows in Casbin's text: three or four conjuncts, a quarter of them denying."""
    source = random.Random(count)
    lines = []
    for n in range(count):
        subject = [
            f'r.sub.department == "dept-{source.randrange(40)}"',
            f"r.sub.age >= {source.randint(16, 70)}",
        ]
        if n % 5 == 0:
            subject.append(f'r.sub.location in ("{source.choice(COUNTRIES)}", "{source.choice(COUNTRIES)}")')
        if n % 7 == 0:
            subject.append(f"r.sub.risk < {source.random():.3f}")
        model = f'r.obj.tier == "{source.choice(TIERS)}" && r.obj.capability <= {source.randint(0, 100)}'
        effect = "deny" if n % 4 == 0 else "allow"
        lines.append(f"p, {' && '.join(subject)}, {model}, invoke, {effect}")
    return "\n".join(lines) + "\n"


def requests(count: int = REQUESTS) -> list[tuple[dict, dict, str]]:
    source = random.Random(11)
    return [
        (
            {
                "age": source.randint(13, 90),
                "risk": round(source.random(), 3),
                "department": f"dept-{source.randrange(40)}",
                "location": source.choice(COUNTRIES),
                "sort": source.choice(SORTS),
                "protected": source.random() < 0.1,
            },
            {
                "id": f"model-{source.randrange(10)}",
                "tier": source.choice(TIERS),
                "capability": source.randint(0, 100),
            },
            "invoke",
        )
        for _ in range(count)
    ]


@pytest.fixture(scope="module", params=[10, 100, 1_000])
def both(request, tmp_path_factory):
    """A program and a stock enforcer of the same rows, and requests for each."""
    folder = tmp_path_factory.mktemp("rows")
    (folder / "schema.yaml").write_text(SCHEMA)
    (folder / "rows.csv").write_text(rows(request.param))
    program = abac.compile(folder / "schema.yaml", MODEL, [folder / "rows.csv"])
    stock = casbin.Enforcer(str(MODEL), str(folder / "rows.csv"))
    drawn = requests()
    ours = [abac.Request(subject=s, resource=o, action=a) for s, o, a in drawn]
    theirs = [(SimpleNamespace(**s), SimpleNamespace(**o), a) for s, o, a in drawn]
    return request.param, program, ours, stock, theirs


def test_decide(both, benchmark):
    count, program, ours, stock, theirs = both
    few = 20 if count < 1_000 else 3
    for mine, yours in zip(ours[:few], theirs[:few], strict=True):
        assert abac.decide(program, mine).permitted == stock.enforce(*yours)

    def pass_over():
        for one in ours:
            abac.decide(program, one)

    benchmark.pedantic(pass_over, rounds=20, warmup_rounds=2)
    fastest = min(timeit.repeat(pass_over, number=1, repeat=10)) / len(ours)
    slow = min(timeit.repeat(lambda: [stock.enforce(*y) for y in theirs[:few]], number=1, repeat=3)) / few
    ratio = slow / fastest
    benchmark.extra_info |= {
        "rules": count,
        "decide_microseconds": round(fastest * 1e6, 2),
        "stock_microseconds": round(slow * 1e6, 1),
        "ratio": round(ratio),
    }
    print(f"\n{count} rules: decide {fastest * 1e6:.2f} µs, stock {slow * 1e6:.0f} µs, {ratio:.0f} times as fast")
    if count == 100:
        assert ratio >= 1_000

"""Run the vectors: on the reference, and, where a condition is asked, on the index as well."""

import json
from itertools import permutations
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from abac.compiler.program import assemble
from abac.condition.check import check
from abac.condition.functions import SHIPPED
from abac.condition.reference import Reference
from abac.condition.schema import Assurance
from abac.condition.truth import Truth
from abac.errors import Findings
from abac.pdp.decide import decide
from abac.policy.combining import COMBINE
from abac.policy.decision import Decision, Effect, Extended
from abac.policy.request import Request, assertions
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from tests.reading import condition, context, schema

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*.yaml"))
EXTENDED = {
    "P": Extended.PERMIT,
    "D": Extended.DENY,
    "NA": Extended.NOT_APPLICABLE,
    "IP": Extended.INDETERMINATE_P,
    "ID": Extended.INDETERMINATE_D,
    "IDP": Extended.INDETERMINATE_DP,
}


def _cases(kind: str) -> list[dict]:
    documents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES]
    return [case for document in documents if document["vectors"] == kind for case in document["cases"]]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_file_of_vectors_is_valid(file):
    published = json.loads((HERE / "vectors.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(published)
    Draft202012Validator(published).validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "case", _cases("combining"), ids=lambda c: f"{c['algorithm']} of {' '.join(c['answers'])}"
)
def test_combining(case):
    algorithm = Algorithm(case["algorithm"])
    answers = [EXTENDED[a] for a in case["answers"]]
    orders = [answers] if algorithm.in_order else permutations(answers)
    assert {COMBINE[algorithm](order) for order in orders} == {EXTENDED[case["gives"]]}


def test_every_algorithm_has_vectors():
    assert {case["algorithm"] for case in _cases("combining")} == {a.value for a in Algorithm}


def _request(given: dict) -> Request:
    parts: dict[str, dict] = {"subject": {}, "resource": {}, "action": {}, "environment": {}}
    for path, value in given.items():
        category, name = path.split(".")
        annotated = isinstance(value, dict)
        parts[category][name] = value if annotated else {"value": value, "assurance": "verified", "complete": True}
    return Request(**parts)


@pytest.mark.parametrize("case", _cases("conditions"), ids=lambda c: c["condition"])
def test_condition(case):
    least = {path: next(a for a in Assurance if str(a) == word) for path, word in case.get("least", {}).items()}
    whole = check(condition(case["condition"]), context().vocabulary.demanding(least), Findings())
    assert whole is not None
    request = _request(case.get("given", {}))
    truth = Reference(assertions(request, schema()), SHIPPED).truth(whole)
    assert truth is Truth[case["truth"]]
    root = PolicySet("root", Algorithm.DENY_OVERRIDES, (_one(whole),))
    answers = {
        Truth.TRUE: Decision.PERMIT,
        Truth.FALSE: Decision.NOT_APPLICABLE,
        Truth.UNKNOWN: Decision.INDETERMINATE,
    }
    assert decide(assemble(schema(), root, SHIPPED), request).decision is answers[truth]


def _one(whole) -> Policy:
    return Policy("p", Algorithm.DENY_OVERRIDES, (Rule("r", Effect.PERMIT, whole),))

"""The working group's own Todo vectors, over real HTTP: 40 evaluations and 3 batches."""

from __future__ import annotations

import json

import pytest

from tests.rest.running import HERE, Running

VECTORS = json.loads((HERE / "todo" / "todo-1.1-decisions.json").read_text())


def test_there_are_as_many_vectors_as_the_working_group_has():
    assert (len(VECTORS["evaluation"]), len(VECTORS["evaluations"])) == (40, 3)


@pytest.mark.parametrize("number", range(len(VECTORS["evaluation"])))
def test_an_evaluation_is_answered_as_expected(todo: Running, number: int):
    vector = VECTORS["evaluation"][number]
    answer = todo.post("evaluation", vector["request"])
    assert answer.status_code == 200
    assert answer.json()["decision"] is vector["expected"]


@pytest.mark.parametrize("number", range(len(VECTORS["evaluations"])))
def test_a_batch_is_answered_as_expected(todo: Running, number: int):
    vector = VECTORS["evaluations"][number]
    answer = todo.post("evaluations", vector["request"])
    assert answer.status_code == 200
    decisions = [{"decision": item["decision"]} for item in answer.json()["evaluations"]]
    assert decisions == vector["expected"]

"""The requests of a run, in every server's own words, and the Lua script by which `wrk` sends them in turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.workload import ACTION, Asked, ranked

EVALUATION, EVALUATIONS, CHECK = "/access/v1/evaluation", "/access/v1/evaluations", "/api/check/resources"


def evaluation(asked: Asked) -> dict[str, Any]:
    """Return a request as AuthZEN has it."""
    properties = {name: value for name, value in asked.subject.items() if name != "id"}
    return {
        "subject": {"type": "person", "id": asked.subject["id"], "properties": properties},
        "action": {"name": ACTION},
        "resource": {"type": "model", "id": "model-1", "properties": asked.resource},
    }


def check(asked: Asked) -> dict[str, Any]:
    """Return a request as Cerbos has it; a tier is its number, as CEL orders no words."""
    asked = ranked(asked)
    attributes = {name: value for name, value in asked.subject.items() if name != "id"}
    resource = {"kind": "model", "id": "model-1", "attr": asked.resource}
    return {
        "requestId": asked.subject["id"],
        "principal": {"id": asked.subject["id"], "roles": ["user"], "attr": attributes},
        "resources": [{"actions": [ACTION], "resource": resource}],
    }


def batch(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return many requests as one batch, each whole."""
    return {"evaluations": [evaluation(one) for one in asked]}


def encoded(body: dict[str, Any]) -> str:
    """Return a body as JSON without white space."""
    return json.dumps(body, separators=(",", ":"))


def script(path: Path, bodies: Sequence[str], headers: dict[str, str]) -> Path:
    """Write the Lua script: every body once, then again from the first."""
    held = {"Content-Type": "application/json", **headers}
    lines = ["local bodies = {}"]
    lines += [f"bodies[{n}] = [==[{body}]==]" for n, body in enumerate(bodies, 1)]
    lines += [
        "local at = 0",
        "local made = {}",
        "init = function()",
        *(f"  wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in held.items()),
        "  for n, body in ipairs(bodies) do made[n] = wrk.format('POST', nil, nil, body) end",
        "end",
        "request = function()",
        "  at = at % #made + 1",
        "  return made[at]",
        "end",
        "done = function(summary, latency, requests)",
        "  io.write(string.format('RUN %d %d %d %d %d %d\\n', summary.requests, summary.duration,",
        "    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout,",
        "    latency:percentile(50), latency:percentile(99), latency.max))",
        "end",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path

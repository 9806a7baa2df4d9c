"""Clients of others, unmodified: what speaks AuthZEN to any decision point speaks it to this one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.rest.conformance.asked import ALICE, BOB, RECORD
from tests.rest.running import HERE, of_policies, running


@pytest.mark.skipif(
    find_spec("decern") is None, reason="cannot here: the AuthZEN client `decern` is not installed"
)
def test_decern_a_client_of_another_decision_point_is_answered():
    import decern

    folder = HERE / "fixture"
    with running(auth=True, **of_policies(folder) | {"policies": [folder / "rows.csv"]}) as found:
        client = decern.Client(found.url, token=found.key())
        assert client.evaluate(ALICE, "read", RECORD).allowed
        assert not client.evaluate(BOB, "write", RECORD).allowed
        with pytest.raises(decern.DecernError) as refused:
            decern.Client(found.url).evaluate(ALICE, "read", RECORD)
    assert refused.value.status_code == 401


@pytest.mark.skipif(
    find_spec("authzen_backend") is None,
    reason="cannot here: the AuthZEN client `authzen_backend` is not installed",
)
def test_a_gateway_of_agents_tools_asks_as_it_asks_any_decision_point(tmp_path: Path):
    """`authzen-policy-backend` puts every call of a tool by an agent to a decision point, and fails closed."""
    from authzen_backend import AuthZENBackend

    (tmp_path / "schema.yaml").write_text(AGENTS)
    (tmp_path / "rows.csv").write_text('p, r.sub.id == "auth:agent:agentmesh:a1", true, file_read, allow\n')
    with running(auth=True, **of_policies(tmp_path) | {"policies": [tmp_path / "rows.csv"]}) as found:
        url = f"{found.url}/access/v1/evaluation"

        def allowed(agent: str, tool: str, token: str) -> bool:
            with AuthZENBackend(url, "agents", token=token) as backend:
                return bool(backend.evaluate({"agent_id": agent, "tool_name": tool, "turn": 3}).allowed)

        key = found.key()
        assert allowed("a1", "file_read", key)
        assert not allowed("a1", "file_write", key)
        assert not allowed("a2", "file_read", key)
        assert not allowed("a1", "file_read", "abac_0000000000000000_00")


AGENTS = """
schema: abac/1
attributes:
  subject: {id: {type: string}, bound_to_user_id: {type: string}}
  resource: {id: {type: string}}
  action: {name: {type: string}}
"""

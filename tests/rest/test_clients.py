"""Clients of others, unmodified: what speaks AuthZEN to any decision point speaks it to this one."""

from __future__ import annotations

from importlib.util import find_spec

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

"""Who takes part. Adding a peer is a module `with_<peer>.py`, a line here and one in `requirements.txt`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from benchmarks.peers.peer import Peer
from benchmarks.peers.with_abac import Abac
from benchmarks.peers.with_cedarpy import Cedarpy
from benchmarks.peers.with_cel import Cel
from benchmarks.peers.with_eval import EvalExpression, EvalRules
from benchmarks.peers.with_oso import Oso
from benchmarks.peers.with_py_abac import PyAbac
from benchmarks.peers.with_pycasbin import Pycasbin
from benchmarks.peers.with_regopy import Regopy
from benchmarks.peers.with_vakt import Vakt
from benchmarks.peers.with_zen import ZenExpression, ZenTable

FIELD: tuple[type[Peer], ...] = (
    Abac,
    Oso,
    Pycasbin,
    Regopy,
    PyAbac,
    Cedarpy,
    Vakt,
    ZenTable,
    Cel,
    ZenExpression,
    EvalRules,
    EvalExpression,
)
OPTIONAL = frozenset({Oso.distribution})
"""Peers that have no wheel for every Python; a run without them says so."""


def installed(peer: type[Peer]) -> str | None:
    """Return the version of a peer, or None if it is not installed; Python's own have an empty one."""
    if not peer.distribution:
        return ""
    try:
        return version(peer.distribution)
    except PackageNotFoundError:
        return None

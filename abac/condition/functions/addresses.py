"""Casbin's ipMatch: an IP address within a network, by the standard library's reading of both.

Answers are pycasbin's, but that a pattern that is neither an address nor a network is refused, and has no value,
where pycasbin answers that nothing matches it. An IPv4 address is in no IPv6 network, mapped or not, as there.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from abac.condition.functions.linear import MAX_KEPT, PatternError, bounded


def ip_match(address: str, network: str) -> bool:
    """Return whether the address is in the network; bits below the mask are overlooked.

    Raises `ValueError` where one is not what it should be.

    >>> ip_match("192.168.2.123", "192.168.2.0/24"), ip_match("::1", "10.0.0.0/8")
    (True, False)
    """
    return ipaddress.ip_address(address) in _network(network)


def inspect_network(network: str) -> None:
    """Refuse what is no network and no address. Raises `PatternError`."""
    _network(network)


def inspect_address(address: str) -> None:
    """Refuse what is no address. Raises `PatternError`."""
    try:
        ipaddress.ip_address(bounded(address))
    except ValueError:
        raise PatternError(f"`{address[:60]}` is no IP address") from None


@lru_cache(maxsize=MAX_KEPT)
def _network(network: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(bounded(network), strict=False)
    except ValueError:
        raise PatternError(f"`{network[:60]}` is no IP address and no network such as `10.0.0.0/8`") from None

"""ipMatch against pycasbin's own."""

import ipaddress

import casbin.util.builtin_operators as stock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.condition.functions.addresses import inspect_address, inspect_network, ip_match

V4 = st.integers(0, 2**10).map(lambda n: str(ipaddress.IPv4Address(0x0A000000 + n)))
V6 = st.integers(0, 2**10).map(lambda n: str(ipaddress.IPv6Address((0x20010DB8 << 96) + n)))
MAPPED = V4.map(lambda v4: f"::ffff:{v4}")
ADDRESS = st.one_of(V4, V6, MAPPED)
NETWORK = st.one_of(
    ADDRESS,
    st.builds("{}/{}".format, V4, st.integers(20, 32)),
    st.builds("{}/{}".format, st.one_of(V6, MAPPED), st.integers(90, 128)),
    V4.map(lambda v4: f"{v4}/255.255.255.0"),
)


@settings(max_examples=400)
@given(ADDRESS, NETWORK)
def test_addresses_are_in_networks_as_in_casbin(address, network):
    assert ip_match(address, network) == stock.ip_match(address, network)


def test_both_answers_are_common():
    assert ip_match("10.0.2.9", "10.0.0.0/8")
    assert ip_match("10.0.2.9", "10.0.2.200/24")
    assert not ip_match("10.0.2.9", "10.0.3.0/24")
    assert not ip_match("::ffff:10.0.2.9", "10.0.0.0/8")


def test_an_address_that_is_none_has_no_answer_here_and_raises_there():
    for match in (ip_match, stock.ip_match):
        with pytest.raises(ValueError, match="does not appear to be"):
            match("10.0.0", "10.0.0.0/8")


def test_a_network_that_is_none_is_refused_where_casbin_says_no():
    assert stock.ip_match("10.0.0.1", "10.0.0.0/33") is False
    with pytest.raises(ValueError, match="no IP address and no network"):
        ip_match("10.0.0.1", "10.0.0.0/33")


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.256", "10.0.0.1/33", "::1::", "1" * 5_000, "localhost"])
def test_constants_that_are_no_address_or_network_are_refused(text):
    for inspect in (inspect_address, inspect_network):
        with pytest.raises(ValueError, match=r"is no|at most"):
            inspect(text)

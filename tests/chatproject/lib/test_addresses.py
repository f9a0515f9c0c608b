"""Whose address counts."""

import pytest
from pytest_django import Settings

from chatproject.lib.addresses import client_address, counted_address, shortened

FORGED = "1.1.1.1, 203.0.113.7, 10.0.0.2"


@pytest.mark.parametrize(
    ("proxies", "told", "address"),
    [
        (0, FORGED, "192.0.2.1"),
        (1, FORGED, "10.0.0.2"),
        (2, FORGED, "203.0.113.7"),
        (5, FORGED, "1.1.1.1"),
        (1, "", "192.0.2.1"),
        (1, "unknown", "192.0.2.1"),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_only_what_our_proxies_say_counts(proxies: int, told: str, address: str, settings: Settings) -> None:
    settings.NUM_PROXIES = proxies
    assert client_address("192.0.2.1", {"x-forwarded-for": told}) == address


def test_a_peer_without_an_address(settings: Settings) -> None:
    assert client_address("", {}) == ""


def test_a_network_of_ipv6_counts_as_one() -> None:
    assert counted_address("2001:db8:1:2:3:4:5:6") == counted_address("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert counted_address("203.0.113.7") == "203.0.113.7"


def test_shortened_for_logs() -> None:
    assert shortened("203.0.113.7") == "203.0.113.0"
    assert shortened("2001:db8:1:2:3:4:5:6") == "2001:db8:1::"
    assert shortened("nonsense") == ""

"""The operator's regions file: the shipped example, and what is wrong with others."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest

from domain.regions import InvalidRegions, Regions, parse_regions
from sip.transports import Transport

REGION = """
[regions.us]
name = "US1"
sip_server = "sip.example.com"
changed_on = 2026-03-09
"""


def shipped() -> Regions:
    return parse_regions((files("domain") / "regions.toml").read_text())


def test_the_shipped_file_is_the_labelled_example_of_the_contract() -> None:
    regions = shipped()
    assert regions.example
    assert {key: len(region.addresses) for key, region in regions.regions.items()} == {
        "us": 26,
        "eu": 10,
        "ca": 0,
        "apac": 6,
    }
    assert regions.regions["apac"].sip_server == "asia1.sip.bland.ai"


def test_what_is_left_out_has_the_values_of_the_contract() -> None:
    region = parse_regions(REGION).regions["us"]
    assert (region.port, region.transport, region.rtp_ports) == (
        5061,
        Transport.TLS,
        (10000, 20000),
    )
    assert region.changed_on == date(2026, 3, 9)
    assert not parse_regions(REGION).example


def test_media_comes_from_the_signalling_addresses_unless_it_has_its_own() -> None:
    shared = parse_regions(REGION + 'signaling = ["192.0.2.1"]').regions["us"]
    apart = parse_regions(
        REGION + 'signaling = ["192.0.2.1"]\nmedia = ["192.0.2.2", "192.0.2.1"]'
    ).regions["us"]
    assert shared.media_addresses == ("192.0.2.1",)
    assert apart.media_addresses == ("192.0.2.2", "192.0.2.1")
    assert apart.addresses == ("192.0.2.1", "192.0.2.2")


def test_addresses_are_written_one_way_and_stand_once() -> None:
    text = REGION + 'signaling = ["2001:DB8::0:1", "2001:db8::1/128", "192.0.2.0/24"]'
    assert parse_regions(text).regions["us"].signaling == ("2001:db8::1", "192.0.2.0/24")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('signaling = ["192.0.2.300"]', "regions.us.signaling"),
        ('signaling = ["192.0.2.1/24"]', "host bits"),
        ("port = 0", "regions.us.port"),
        ("rtp_ports = [20000, 10000]", "rtp_ports"),
        ('color = "blue"', "regions.us.color"),
        ("port = ", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(line: str, words: str) -> None:
    with pytest.raises(InvalidRegions, match=words):
        parse_regions(REGION + line)


def test_a_name_that_could_leave_its_quotes_is_refused() -> None:
    with pytest.raises(InvalidRegions, match=r"regions\.us\.name"):
        parse_regions(REGION.replace("US1", "US1' ; reboot '"))

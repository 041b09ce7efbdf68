"""Firewall rules: every address in every form, and nothing that is not asked for."""

from __future__ import annotations

import json
import shlex
from datetime import date

import pytest

from domain.firewall import FirewallFormat, OpenPorts, firewall_rules
from domain.regions import RegionFacts
from sip.transports import Transport

REGION = RegionFacts(
    name="EU9",
    sip_server="sip.example.com",
    signaling=("192.0.2.1", "2001:db8::/48"),
    media=("198.51.100.0/24",),
    changed_on=date(2026, 3, 9),
)
PORTS = OpenPorts(sip_port=5061, transport=Transport.TLS, rtp_ports=(16384, 32768))


def lines_of(
    form: FirewallFormat, region: RegionFacts = REGION, ports: OpenPorts = PORTS
) -> list[str]:
    text = firewall_rules(region, ports, form)
    assert text.endswith("\n")
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_text_is_one_address_a_line() -> None:
    assert lines_of(FirewallFormat.TEXT) == ["192.0.2.1", "2001:db8::/48", "198.51.100.0/24"]


def test_iptables_has_a_program_for_each_family() -> None:
    rules = [shlex.split(line) for line in lines_of(FirewallFormat.IPTABLES)]
    assert [(rule[0], rule[4], rule[6], rule[8]) for rule in rules] == [
        ("iptables", "192.0.2.1", "tcp", "5061"),
        ("ip6tables", "2001:db8::/48", "tcp", "5061"),
        ("iptables", "198.51.100.0/24", "udp", "16384:32768"),
    ]


def test_nftables_goes_in_front_of_what_the_chain_has() -> None:
    assert lines_of(FirewallFormat.NFTABLES) == [
        "insert rule inet filter input ip saddr { 192.0.2.1 } tcp dport 5061 accept "
        'comment "EU9 SIP"',
        "insert rule inet filter input ip6 saddr { 2001:db8::/48 } tcp dport 5061 accept "
        'comment "EU9 SIP"',
        "insert rule inet filter input ip saddr { 198.51.100.0/24 } udp dport 16384-32768 accept "
        'comment "EU9 RTP"',
    ]


def test_ufw_names_protocol_address_and_port() -> None:
    assert lines_of(FirewallFormat.UFW)[2] == (
        "ufw allow proto udp from 198.51.100.0/24 to any port 16384:32768 comment 'EU9 RTP'"
    )


def test_aws_takes_the_rules_as_ip_permissions() -> None:
    permissions = json.loads(firewall_rules(REGION, PORTS, FirewallFormat.AWS))["IpPermissions"]
    assert permissions == [
        {
            "IpProtocol": "tcp",
            "FromPort": 5061,
            "ToPort": 5061,
            "IpRanges": [{"CidrIp": "192.0.2.1/32", "Description": "EU9 SIP"}],
            "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/48", "Description": "EU9 SIP"}],
        },
        {
            "IpProtocol": "udp",
            "FromPort": 16384,
            "ToPort": 32768,
            "IpRanges": [{"CidrIp": "198.51.100.0/24", "Description": "EU9 RTP"}],
        },
    ]


@pytest.mark.parametrize(
    "form", [each for each in FirewallFormat if each is not FirewallFormat.JSON]
)
def test_a_region_without_addresses_opens_nothing(form: FirewallFormat) -> None:
    bare = REGION.model_copy(update={"signaling": (), "media": ()})
    text = firewall_rules(bare, PORTS, form)
    assert not {"accept", "ACCEPT", "allow"} & set(text.split())
    assert "0.0.0.0" not in text


def test_sip_over_udp_opens_udp() -> None:
    ports = OpenPorts(sip_port=5080, transport=Transport.UDP, rtp_ports=(10000, 20000))
    assert "-p udp --dport 5080 " in lines_of(FirewallFormat.IPTABLES, ports=ports)[0]

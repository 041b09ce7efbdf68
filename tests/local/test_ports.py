"""Claiming ports before anything starts."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

import pytest

from local.ports import PortsUnavailable, Wanted, claim_ports, lab_network_in_use
from tests.support.loopback import LoopbackBlock


@pytest.fixture
def taken(loopback: LoopbackBlock) -> Iterator[tuple[str, int]]:
    """An address and a port on which somebody listens."""
    host = loopback.address()
    with socket.create_server((host, 0)) as server:
        yield host, server.getsockname()[1]


def test_a_port_in_use_is_named_with_its_setting_in_one_line(taken: tuple[str, int]) -> None:
    host, port = taken
    with pytest.raises(PortsUnavailable) as refusal:
        claim_ports([Wanted("TRUNKLINE_API_PORT", host, port)])
    assert str(refusal.value) == (
        f"port {port} on {host} is in use (TRUNKLINE_API_PORT={port}); "
        "set another port, or 0 to have a free one picked"
    )


def test_all_ports_in_use_are_named_at_once(taken: tuple[str, int]) -> None:
    host, port = taken
    with pytest.raises(PortsUnavailable, match=r"API_PORT.*MAIL_PORT") as refusal:
        claim_ports(
            [Wanted("TRUNKLINE_API_PORT", host, port), Wanted("TRUNKLINE_MAIL_PORT", host, port)]
        )
    assert "\n" not in str(refusal.value)


def test_free_ports_are_claimed_as_wanted(loopback: LoopbackBlock) -> None:
    wanted = [Wanted("A", loopback.address(), 4001), Wanted("B", loopback.address(), 4002)]
    assert claim_ports(wanted) == {"A": 4001, "B": 4002}


def test_0_picks_different_free_ports_below_the_range_of_outgoing_connections(
    loopback: LoopbackBlock,
) -> None:
    host = loopback.address()
    ports = claim_ports([Wanted(str(number), host, 0) for number in range(50)])
    assert len(set(ports.values())) == 50
    assert all(20_000 < port < 32_768 for port in ports.values())


def test_a_free_port_is_never_one_that_another_setting_wants(
    loopback: LoopbackBlock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.ports._FREE_PORTS", range(21_000, 21_002))
    monkeypatch.setattr("local.ports._TRIES", 2)
    host = loopback.address()
    assert claim_ports([Wanted("ANY", host, 0), Wanted("ONE", host, 21_000)])["ANY"] == 21_001


def test_one_port_for_two_settings_is_refused(loopback: LoopbackBlock) -> None:
    host = loopback.address()
    with pytest.raises(PortsUnavailable, match="B=4003 is wanted twice"):
        claim_ports([Wanted("A", host, 4003), Wanted("B", host, 4003)])


def test_an_address_of_another_machine_is_told_as_such() -> None:
    with pytest.raises(PortsUnavailable, match="not an address of this machine"):
        claim_ports([Wanted("TRUNKLINE_API_PORT", "192.0.2.1", 4004)])


def test_a_connection_that_was_just_closed_does_not_count_as_use(loopback: LoopbackBlock) -> None:
    host = loopback.address()
    with socket.create_server((host, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((host, port)):
            accepted, _ = server.accept()
            # The side that closes first keeps the port in TIME_WAIT.
            accepted.close()
    assert claim_ports([Wanted("A", host, port)]) == {"A": port}


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_taken_lab_network_is_named_with_its_setting(
    loopback: LoopbackBlock, kind: socket.SocketKind
) -> None:
    network = ipaddress.ip_network(f"{loopback.address()}/30", strict=False)
    assert lab_network_in_use(network) is None
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((str(network[1]), 5060))
        if kind is socket.SOCK_STREAM:
            other.listen()
        message = lab_network_in_use(network)
    assert message is not None
    assert "TRUNKLINE_LAB_NETWORK" in message

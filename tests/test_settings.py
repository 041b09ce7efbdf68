"""Settings that a call depends on are refused when they cannot work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from settings import Settings, split_server


@pytest.mark.parametrize("callee", ["100", "+14155550100", "echo"])
def test_a_test_callee_is_whom_a_call_can_dial(
    monkeypatch: pytest.MonkeyPatch, callee: str
) -> None:
    monkeypatch.setenv("TRUNKLINE_TEST_CALLEE", callee)
    assert Settings().test_callee == callee


@pytest.mark.parametrize("callee", ["", "a b", "sip:100@example.com", "*98#", "1" * 65])
def test_another_test_callee_is_refused(monkeypatch: pytest.MonkeyPatch, callee: str) -> None:
    monkeypatch.setenv("TRUNKLINE_TEST_CALLEE", callee)
    with pytest.raises(ValidationError, match="test_callee"):
        Settings()


def test_media_ports_are_both_ends_and_what_is_between() -> None:
    ports = Settings(media_port_first=16384, media_port_last=16387).media_ports()
    assert list(ports) == [16384, 16385, 16386, 16387]


@pytest.mark.parametrize(("first", "last"), [(10000, 10001), (10001, 10003), (65534, 65535)])
def test_media_ports_hold_at_least_one_pair(first: int, last: int) -> None:
    Settings(media_port_first=first, media_port_last=last)


@pytest.mark.parametrize(("first", "last"), [(10000, 10000), (10001, 10002), (20000, 10000)])
def test_media_ports_without_a_pair_are_refused(first: int, last: int) -> None:
    with pytest.raises(ValidationError, match="even port"):
        Settings(media_port_first=first, media_port_last=last)


@pytest.mark.parametrize("text", ["900", "900.0", "PT15M", "00:15:00"])
def test_the_window_is_written_in_seconds_or_as_a_duration(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("TRUNKLINE_TEST_CALL_WINDOW", text)
    assert Settings().test_call_window == timedelta(minutes=15)


@pytest.mark.parametrize("text", ["0", "-5", "P2D", "nan", "inf", "soon", ""])
def test_a_window_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TRUNKLINE_TEST_CALL_WINDOW", text)
    with pytest.raises(ValidationError, match="test_call_window"):
        Settings()


def test_addresses_of_the_collector_are_written_with_commas(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRUNKLINE_HEP_UDP", "192.0.2.1:9061, [2001:db8::1]:9062 ,192.0.2.2,")
    monkeypatch.setenv("TRUNKLINE_HEP_TCP", "")
    settings = Settings()
    assert settings.hep_udp == ("192.0.2.1:9061", "[2001:db8::1]:9062", "192.0.2.2")
    assert (settings.hep_tcp, settings.hep_tls) == ((), ())
    split = [split_server(each, default_port=9060) for each in settings.hep_udp]
    assert split == [("192.0.2.1", 9061), ("2001:db8::1", 9062), ("192.0.2.2", 9060)]


def test_the_collector_listens_on_loopback_unless_it_is_told_otherwise() -> None:
    assert Settings().hep_udp == ("127.0.0.1:9060",)


@pytest.mark.parametrize("name", ["UDP", "TCP", "TLS"])
@pytest.mark.parametrize(
    "text",
    [
        "collector.example.com",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:sip",
        "[::1",
        "[::1]9060",
    ],
)
def test_an_address_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"TRUNKLINE_HEP_{name}", f"192.0.2.1,{text}")
    with pytest.raises(ValidationError, match=f"hep_{name.lower()}"):
        Settings()


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_real_traffic_is_kept_for_a_day_at_least(days: int) -> None:
    with pytest.raises(ValidationError, match="traffic_days_kept"):
        Settings(traffic_days_kept=days)

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.locate import (
    PREFERENCE,
    PlanError,
    address_literal,
    check_host,
    order_srv,
    plan_call,
    select_naptr,
    srv_objection,
)
from sip.resolution import NaptrRecord, SrvRecord
from sip.transports import Transport


def srv(target: str, priority: int = 10, weight: int = 0, port: int = 5060) -> SrvRecord:
    return SrvRecord("_sip._udp.example.com", priority, weight, port, target, 60)


def naptr(
    service: str,
    order: int = 10,
    preference: int = 10,
    flags: str = "s",
    regexp: str = "",
    replacement: str = "_sip._udp.example.com",
) -> NaptrRecord:
    return NaptrRecord(order, preference, flags, service, regexp, replacement, 60)


def draws(*values: int) -> Callable[[int], int]:
    left = list(values)

    def draw(upper: int) -> int:
        value = left.pop(0)
        assert 0 <= value <= upper
        return value

    return draw


class TestPlan:
    def test_an_address_needs_no_look_up_and_gets_the_transport_of_its_scheme(self) -> None:
        plan = plan_call("192.0.2.1")
        assert plan.literal
        assert (plan.fallback, plan.transports, plan.ask_naptr) == (Transport.UDP, (), False)
        assert plan_call("192.0.2.1", secure=True).fallback is Transport.TLS
        assert plan_call("[2001:DB8::1]").host == "2001:db8::1"
        assert plan_call("2001:db8:0::1").host == "2001:db8::1"
        assert "no DNS look-up" in plan.reason

    def test_an_explicit_port_skips_naptr_and_srv(self) -> None:
        plan = plan_call("sip.example.com", port=5080)
        assert (plan.ask_naptr, plan.transports, plan.port) == (False, (), 5080)
        assert plan.fallback is Transport.UDP
        assert plan.reason == "explicit port 5080: no NAPTR or SRV look-up"

    def test_a_given_transport_asks_only_its_srv_name(self) -> None:
        for transport, prefix in (
            ("tcp", "_sip._tcp"),
            ("TLS", "_sips._tcp"),
            ("Udp", "_sip._udp"),
        ):
            plan = plan_call("example.com", transport=transport)
            assert not plan.ask_naptr
            assert [one.srv_prefix for one in plan.transports] == [prefix]
            assert plan.fallback == transport.lower()

    def test_with_neither_everything_is_asked_and_udp_is_the_last_resort(self) -> None:
        plan = plan_call("Example.COM.")
        assert plan.host == "example.com"
        assert plan.ask_naptr
        assert plan.transports == PREFERENCE == (Transport.TLS, Transport.TCP, Transport.UDP)
        assert plan.fallback is Transport.UDP

    def test_a_sips_uri_is_served_by_tls_only(self) -> None:
        plan = plan_call("example.com", secure=True)
        assert (plan.transports, plan.fallback) == ((Transport.TLS,), Transport.TLS)
        assert plan_call("example.com", secure=True, transport="tcp").transports == (Transport.TLS,)
        with pytest.raises(PlanError, match="cannot be reached over UDP"):
            plan_call("example.com", secure=True, transport="udp")

    @pytest.mark.parametrize("transport", ["ws", "sctp", "", "udp "])
    def test_another_transport_is_refused(self, transport: str) -> None:
        with pytest.raises(PlanError, match="is not supported"):
            plan_call("example.com", transport=transport)

    @pytest.mark.parametrize("port", [0, -1, 65536])
    def test_a_number_that_is_no_port_is_refused(self, port: int) -> None:
        with pytest.raises(PlanError, match="is not a port"):
            plan_call("example.com", port=port)

    @pytest.mark.parametrize(
        ("host", "words"),
        [
            ("127.1", "127.0.0.1 written in another form"),
            ("2130706433", "127.0.0.1 written in another form"),
            ("0x7f.1.", "127.0.0.1 written in another form"),
            ("bücher.example", "not in ASCII form"),
            ("", "not a host name"),
            (".", "not a host name"),
            ("a..b", "not a host name"),
            ("-a.example", "not a host name"),
            ("a b.example", "not a host name"),
            ("a\\.example", "not a host name"),
            ("a.example\n", "not a host name"),
            ("a" * 64 + ".example", "not a host name"),
            ("a." * 127 + "example", "not a host name"),
            ("1.2.3.4.5", "neither an IP address nor a host name"),
            ("example.999", "neither an IP address nor a host name"),
            ("example.0xff", "neither an IP address nor a host name"),
            ("[192.0.2.1]", "not a host name"),
        ],
    )
    def test_what_is_no_host_is_refused_with_the_reason(self, host: str, words: str) -> None:
        with pytest.raises(PlanError, match=words):
            plan_call(host)

    def test_names_in_the_wild_are_hosts(self) -> None:
        for host in ("localhost", "a-1.example", "_sip._udp.example.com", "xn--bcher-kva.example"):
            assert check_host(host) == host

    @given(st.text(max_size=40))
    def test_any_text_is_an_address_a_host_or_refused(self, text: str) -> None:
        if address_literal(text) is None:
            try:
                assert check_host(text) == text.removesuffix(".").lower()
            except PlanError:
                return


class TestNaptr:
    def test_the_lowest_order_wins_and_preference_sorts_within_it(self) -> None:
        udp, tcp, tls = (
            naptr("SIP+D2U", order=20, preference=1),
            naptr("sip+d2t", order=10, preference=20),
            naptr("SIPS+D2T", order=10, preference=10),
        )
        choice = select_naptr([udp, tcp, tls])
        assert choice.followed == ((tls, Transport.TLS), (tcp, Transport.TCP))
        assert choice.passed_over == ("NAPTR 'SIP+D2U' is passed over: order 10 comes first",)
        assert len(select_naptr([udp, tcp, tls], every_order=True).followed) == 3

    def test_an_unusable_record_of_a_lower_order_does_not_hide_the_others(self) -> None:
        udp = naptr("SIP+D2U", order=20)
        choice = select_naptr([naptr("SIP+D2S", order=1), naptr("E2U+sip", flags="u"), udp])
        assert choice.followed == ((udp, Transport.UDP),)

    @pytest.mark.parametrize(
        ("record", "words"),
        [
            (naptr("SIP+D2S"), "no SIP service over"),
            (naptr("E2U+sip", flags="u", regexp="!^.*$!sip:a@b!"), "no SIP service over"),
            (naptr("SIP+D2U", flags="a"), "its flag is 'a', not 's'"),
            (naptr("SIP+D2U", flags=""), "its flag is '', not 's'"),
            (naptr("SIP+D2U", regexp="!a!b!"), "regular expression"),
            (naptr("SIP+D2U", replacement="."), "replacement is empty"),
        ],
    )
    def test_an_unusable_record_is_passed_over_with_the_reason(
        self, record: NaptrRecord, words: str
    ) -> None:
        choice = select_naptr([record])
        assert choice.followed == ()
        assert words in choice.passed_over[0]

    def test_a_sips_uri_follows_only_sips_services(self) -> None:
        tls = naptr("SIPS+D2T", order=50)
        choice = select_naptr([naptr("SIP+D2T"), naptr("SIP+D2U"), tls], secure=True)
        assert choice.followed == ((tls, Transport.TLS),)
        assert all("a sips URI needs TLS" in words for words in choice.passed_over)


class TestSrvOrder:
    def test_priority_goes_before_weight(self) -> None:
        first, second = srv("a.example", 1, 0), srv("b.example", 2, 65535)
        assert order_srv([second, first], draws(0, 0)) == (first, second)

    def test_the_lot_falls_on_the_first_record_whose_running_sum_reaches_the_draw(self) -> None:
        a, b, c = (srv(name, weight=weight) for name, weight in (("a", 10), ("b", 30), ("c", 60)))
        # Sums are 10, 40, 100; after b they are 10, 70.
        assert order_srv([a, b, c], draws(11, 10, 60)) == (b, a, c)
        assert order_srv([a, b, c], draws(40, 11, 0)) == (b, c, a)
        assert order_srv([a, b, c], draws(100, 0, 30)) == (c, a, b)

    def test_weight_zero_is_picked_early_only_by_a_draw_of_zero(self) -> None:
        heavy, zero = srv("heavy", weight=5), srv("zero", weight=0)
        assert order_srv([heavy, zero], draws(0, 0)) == (zero, heavy)
        assert order_srv([heavy, zero], draws(1, 0)) == (heavy, zero)

    def test_the_first_place_is_shared_out_by_weight(self) -> None:
        source = random.Random(3263)
        records = [srv("a", weight=10), srv("b", weight=30), srv("c", weight=60)]
        firsts = Counter(
            order_srv(records, lambda upper: source.randint(0, upper))[0].target
            for _ in range(6000)
        )
        for name, share in (("a", 0.1), ("b", 0.3), ("c", 0.6)):
            assert abs(firsts[name] / 6000 - share) < 0.03

    @given(
        st.lists(
            st.builds(
                srv,
                st.sampled_from(["a", "b", "c"]),
                st.integers(0, 3),
                st.sampled_from([0, 0, 1, 7, 65535]),
            ),
            max_size=32,
        ),
        st.randoms(use_true_random=False),
    )
    def test_ordering_keeps_every_record_and_never_mixes_priorities(
        self, records: list[SrvRecord], source: random.Random
    ) -> None:
        ordered = order_srv(records, lambda upper: source.randint(0, upper))
        assert Counter(ordered) == Counter(records)
        priorities = [record.priority for record in ordered]
        assert priorities == sorted(priorities)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (srv("."), "declared not available"),
        (srv("sip.example.com", port=0), "0 is not a port"),
        (srv("192.0.2.1"), "an address in place of a name"),
        (srv("a\\032b.example"), "not a host name"),
    ],
)
def test_an_srv_record_that_leads_nowhere_is_objected_to(record: SrvRecord, words: str) -> None:
    objection = srv_objection(record)
    assert objection is not None
    assert words in objection


def test_an_ordinary_srv_record_is_not_objected_to() -> None:
    assert srv_objection(srv("sip1.example.com")) is None

"""Several Call-IDs that are one call: what ties them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.live_calls import CallAssembler
from tests.domain.live_traffic import (
    FROM_CALLEE,
    NOW,
    TO_CALLEE,
    TO_CALLER,
    TO_PROXY,
    Traffic,
    assembled,
    call_of,
)


def test_the_calls_of_a_back_to_back_user_agent_are_tied_by_the_exporters_word() -> None:
    inner = Traffic("leg-b", correlation="leg-a", caller_tag="b2b")
    inner.request(5, TO_CALLEE, "INVITE")
    inner.response(9, FROM_CALLEE, 486, "Busy Here")
    outer = Traffic("leg-a", correlation="leg-a")
    outer.request(0, TO_PROXY, "INVITE")
    outer.response(11, TO_CALLER, 486, "Busy Here")
    assembler = CallAssembler()
    for each in [*inner.messages, *outer.messages]:
        assembler.receive(each, NOW)

    for leg in ("leg-a", "leg-b"):
        assert [each.sip_call_id for each in assembler.related(leg)] == ["leg-a", "leg-b"]
    assert {each.group for each in assembler.changed()} == {"leg-a"}
    assembler.expire(NOW + timedelta(minutes=1))
    assert assembler.related("leg-b") == ()
    assert not assembler._groups


@pytest.mark.parametrize(
    "header",
    [
        "X-CID: leg-a",
        'P-Charging-Vector: icid-value="leg-a";icid-generated-at=192.0.2.1',
        "P-Charging-Vector: icid-value=leg-a;orig-ioi=example.com",
    ],
)
def test_a_header_ties_calls_where_the_exporter_does_not(header: str) -> None:
    inner = Traffic("leg-b")
    inner.request(5, TO_CALLEE, "INVITE", headers=[header])
    inner.response(9, FROM_CALLEE, 180, "Ringing")

    assert call_of(inner.messages).correlation_id == "leg-a"


def test_the_exporters_word_counts_before_a_header() -> None:
    inner = Traffic("leg-b", correlation="from-chunk")
    inner.request(5, TO_CALLEE, "INVITE", headers=["X-CID: leg-a"])
    first = inner.messages[0]

    assert call_of(inner.messages).correlation_id == "from-chunk"
    assert call_of([replace(first, correlation_id=None)]).correlation_id == "leg-a"
    late = replace(first, at=NOW)
    call = call_of([replace(first, correlation_id=None), late])
    assert call.correlation_id == "from-chunk"


def test_calls_move_to_the_group_that_becomes_known() -> None:
    inner = Traffic("leg-b")
    inner.request(5, TO_CALLEE, "INVITE", headers=["X-CID: leg-a"])
    assembler, call = assembled(inner.messages)
    inner.correlation = "group"
    inner.response(9, FROM_CALLEE, 180, "Ringing")
    assembler.receive(inner.messages[-1], NOW)

    assert call.group == "leg-a"
    assert [each.group for each in assembler.related("leg-b")] == ["group"]
    assert list(assembler._groups) == ["group"]

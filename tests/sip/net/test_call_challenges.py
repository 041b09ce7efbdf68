"""Test calls that have to authenticate (RFC 3261 section 22, RFC 8760)."""

from __future__ import annotations

import pytest

from sip.dialog_state import FailureCause
from sip.digest import Algorithm
from tests.sip.net.calls import PLAN, Observer, call
from tests.sip.net.phones import Call, Script, answering, phone_at
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.usefixtures("loop_errors")

NAMES = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


def challenging(status: int, *challenges: str, accepts: bool = True) -> Script:
    """Challenges an INVITE without credentials, and with ``accepts`` False one with them too."""
    asks, answers = NAMES[status]

    async def script(call: Call) -> None:
        if answers in call.invite.headers and accepts:
            await answering(call)
        else:
            call.respond(status, headers=tuple((asks, challenge) for challenge in challenges))

    return script


MD5 = 'Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth"'
SHA = 'Digest realm="pbx", nonce="n2", algorithm=SHA-256, qop="auth"'
OTHER = 'Digest realm="other", nonce="n3", algorithm=MD5, qop="auth"'


@pytest.mark.parametrize("status", [401, 407])
async def test_a_challenge_is_answered(loopback: LoopbackBlock, status: int) -> None:
    observer = Observer()
    async with phone_at(loopback.address(), challenging(status, SHA, MD5)) as phone:
        facts = await call(
            PLAN, observer, host=phone.address, username="alice", password="secret-7"
        )
    assert phone.methods() == ["INVITE", "INVITE", "BYE"]
    assert facts.invite is not None
    (challenge,) = facts.invite.challenges
    assert (challenge.status, challenge.realm, challenge.answered) == (status, "pbx", "SHA-256")
    assert challenge.algorithms == ("SHA-256", "MD5")
    assert facts.invite.attempts == 2
    assert facts.invite.failure is None
    first, second = observer.sent("INVITE")
    assert second.cseq.number == first.cseq.number + 1
    assert second.via.branch != first.via.branch
    assert not any(b"secret-7" in record.data for record in observer.records)
    assert "secret-7" not in "".join(snapshot.to_json() for snapshot in observer.saved)


async def test_wrong_credentials_are_tried_once(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), challenging(401, MD5, accepts=False)) as phone:
        facts = await call(PLAN, host=phone.address, username="alice", password="wrong")
    assert phone.methods() == ["INVITE", "INVITE"]
    assert facts.invite is not None
    assert facts.invite.failure is FailureCause.UNAUTHORIZED
    assert [(c.answered, c.why_not) for c in facts.invite.challenges] == [
        ("MD5", None),
        (None, "refused again"),
    ]


async def test_without_credentials_the_challenge_is_the_end(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), challenging(401, MD5)) as phone:
        facts = await call(PLAN, host=phone.address)
    assert phone.methods() == ["INVITE"]
    assert facts.invite is not None
    assert [c.why_not for c in facts.invite.challenges] == ["no credentials"]


async def test_only_the_pinned_realm_gets_an_answer(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), challenging(401, OTHER)) as phone:
        facts = await call(
            PLAN, host=phone.address, username="alice", password="secret", realm="pbx"
        )
    assert phone.methods() == ["INVITE"]
    assert facts.invite is not None
    assert [c.why_not for c in facts.invite.challenges] == ["realm"]


async def test_beside_the_pinned_realm_no_other_is_answered(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), challenging(401, OTHER, MD5)) as phone:
        await call(PLAN, host=phone.address, username="alice", password="secret", realm="pbx")
    (credentials,) = phone.requests[1].headers.get_all("Authorization")
    assert 'realm="pbx"' in credentials


async def test_an_algorithm_below_the_minimum_gets_no_answer(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), challenging(401, MD5)) as phone:
        facts = await call(
            PLAN,
            host=phone.address,
            username="alice",
            password="secret",
            minimum=Algorithm.SHA_256,
        )
    assert phone.methods() == ["INVITE"]
    assert facts.invite is not None
    assert [c.why_not for c in facts.invite.challenges] == ["algorithm"]


async def test_a_challenged_bye_is_answered(loopback: LoopbackBlock) -> None:
    async with phone_at(loopback.address(), answering) as phone:
        phone.challenges_bye = True
        facts = await call(PLAN, host=phone.address, username="alice", password="secret")
    assert phone.methods() == ["INVITE", "BYE", "BYE"]
    assert facts.invite is not None
    assert facts.invite.bye_status == 200
    assert [c.method for c in facts.invite.challenges] == ["BYE"]


async def test_an_interval_that_is_too_small_is_raised_once(loopback: LoopbackBlock) -> None:
    async def slow(call: Call) -> None:
        if "Min-SE" in call.invite.headers:
            await answering(call)
        else:
            call.respond(422, headers=(("Min-SE", "1800"),))

    async with phone_at(loopback.address(), slow) as phone:
        facts = await call(PLAN, host=phone.address)
    assert facts.invite is not None
    assert (facts.invite.min_se, facts.invite.failure) == (1800, None)


async def test_a_reliable_provisional_gets_its_prack(loopback: LoopbackBlock) -> None:
    async def reliable(call: Call) -> None:
        call.respond(183, call.phone.sdp, headers=(("Require", "100rel"), ("RSeq", "7")))
        while "PRACK" not in call.phone.methods():
            await call.phone.changed()
        call.respond(200)

    async with phone_at(loopback.address(), reliable) as phone:
        facts = await call(PLAN, host=phone.address)
    assert phone.methods() == ["INVITE", "PRACK", "BYE"]
    prack = phone.requests[1]
    assert prack.headers.get("RAck") == f"7 {phone.requests[0].cseq}"
    assert facts.invite is not None
    assert facts.invite.provisionals[0].reliable
    assert facts.media is not None

from __future__ import annotations

import pytest

from lab import Lab
from lab.catalogue import DEMO_PASSWORD, DEMO_USERNAME
from sip.digest import Algorithm, answer_challenges, challenges_of
from sip.message import Response
from tests.lab.client import ask_udp, request

pytestmark = pytest.mark.usefixtures("loop_errors")


async def options(lab: Lab, *lines: str) -> Response:
    peer = lab.peers["challenge"]
    return await ask_udp(peer.address, request(peer.uri, *lines))


async def asked_with(
    lab: Lab,
    first: Response,
    *,
    algorithm: Algorithm = Algorithm.SHA_256,
    password: str = DEMO_PASSWORD,
) -> tuple[str, Response]:
    offered = challenges_of(first)["WWW-Authenticate"]
    value = answer_challenges(
        [challenge for challenge in offered if challenge.algorithm is algorithm],
        username=DEMO_USERNAME,
        password=password,
        method="OPTIONS",
        uri=lab.peers["challenge"].uri,
        cnonce="c0ffee",
    )
    return value, await options(lab, f"Authorization: {value}")


async def test_it_offers_sha_256_before_md5(lab: Lab) -> None:
    answer = await options(lab)
    assert answer.status == 401
    offered = challenges_of(answer)["WWW-Authenticate"]
    assert [challenge.algorithm for challenge in offered] == [Algorithm.SHA_256, Algorithm.MD5]
    assert {challenge.realm for challenge in offered} == {"lab.trunkline.test"}


@pytest.mark.parametrize("algorithm", [Algorithm.MD5, Algorithm.SHA_256])
async def test_the_demo_account_is_let_in(lab: Lab, algorithm: Algorithm) -> None:
    first = await options(lab)
    _, answer = await asked_with(lab, first, algorithm=algorithm)
    assert (answer.status, answer.headers.get("Server")) == (200, "Asterisk PBX 20.9.2")


async def test_a_wrong_password_is_challenged_again(lab: Lab) -> None:
    first = await options(lab)
    _, answer = await asked_with(lab, first, password="lab-passwort")
    assert answer.status == 401
    assert not any(found.stale for found in challenges_of(answer)["WWW-Authenticate"])


async def test_used_credentials_are_stale(lab: Lab) -> None:
    value, _ = await asked_with(lab, await options(lab))
    answer = await options(lab, f"Authorization: {value}")
    assert answer.status == 401
    assert all(found.stale for found in challenges_of(answer)["WWW-Authenticate"])


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("Basic bGFiOmxhYg==", 401),
        ('Digest username="lab"', 401),
        ('Digest username="lab", nc=x', 401),
        ('Digest nonce="', 400),
    ],
)
async def test_credentials_that_are_none_get_nobody_in(lab: Lab, value: str, status: int) -> None:
    answer = await options(lab, f"Authorization: {value}")
    assert answer.status == status

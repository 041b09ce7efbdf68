"""Several challenges at once: which is answered, and in which header field."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.digest import (
    Algorithm,
    Challenge,
    ChallengeTooWeak,
    ChallengeUnsupported,
    DigestCredentials,
    DigestError,
    answer_challenge,
    authorization_headers,
    challenges_of,
    choose_challenge,
)
from sip.errors import RemoteProtocolError
from sip.message import Headers, Request, Response
from sip.uri import SipUri

REQUEST = Request("REGISTER", SipUri("sip", "example.com"), Headers(), b"body")


def offer(*algorithms: str, realm: str = "biloxi", qop: tuple[str, ...] = ("auth",)) -> list[str]:
    return [str(Challenge(realm, f"nonce-{name}", name, qop)) for name in algorithms]


def challenging(**headers: list[str]) -> Response:
    names = {"www": "WWW-Authenticate", "proxy": "Proxy-Authenticate"}
    items = [(names[key], value) for key, values in headers.items() for value in values]
    return Response(401, "Unauthorized", Headers(items))


def answered(
    response: Response, *, minimum: Algorithm | None = None
) -> list[tuple[str, DigestCredentials]]:
    headers = authorization_headers(
        response, REQUEST, username="bob", password="zanzibar", cnonce="c", minimum=minimum
    )
    return [(name, DigestCredentials.parse(value)) for name, value in headers]


class TestWhichChallengeIsAnswered:
    @settings(deadline=None)
    @given(st.permutations(["MD5", "SHA-256", "SHA-512-256", "AKAv1-MD5"]))
    def test_the_strongest_wins_whatever_the_order(self, names: list[str]) -> None:
        ((_, credentials),) = answered(challenging(www=offer(*names)))
        assert credentials.algorithm is Algorithm.SHA_512_256
        assert credentials.nonce == "nonce-SHA-512-256"

    def test_of_equals_the_first_wins(self) -> None:
        ((_, credentials),) = answered(challenging(www=offer("SHA-256-sess", "SHA-256")))
        assert credentials.algorithm is Algorithm.SHA_256_SESS

    def test_challenges_in_one_header_field_and_in_many_are_the_same(self) -> None:
        many = challenging(www=offer("MD5", "SHA-256"))
        one = challenging(www=[", ".join(offer("MD5", "SHA-256"))])
        assert challenges_of(one) == challenges_of(many)
        assert answered(one) == answered(many)

    def test_what_is_not_understood_is_passed_over(self) -> None:
        weaker = challenging(www=["Bearer abc", *offer("SHA-3"), *offer("MD5")])
        ((_, credentials),) = answered(weaker)
        assert credentials.algorithm is Algorithm.MD5
        conf = offer("SHA-256", qop=("auth-conf",))
        ((_, credentials),) = answered(challenging(www=[*conf, *offer("MD5")]))
        assert credentials.algorithm is Algorithm.MD5

    def test_the_algorithm_is_spelled_as_the_peer_spelled_it(self) -> None:
        ((_, credentials),) = answered(challenging(www=offer("sha-256")))
        assert credentials.algorithm_name == "sha-256"

    @pytest.mark.parametrize("minimum", [Algorithm.SHA_256, Algorithm.SHA_256_SESS])
    def test_below_the_operators_minimum_nothing_is_answered_and_the_offer_is_named(
        self, minimum: Algorithm
    ) -> None:
        response = challenging(www=offer("MD5", "MD5-sess", "AKAv1-MD5"))
        with pytest.raises(ChallengeTooWeak) as caught:
            answered(response, minimum=minimum)
        assert caught.value.minimum is minimum
        assert caught.value.offered == ("MD5", "MD5-sess", "'AKAv1-MD5'")
        assert isinstance(caught.value, DigestError)

    def test_at_the_minimum_or_above_it_is_answered(self) -> None:
        for name in ("SHA-256", "SHA-512-256-sess"):
            ((_, credentials),) = answered(
                challenging(www=offer("MD5", name)), minimum=Algorithm.SHA_256
            )
            assert credentials.algorithm_name == name

    def test_nothing_understood_names_all_that_was_offered(self) -> None:
        values = ["Basic realm=x", *offer("SHA-3"), *offer("MD5", qop=("auth-conf",))]
        with pytest.raises(ChallengeUnsupported) as caught:
            answered(challenging(www=values), minimum=Algorithm.SHA_256)
        assert caught.value.offered == ("Basic", "'SHA-3'", "MD5 qop='auth-conf'")

    def test_a_realm_that_cannot_be_answered_does_not_hide_one_that_can(self) -> None:
        weak, strong = offer("MD5", realm="weak"), offer("SHA-256", realm="strong")
        response = challenging(www=[*weak, *strong])
        ((_, credentials),) = answered(response, minimum=Algorithm.SHA_256)
        assert credentials.realm == "strong"

    def test_a_hostile_offer_is_cut_short(self) -> None:
        for challenge in (Challenge("r", "n", "X" * 4000), Challenge("", "", scheme="X" * 4000)):
            with pytest.raises(ChallengeUnsupported) as caught:
                choose_challenge([challenge])
            assert len(str(caught.value)) < 200


class TestWhichHeaderFieldAnswers:
    def test_a_server_is_answered_by_authorization(self) -> None:
        ((name, credentials),) = answered(challenging(www=offer("MD5")))
        assert name == "Authorization"
        assert (credentials.uri, credentials.username) == ("sip:example.com", "bob")

    def test_a_proxy_is_answered_by_proxy_authorization(self) -> None:
        ((name, _),) = answered(challenging(proxy=offer("MD5")))
        assert name == "Proxy-Authorization"

    def test_both_at_once_and_each_realm_of_a_fork(self) -> None:
        response = challenging(
            www=[*offer("MD5", "SHA-256", realm="one"), *offer("MD5", realm="two")],
            proxy=offer("SHA-256", realm="edge"),
        )
        assert [(name, c.realm, c.algorithm_name) for name, c in answered(response)] == [
            ("Authorization", "one", "SHA-256"),
            ("Authorization", "two", "MD5"),
            ("Proxy-Authorization", "edge", "SHA-256"),
        ]

    def test_no_challenge_needs_no_answer(self) -> None:
        assert answered(challenging()) == []

    def test_the_body_is_covered_by_auth_int(self) -> None:
        ((_, credentials),) = answered(challenging(www=offer("MD5", qop=("auth-int",))))
        direct = answer_challenge(
            Challenge("biloxi", "nonce-MD5", "MD5", ("auth-int",)),
            username="bob",
            password="zanzibar",
            method="REGISTER",
            uri="sip:example.com",
            cnonce="c",
            body=b"body",
        )
        assert credentials == direct

    def test_a_malformed_challenge_names_its_header_field(self) -> None:
        with pytest.raises(RemoteProtocolError) as caught:
            challenges_of(challenging(proxy=["Digest realm=x"]))
        assert caught.value.header == "Proxy-Authenticate"

"""Digest authentication: the published examples, what is hashed, and what is not answered."""

from __future__ import annotations

import hashlib

import pytest

from sip.digest import (
    Algorithm,
    AlgorithmUnavailable,
    Challenge,
    ChallengeUnsupported,
    DigestCredentials,
    answer_challenge,
    answer_challenges,
    request_digest,
)
from sip.digest_algorithms import user_hash
from sip.errors import LocalProtocolError

PASSWORD = "correct horse"


def answer(challenge: Challenge, *, body: bytes = b"", nc: int = 1) -> DigestCredentials:
    return answer_challenge(
        challenge,
        username="bob",
        password=PASSWORD,
        method="REGISTER",
        uri="sip:example.com",
        cnonce="0a4f",
        nc=nc,
        body=body,
    )


class TestPublishedExamples:
    def test_rfc_2617_section_3_5(self) -> None:
        challenge = Challenge.parse(
            'Digest realm="testrealm@host.com", qop="auth,auth-int",'
            ' nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
            ' opaque="5ccc069c403ebaf9f0171e9517f40e41"'
        )
        credentials = answer_challenge(
            challenge,
            username="Mufasa",
            password="Circle Of Life",
            method="GET",
            uri="/dir/index.html",
            cnonce="0a4f113b",
        )
        assert credentials.response == "6629fae49393a05397450978507c4ef1"
        assert credentials.opaque == "5ccc069c403ebaf9f0171e9517f40e41"

    @pytest.mark.parametrize(
        ("algorithm", "response"),
        [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ],
    )
    def test_rfc_7616_section_3_9_1(self, algorithm: str, response: str) -> None:
        challenge = Challenge.parse(
            'Digest realm="http-auth@example.org", qop="auth, auth-int",'
            f" algorithm={algorithm}, "
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",'
            ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        )
        credentials = answer_challenge(
            challenge,
            username="Mufasa",
            password="Circle of Life",
            method="GET",
            uri="/dir/index.html",
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        )
        assert credentials.response == response
        assert credentials.algorithm_name == algorithm

    def test_rfc_7616_section_3_9_2_with_its_erratum_4897(self) -> None:
        """The RFC prints SHA-512 cut to 256 bits, which is another function than SHA-512/256.

        SHA-512/256 (FIPS 180-4) starts from initial values of its own. The values here are those of
        OpenSSL's sha512_256 and of the erratum.
        """
        challenge = Challenge.parse(
            'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256,'
            ' nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",'
            ' opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
        )
        credentials = answer_challenge(
            challenge,
            username="J\u00e4s\u00f8n Doe",
            password="Secret, or not?",
            method="GET",
            uri="/doe.json",
            cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        )
        named = "J\u00e4s\u00f8n Doe:api@example.org".encode()
        printed = "488869477bf257147b804c45308cd62ac4e25eb717b12b298c79e62dcea254ec"
        assert hashlib.sha512(named).hexdigest()[:64] == printed
        assert credentials.username == hashlib.new("sha512_256", named).hexdigest()
        assert credentials.username == (
            "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
        )
        assert credentials.response == (
            "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
        )
        assert str(credentials).endswith("userhash=true")


class TestWhatIsHashed:
    """Against the formulas of RFC 7616 sections 3.4.1 to 3.4.3, written out."""

    @staticmethod
    def expected(algorithm: Algorithm, qop: str | None, body: bytes) -> str:
        name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[
            algorithm.removesuffix("-sess")
        ]

        def hashed(data: bytes) -> str:
            return hashlib.new(name, data).hexdigest()

        a1 = hashed(f"bob:biloxi:{PASSWORD}".encode())
        if algorithm.endswith("-sess"):
            a1 = hashed(f"{a1}:n1:0a4f".encode())
        a2 = "REGISTER:sip:example.com" + (f":{hashed(body)}" if qop == "auth-int" else "")
        middle = "n1" if qop is None else f"n1:0000002a:0a4f:{qop}"
        return hashed(f"{a1}:{middle}:{hashed(a2.encode())}".encode())

    @pytest.mark.parametrize("algorithm", Algorithm)
    @pytest.mark.parametrize("qop", [None, "auth", "auth-int"])
    @pytest.mark.parametrize("body", [b"", b"v=0\r\n\x00\xff"])
    def test_every_combination(self, algorithm: Algorithm, qop: str | None, body: bytes) -> None:
        offered = () if qop is None else (qop,)
        credentials = answer(Challenge("biloxi", "n1", algorithm, offered), body=body, nc=42)
        assert credentials.response == self.expected(algorithm, qop, body)
        assert credentials.qop == qop
        assert credentials.nc == (None if qop is None else 42)

    def test_without_algorithm_it_is_md5_and_the_answer_names_none(self) -> None:
        credentials = answer(Challenge("biloxi", "n1"))
        assert credentials.response == self.expected(Algorithm.MD5, None, b"")
        assert "algorithm" not in str(credentials)

    def test_auth_is_taken_before_auth_int(self) -> None:
        assert answer(Challenge("r", "n", "MD5", ("auth-int", "auth"))).qop == "auth"

    def test_a_session_algorithm_sends_its_cnonce_even_without_qop(self) -> None:
        assert answer(Challenge("r", "n", "MD5-sess")).cnonce == "0a4f"
        assert answer(Challenge("r", "n", "MD5")).cnonce is None

    def test_what_the_peer_wrote_is_hashed_without_its_escapes_and_sent_back_with_them(
        self,
    ) -> None:
        challenge = Challenge.parse(r'Digest realm="a \"b\" \\ c", nonce="n\"1"')
        assert (challenge.realm, challenge.nonce) == (r'a "b" \ c', 'n"1')
        credentials = answer(challenge)
        assert credentials.response == request_digest(
            Algorithm.MD5,
            username="bob",
            realm=r'a "b" \ c',
            password=PASSWORD,
            nonce='n"1',
            method="REGISTER",
            uri="sip:example.com",
        )
        assert r'realm="a \"b\" \\ c", nonce="n\"1"' in str(credentials)

    def test_the_hash_of_a_user_is_that_of_name_and_realm(self) -> None:
        hashed = user_hash(Algorithm.SHA_256, "bob", "biloxi")
        assert hashed == hashlib.sha256(b"bob:biloxi").hexdigest()
        assert answer(Challenge("biloxi", "n", "SHA-256", userhash=True)).username == hashed


class TestRefusals:
    def test_an_unknown_algorithm_or_qop_is_not_answered(self) -> None:
        for challenge in (
            Challenge("r", "n", "AKAv1-MD5"),
            Challenge("r", "n", "MD5", ("auth-conf",)),
            Challenge("r", "", scheme="Basic"),
        ):
            with pytest.raises(ChallengeUnsupported):
                answer(challenge)

    def test_an_openssl_without_the_algorithm_is_named(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = hashlib.new

        def without_sha512_256(
            name: str, data: bytes = b"", *, usedforsecurity: bool = True
        ) -> object:
            if name == "sha512_256":
                raise ValueError("unsupported hash type")
            return original(name, data, usedforsecurity=usedforsecurity)

        monkeypatch.setattr(hashlib, "new", without_sha512_256)
        strong = Challenge("r", "n", "SHA-512-256")
        assert not Algorithm.SHA_512_256.is_available
        with pytest.raises(AlgorithmUnavailable) as caught:
            answer(strong)
        assert caught.value.algorithm is Algorithm.SHA_512_256

        def value(*challenges: Challenge) -> str:
            return answer_challenges(
                challenges, username="u", password="p", method="M", uri="sip:a", cnonce="c"
            )

        assert "algorithm=SHA-256" in value(strong, Challenge("r", "n", "SHA-256"))
        with pytest.raises(AlgorithmUnavailable):
            value(strong)

    def test_a_user_name_cannot_break_out_of_its_header_field(self) -> None:
        with pytest.raises(LocalProtocolError):
            answer_challenges(
                [Challenge("r", "n")],
                username="bob\r\nVia: x",
                password=PASSWORD,
                method="REGISTER",
                uri="sip:example.com",
                cnonce="c",
            )

    def test_a_password_is_in_no_error_and_no_repr(self) -> None:
        secret = "hunter\udc80\ud800two"
        credentials = answer_challenge(
            Challenge("r", "n"),
            username="bob",
            password=secret,
            method="REGISTER",
            uri="sip:example.com",
            cnonce="c",
        )
        assert "hunter" not in repr(credentials) + str(credentials)
        with pytest.raises(ChallengeUnsupported) as caught:
            answer_challenge(
                Challenge("r", "n", "WHIRL"),
                username="bob",
                password=secret,
                method="REGISTER",
                uri="sip:example.com",
                cnonce="c",
            )
        assert "hunter" not in repr(caught.value) + str(caught.value)
        assert caught.value.__context__ is None

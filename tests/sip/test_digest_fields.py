"""The header fields of digest authentication: read, written, refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.digest import (
    Algorithm,
    Challenge,
    DigestCredentials,
    parse_challenges,
)
from sip.errors import RemoteProtocolError

texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=20)


class TestChallengeGrammar:
    def test_every_parameter(self) -> None:
        challenge = Challenge.parse(
            'digest Realm = "biloxi.com" , nonce="n", algorithm="sha-256", qop="auth , AUTH-INT",'
            ' opaque="", stale=TRUE, userhash="True", domain="sip:a sip:b", extra=1'
        )
        assert challenge == Challenge(
            realm="biloxi.com",
            nonce="n",
            algorithm_name="sha-256",
            qop=("auth", "auth-int"),
            opaque="",
            stale=True,
            userhash=True,
            domain="sip:a sip:b",
        )
        assert challenge.algorithm is Algorithm.SHA_256

    def test_stale_and_userhash_are_false_unless_said(self) -> None:
        challenge = Challenge.parse('Digest realm="r", nonce="n", stale=false, userhash=no')
        assert (challenge.stale, challenge.userhash) == (False, False)

    def test_an_unquoted_qop_is_understood(self) -> None:
        assert Challenge.parse('Digest realm="r", nonce="n", qop=auth').qop == ("auth",)

    def test_several_challenges_in_one_value(self) -> None:
        challenges = parse_challenges(
            'Digest realm="a", nonce="1", algorithm=SHA-256, Basic realm="b",'
            ' Negotiate, NTLM TlRMTVNT=, Digest realm="c", nonce="2"'
        )
        assert [(c.scheme, c.realm) for c in challenges] == [
            ("Digest", "a"),
            ("Basic", "b"),
            ("Negotiate", ""),
            ("NTLM", ""),
            ("Digest", "c"),
        ]
        assert [c.algorithm for c in challenges] == ["SHA-256", None, None, None, "MD5"]

    @pytest.mark.parametrize(
        "value",
        [
            "",
            ", ,",
            "Digest",
            'Digest realm="r"',
            'Digest nonce="n"',
            'Digest realm="r", nonce="n", realm="s"',
            'Digest realm="r" nonce="n"',
            'Digest realm="r, nonce=n',
            'realm="r", nonce="n"',
            "Digest bm9uY2U=",
            'Digest realm="r", nonce="n", ;',
            'Digest realm="r", nonce="n", Basic realm="b"',
        ],
    )
    def test_what_is_not_one_challenge_is_refused(self, value: str) -> None:
        with pytest.raises(RemoteProtocolError):
            Challenge.parse(value)

    @settings(deadline=None)
    @given(
        st.builds(
            Challenge,
            realm=texts,
            nonce=texts,
            algorithm_name=st.none() | st.sampled_from([*Algorithm, "AKAv1-MD5"]),
            qop=st.sampled_from([(), ("auth",), ("auth", "auth-int"), ("auth-conf",)]),
            opaque=st.none() | texts,
            stale=st.booleans(),
            userhash=st.booleans(),
            domain=st.none() | texts,
        )
    )
    def test_what_is_written_reads_back(self, challenge: Challenge) -> None:
        assert Challenge.parse(str(challenge)) == challenge

    @settings(deadline=None)
    @given(st.text(max_size=80))
    def test_any_text_is_parsed_or_refused(self, text: str) -> None:
        for parse in (parse_challenges, DigestCredentials.parse):
            with contextlib.suppress(RemoteProtocolError):
                parse(text)


class TestCredentialsGrammar:
    @settings(deadline=None)
    @given(
        st.builds(
            DigestCredentials,
            username=texts,
            realm=texts,
            nonce=texts,
            uri=texts,
            response=st.text("0123456789abcdef", min_size=1),
            algorithm_name=st.none() | st.sampled_from(Algorithm),
            qop=st.sampled_from([None, "auth", "auth-int"]),
            nc=st.integers(0, 2**32 - 1),
            cnonce=texts,
            opaque=st.none() | texts,
            userhash=st.booleans(),
        )
    )
    def test_what_is_written_reads_back(self, credentials: DigestCredentials) -> None:
        assert DigestCredentials.parse(str(credentials)) == credentials

    @pytest.mark.parametrize("missing", ["username", "realm", "nonce", "uri", "response"])
    def test_a_missing_parameter_is_refused(self, missing: str) -> None:
        names = ("username", "realm", "nonce", "uri", "response")
        value = ", ".join(f'{name}="x"' for name in names if name != missing)
        with pytest.raises(RemoteProtocolError, match=missing):
            DigestCredentials.parse(f"Digest {value}")

    @pytest.mark.parametrize(
        "rest",
        [
            ", qop=auth",
            ", qop=auth, nc=00000001",
            ', qop=auth, cnonce="c"',
            ', qop=auth, cnonce="c", nc=1',
            ', qop=auth, cnonce="c", nc=0000000g',
        ],
    )
    def test_a_qop_without_its_parts_is_refused(self, rest: str) -> None:
        whole = 'Digest username="u", realm="r", nonce="n", uri="sip:a", response="0"'
        DigestCredentials.parse(whole)
        with pytest.raises(RemoteProtocolError):
            DigestCredentials.parse(whole + rest)

    @pytest.mark.parametrize("value", ["Basic dTpw", 'Basic realm="r"', 'Digest a="b", Digest c=d'])
    def test_other_schemes_are_refused(self, value: str) -> None:
        with pytest.raises(RemoteProtocolError):
            DigestCredentials.parse(value)

    def test_an_unknown_algorithm_is_none(self) -> None:
        value = 'Digest username="u", realm="r", nonce="n", uri="x", response="0", algorithm=WHIRL'
        assert DigestCredentials.parse(value).algorithm is None

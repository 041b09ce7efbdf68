"""Asking for credentials and checking them: what is accepted, stale, replayed or rejected."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sip.digest import (
    Algorithm,
    Challenge,
    DigestCredentials,
    NonceBook,
    Protection,
    Verdict,
    answer_challenge,
    verify,
)


class Server:
    """A server with one user, and a client that answers its first challenge."""

    def __init__(
        self,
        *algorithms: Algorithm,
        nonces: NonceBook | None = None,
        qop: tuple[str, ...] = ("auth",),
        opaque: str | None = None,
        userhash: bool = False,
    ) -> None:
        self.nonces = nonces or NonceBook(b"secret")
        self.protection = Protection("biloxi", qop=qop, opaque=opaque, userhash=userhash)
        if algorithms:
            self.protection = replace(self.protection, algorithms=algorithms)

    def answer(
        self,
        now: float = 0.0,
        *,
        nonce: str | None = None,
        nc: int = 1,
        password: str = "zanzibar",
        username: str = "bob",
    ) -> DigestCredentials:
        challenge = self.protection.challenges(nonce or self.nonces.issue(now))[0]
        credentials = answer_challenge(
            Challenge.parse(str(challenge)),
            username=username,
            password=password,
            method="REGISTER",
            uri="sip:example.com",
            cnonce="0a4f",
            nc=nc,
            body=b"body",
        )
        return DigestCredentials.parse(str(credentials))

    def check(
        self, credentials: DigestCredentials, now: float = 0.0, *, method: str = "REGISTER"
    ) -> Verdict:
        return verify(
            credentials,
            self.protection,
            self.nonces,
            username="bob",
            password="zanzibar",
            method=method,
            uri="sip:example.com",
            now=now,
            body=b"body",
        )


class TestVerifying:
    @pytest.mark.parametrize("algorithm", Algorithm)
    @pytest.mark.parametrize("qop", [(), ("auth",), ("auth-int",), ("auth", "auth-int")])
    @pytest.mark.parametrize("userhash", [False, True])
    def test_what_we_answer_is_what_we_accept(
        self, algorithm: Algorithm, qop: tuple[str, ...], userhash: bool
    ) -> None:
        server = Server(algorithm, qop=qop, opaque="o", userhash=userhash)
        assert server.check(server.answer()) is Verdict.ACCEPTED

    def test_challenges_come_in_the_order_of_preference(self) -> None:
        challenges = Server().protection.challenges("n", stale=True)
        assert [c.algorithm for c in challenges] == [Algorithm.SHA_256, Algorithm.MD5]
        assert all(c.stale for c in challenges)

    def test_a_wrong_password_user_or_method_is_rejected(self) -> None:
        server = Server()
        assert server.check(server.answer(password="other")) is Verdict.REJECTED
        assert server.check(server.answer(username="eve")) is Verdict.REJECTED
        assert server.check(server.answer(), method="INVITE") is Verdict.REJECTED

    def test_an_algorithm_that_was_not_offered_is_rejected(self) -> None:
        asking = Server(Algorithm.MD5)
        strict = Server(Algorithm.SHA_256, nonces=asking.nonces)
        assert strict.check(asking.answer()) is Verdict.REJECTED
        unknown = replace(asking.answer(), algorithm_name="WHIRL")
        assert asking.check(unknown) is Verdict.REJECTED

    def test_leaving_out_the_qop_is_rejected(self) -> None:
        plain = Server(qop=())
        assert Server(nonces=plain.nonces).check(plain.answer()) is Verdict.REJECTED

    def test_another_realm_opaque_or_uri_is_rejected(self) -> None:
        server = Server(opaque="one")
        other = Server(opaque="two", nonces=server.nonces)
        assert server.check(other.answer()) is Verdict.REJECTED
        good = server.answer()
        for name in ("realm", "uri"):
            value = str(good).replace(f'{name}="', f'{name}="x')
            assert server.check(DigestCredentials.parse(value)) is Verdict.REJECTED
        assert server.check(good) is Verdict.ACCEPTED

    @pytest.mark.parametrize("nonce", ["", "x", "0.1.abc", "\u00e9", "..", "f" * 100])
    def test_a_nonce_of_somebody_else_is_rejected(self, nonce: str) -> None:
        server = Server()
        stranger = NonceBook(b"another").issue(0.0)
        for forged in (nonce, stranger):
            made = server.answer(nonce=forged or "-")
            assert server.check(made) is Verdict.REJECTED

    def test_an_outdated_nonce_with_the_right_password_is_stale(self) -> None:
        server = Server(nonces=NonceBook(b"secret", lifetime=timedelta(seconds=10)))
        credentials = server.answer(100.0)
        assert server.check(credentials, 110.001) is Verdict.STALE
        assert server.check(server.answer(100.0, password="no"), 200.0) is Verdict.REJECTED
        assert server.check(credentials, 110.0) is Verdict.ACCEPTED

    def test_a_count_that_does_not_rise_is_a_replay(self) -> None:
        server = Server()
        nonce = server.nonces.issue(0.0)
        counts = [1, 1, 2, 5, 4, 5, 6]
        verdicts = [server.check(server.answer(nonce=nonce, nc=nc)) for nc in counts]
        good, bad = Verdict.ACCEPTED, Verdict.REPLAYED
        assert verdicts == [good, bad, good, good, bad, bad, good]
        assert server.check(server.answer(nonce=nonce, nc=0)) is bad

    def test_wrong_credentials_do_not_use_up_a_count(self) -> None:
        server = Server()
        nonce = server.nonces.issue(0.0)
        wrong = server.answer(nonce=nonce, nc=9, password="other")
        assert server.check(wrong) is Verdict.REJECTED
        assert server.check(server.answer(nonce=nonce, nc=1)) is Verdict.ACCEPTED

    def test_without_qop_a_nonce_serves_until_it_is_stale(self) -> None:
        server = Server(qop=())
        credentials = server.answer()
        assert server.check(credentials) is Verdict.ACCEPTED
        assert server.check(credentials, 299.0) is Verdict.ACCEPTED
        assert server.check(credentials, 301.0) is Verdict.STALE

    def test_nonces_of_one_moment_differ(self) -> None:
        nonces = NonceBook(b"secret")
        assert len({nonces.issue(1.0) for _ in range(100)}) == 100

    def test_forgotten_counts_make_their_nonces_stale_and_never_usable_again(self) -> None:
        server = Server(nonces=NonceBook(b"secret", max_used=2))
        used = [server.nonces.issue(float(at)) for at in range(3)]
        for nonce in used:
            assert server.check(server.answer(nonce=nonce), 3.0) is Verdict.ACCEPTED
        assert server.check(server.answer(nonce=used[0]), 3.0) is Verdict.STALE
        assert server.check(server.answer(nonce=used[1]), 3.0) is Verdict.REPLAYED
        assert server.check(server.answer(nonce=used[2], nc=2), 3.0) is Verdict.ACCEPTED

"""Passwords: random ones fit every PBX, derived ones follow from everything they are made of."""

from __future__ import annotations

import hashlib
import hmac
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.base62 import ALPHABET, base62
from domain.passwords import PASSWORD_ALPHABET, generated_password, password_for_pbx


@pytest.mark.parametrize(("asked", "length"), [(1, 8), (8, 8), (32, 32), (256, 256), (999, 256)])
def test_a_password_has_the_length_between_the_limits(asked: int, length: int) -> None:
    made = generated_password(asked, random.Random(7).choice)

    assert len(made) == length


def test_every_password_has_letters_of_both_cases_and_a_digit() -> None:
    choose = random.Random(7).choice
    for _ in range(500):
        made = generated_password(8, choose)
        assert any(map(str.isupper, made))
        assert any(map(str.islower, made))
        assert any(map(str.isdigit, made))
        assert not set(made) & set("0O1lI")
        assert set(made) <= set(PASSWORD_ALPHABET)


def test_the_derived_password_is_the_documented_one() -> None:
    parts = b"\0\0\0\x03org\0\0\0\x04acme\0\0\0\x06secret"
    digest = hmac.new(b"k" * 32, parts, hashlib.sha256).digest()
    number, digits = int.from_bytes(digest, "big"), ""
    while number:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits

    made = password_for_pbx(b"k" * 32, org_id="org", username="acme", password="secret")

    assert made == digits.rjust(43, "0")[:24]


def test_no_part_can_pass_for_another() -> None:
    def derived(org_id: str, username: str, password: str) -> str:
        return password_for_pbx(b"key", org_id=org_id, username=username, password=password)

    assert derived("ab", "c", "d") != derived("a", "bc", "d") != derived("a", "b", "cd")
    assert derived("a", "b", "c") != password_for_pbx(
        b"other", org_id="a", username="b", password="c"
    )


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_base62_is_one_text_for_each_value_of_a_length(one: bytes, other: bytes) -> None:
    assert set(base62(one)) <= set(ALPHABET)
    if len(one) == len(other):
        assert len(base62(one)) == len(base62(other))
        assert (base62(one) == base62(other)) == (one == other)
        # ASCII order of the digits is their order as numbers.
        assert (base62(one) < base62(other)) == (one < other)

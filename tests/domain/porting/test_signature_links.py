"""Tokens, forms, mailboxes and names of signing pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.porting.signature_links import (
    FORM_LIFE,
    ShownPage,
    form_proof,
    is_proof_of,
    is_same_name,
    is_token,
    link_token,
    masked_mailbox,
    token_sha256,
)

NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
PAGE = ShownPage("aa" * 32, "bb" * 32, "cc" * 32)


@given(st.binary(min_size=32, max_size=32), st.text(), st.text())
def test_a_notice_has_one_token_and_others_have_others(key: bytes, one: str, other: str) -> None:
    token = link_token(key, one)

    assert is_token(token)
    assert len(token) == 43
    assert token == link_token(key, one)
    assert (token == link_token(key, other)) == (one == other)
    assert token_sha256(token) != token


@pytest.mark.parametrize(
    "text", ["", "x" * 21, "x" * 65, "x" * 42 + "/", "x" * 43 + "\n", "é" * 43]
)
def test_what_is_no_token_is_not_looked_up(text: str) -> None:
    assert not is_token(text)


def test_a_form_is_of_its_page_alone() -> None:
    proof = form_proof(b"key", PAGE, NOW)

    assert is_proof_of(b"key", PAGE, proof, NOW)
    assert is_proof_of(b"key", PAGE, proof, NOW + FORM_LIFE)
    assert is_proof_of(b"key", PAGE, proof, NOW - timedelta(seconds=30))
    assert not is_proof_of(b"key", PAGE, proof, NOW + FORM_LIFE + timedelta(seconds=1))
    assert not is_proof_of(b"key", PAGE, proof, NOW - timedelta(minutes=2))
    assert not is_proof_of(b"yek", PAGE, proof, NOW)
    for name in ("token_sha256", "letter_sha256", "disclosure_sha256"):
        assert not is_proof_of(b"key", replace(PAGE, **{name: "dd" * 32}), proof, NOW)


@given(st.text())
def test_a_made_up_proof_proves_nothing(proof: str) -> None:
    assert not is_proof_of(b"key", PAGE, proof, NOW)


def test_the_time_in_a_proof_cannot_be_changed() -> None:
    seconds, mark = form_proof(b"key", PAGE, NOW).split(".")
    assert not is_proof_of(b"key", PAGE, f"{int(seconds) + 1}.{mark}", NOW)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("jane@acme.example", "j***@acme.example"),
        ("j@acme.example", "j***@acme.example"),
        ('"a@b"@acme.example', '"***@acme.example'),
    ],
)
def test_a_mailbox_is_shown_by_halves(address: str, shown: str) -> None:
    assert masked_mailbox(address) == shown


@pytest.mark.parametrize(
    "typed", ["Jané Döe", "jane doe", " JANE  DOE. ", "Jane\u0301 Doe", "Jane-Doe"]
)
def test_a_name_is_known_however_it_is_written(typed: str) -> None:
    assert is_same_name(typed, "Jané Döe")


@pytest.mark.parametrize("typed", ["", ".", "Jane", "Jane Do", "Jane Doee", "Doe Jane"])
def test_another_name_is_another(typed: str) -> None:
    assert not is_same_name(typed, "Jané Döe")


def test_no_name_is_nobodys() -> None:
    assert not is_same_name("", "")
    assert not is_same_name("-", "...")

"""Sealed secrets open for their purpose, organization and key, and for nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.secret_box import (
    InvalidKeyRing,
    MalformedToken,
    SealBroken,
    SecretBox,
    SecretBoxError,
    UnknownKey,
    generate_key,
)

OLD = generate_key("2025")
NEW = generate_key("2026")
BOX = SecretBox.from_key_ring(f"{NEW},{OLD}")
SECRET = b"correct horse battery staple"


def seal(secret: bytes = SECRET, *, box: SecretBox = BOX) -> bytes:
    return box.seal(secret, purpose="sip_password", org_id="org_a")


def unseal(token: bytes, *, box: SecretBox = BOX) -> bytes:
    return box.open(token, purpose="sip_password", org_id="org_a")


@given(st.binary(max_size=2000))
def test_what_was_sealed_opens(secret: bytes) -> None:
    assert unseal(seal(secret)) == secret


def test_the_same_secret_never_looks_the_same() -> None:
    assert len({seal() for _ in range(100)}) == 100


def test_the_secret_is_not_in_the_token() -> None:
    assert SECRET not in seal()


@pytest.mark.parametrize(
    ("purpose", "org_id"),
    [
        ("sip_password", "org_b"),
        ("pin", "org_a"),
        ("", "org_a"),
        ("sip_passwor", "dorg_a"),
        ("sip_passwordorg_a", ""),
    ],
)
def test_another_purpose_or_organization_does_not_open_it(purpose: str, org_id: str) -> None:
    with pytest.raises(SealBroken):
        BOX.open(seal(), purpose=purpose, org_id=org_id)


def test_every_changed_byte_is_noticed() -> None:
    token = seal()
    for position in range(len(token)):
        changed = bytearray(token)
        changed[position] ^= 0x01
        with pytest.raises(SecretBoxError):
            unseal(bytes(changed))


def test_every_cut_is_noticed() -> None:
    token = seal()
    for length in range(len(token)):
        with pytest.raises(SecretBoxError):
            unseal(token[:length])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_with_a_typed_error(token: bytes) -> None:
    with pytest.raises(SecretBoxError):
        unseal(token)


def test_an_older_key_of_the_ring_still_opens() -> None:
    token = seal(box=SecretBox.from_key_ring(OLD))
    assert unseal(token) == SECRET


def test_what_an_older_key_sealed_needs_resealing() -> None:
    token = seal(box=SecretBox.from_key_ring(OLD))
    assert BOX.needs_resealing(token)
    assert not BOX.needs_resealing(seal(unseal(token)))


def test_a_key_that_left_the_ring_is_named() -> None:
    token = seal(box=SecretBox.from_key_ring(OLD))
    with pytest.raises(UnknownKey) as caught:
        unseal(token, box=SecretBox.from_key_ring(NEW))
    assert caught.value.key_id == "2025"


def test_another_key_under_the_same_id_does_not_open() -> None:
    with pytest.raises(SealBroken):
        unseal(seal(), box=SecretBox.from_key_ring(generate_key("2026")))


def test_swapping_the_key_id_does_not_open() -> None:
    with pytest.raises(SealBroken):
        unseal(seal().replace(b"2026", b"2025"))


def test_malformed_tokens_do_not_ask_for_resealing() -> None:
    with pytest.raises(MalformedToken):
        BOX.needs_resealing(b"plain text")


def test_neither_repr_nor_errors_show_a_key() -> None:
    material = NEW.partition(":")[2]
    assert repr(BOX) == "SecretBox(current='2026')"
    with pytest.raises(InvalidKeyRing) as caught:
        SecretBox.from_key_ring(f"{NEW},{NEW}")
    assert material not in str(caught.value)


@pytest.mark.parametrize(
    ("ring", "reason"),
    [
        ("", "not id:base64"),
        ("2026", "not id:base64"),
        pytest.param(f"{NEW},", "key 2 is not id:base64", id="nothing behind the comma"),
        (f":{base64.b64encode(bytes(32)).decode()}", "cannot be the id"),
        (f"a b:{base64.b64encode(bytes(32)).decode()}", "cannot be the id"),
        (f"{'x' * 33}:{base64.b64encode(bytes(32)).decode()}", "cannot be the id"),
        ("2026:!!!!", "not base64"),
        (f"2026:{base64.b64encode(bytes(16)).decode()}", "16 bytes, not 32"),
        pytest.param(f"{NEW},{NEW}", "twice", id="twice"),
    ],
)
def test_a_bad_key_ring_is_refused_with_the_reason(ring: str, reason: str) -> None:
    with pytest.raises(InvalidKeyRing, match=reason):
        SecretBox.from_key_ring(ring)


def test_generated_keys_are_different_and_usable() -> None:
    assert generate_key("a") != generate_key("a")
    with pytest.raises(InvalidKeyRing):
        generate_key("no spaces please")

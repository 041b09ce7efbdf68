from __future__ import annotations

from collections import Counter
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.ids import ALPHABET, PREFIXES, Prefix, is_id, new_id


@pytest.mark.parametrize("prefix", sorted(PREFIXES))
def test_an_id_is_its_prefix_and_22_base62_characters(prefix: Prefix) -> None:
    made = new_id(prefix)
    head, _, rest = made.partition("_")
    assert head == prefix
    assert len(rest) == 22
    assert set(rest) <= set(ALPHABET)
    assert is_id(prefix, made)


def test_ids_do_not_repeat() -> None:
    assert len({new_id("disc") for _ in range(10_000)}) == 10_000


def test_every_character_is_as_likely() -> None:
    counted = Counter("".join(new_id("disc")[5:] for _ in range(20_000)))
    expected = 20_000 * 22 / len(ALPHABET)
    assert set(counted) == set(ALPHABET)
    # Eight standard deviations; one byte too many in the table makes a quarter more.
    assert all(abs(count - expected) < 8 * expected**0.5 for count in counted.values())


def test_an_unknown_prefix_is_refused() -> None:
    with pytest.raises(ValueError, match="not a prefix"):
        new_id(cast(Prefix, "xyz"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "org",
        "org_",
        "*",
        "key_0123456789ABCDEFGHIJKL",
        "org_0123456789ABCDEFGHIJK",
        "org_0123456789ABCDEFGHIJKLM",
        "org_0123456789ABCDEFGHIJK-",
        "org_0123456789ABCDEFGHIJKL\n",
        "org_0123456789ABCDEFGHIJK\u0661",
    ],
)
def test_what_is_not_an_organizations_id(text: str) -> None:
    assert not is_id("org", text)


@given(st.text(max_size=40))
def test_arbitrary_text_is_an_id_only_in_its_exact_form(text: str) -> None:
    if is_id("org", text):
        assert len(text) == 26
        assert set(text[4:]) <= set(ALPHABET)

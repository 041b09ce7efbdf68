"""JSON Merge Patch against the examples of RFC 7396, and its laws."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.merge_patch import merge_patch

SCALARS = st.booleans() | st.integers() | st.text(max_size=3)
OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), SCALARS | st.lists(SCALARS, max_size=2), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), SCALARS | inner, max_size=3),
    max_leaves=6,
)
PATCHES = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.none() | SCALARS, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), st.none() | SCALARS | inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("present", "patch", "expected"),
    [
        # RFC 7396 appendix A, the rows whose document and patch are objects.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": "foo"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_the_examples_of_the_rfc(
    present: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert merge_patch(present, patch) == expected


@given(OBJECTS, PATCHES)
def test_a_patch_applied_twice_is_applied_once_and_changes_no_argument(
    present: dict[str, Any], patch: dict[str, Any]
) -> None:
    before, said = copy.deepcopy(present), copy.deepcopy(patch)
    once = merge_patch(present, patch)

    assert merge_patch(once, patch) == once
    assert (present, patch) == (before, said)


@given(OBJECTS)
def test_an_empty_patch_changes_nothing_and_an_object_patches_nothing_into_itself(
    present: dict[str, Any],
) -> None:
    assert merge_patch(present, {}) == present
    assert merge_patch({}, present) == present

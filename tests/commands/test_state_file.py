"""Configurations as YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from commands.state_file import WrongFile, as_yaml, read_yaml
from commands.state_screen import plan_lines

# No file holds these in the clear, and the API takes none of them.
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]))
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from(["+14155550100", "0123", "no", "on", "1e5", "12:30:45", "2026-01-01", "<<"])
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)


def read(folder: Path, text: str) -> Any:
    file = folder / "state.yaml"
    file.write_text(text, encoding="utf-8")
    return read_yaml(file)


@given(value=values)
def test_what_is_written_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    document = {"value": value}

    text = as_yaml(document)

    assert read(tmp_path_factory.getbasetemp(), text) == document
    # Other readers of YAML see the same texts.
    assert yaml.safe_load(text) == document


def test_numbers_of_telephones_are_text_without_quotes(tmp_path: Path) -> None:
    text = "a: [+14155550100, 0123, 12:30, no, 1_000, 0x1F]\nb: [5061, -1, 2.5, true, null, ~]\n"

    assert read(tmp_path, text) == {
        "a": ["+14155550100", "0123", "12:30", "no", "1_000", "0x1F"],
        "b": [5061, -1, 2.5, True, None, None],
    }


def test_settings_are_shared_by_anchors(tmp_path: Path) -> None:
    text = "a: &a {port: 1, host: x}\nb: &b {<<: *a, port: 2}\nc: {<<: *b, port: 3}\nd: *b\n"

    assert read(tmp_path, text)["c"] == {"port": 3, "host": "x"}
    assert read(tmp_path, text)["d"] == {"port": 2, "host": "x"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: {b: 1, b: 2}", "b is there twice"),
        ("a: &a [*a]", "what JSON cannot say"),
        ("a: !!binary aGk=", "what JSON cannot say"),
        ("a: .inf\nb: !!float .inf", "what JSON cannot say"),
        ("? [1]\n: 2", "found unhashable key"),
        ("", "must hold version"),
        ("a: \x00", "special characters are not allowed"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(WrongFile, match=complaint):
        read(tmp_path, text)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.yaml").write_bytes(b"\xff")

    with pytest.raises(WrongFile, match="is not UTF-8"):
        read_yaml(tmp_path / "state.yaml")


def test_text_from_outside_does_not_move_the_cursor() -> None:
    change = {
        "action": "trunk.create",
        "trunk": "Acme\x1b[2J",
        "fields": [{"field": "headers.X", "before": None, "after": "a\nb" + 100 * "c"}],
    }

    lines = [line.plain for line in plan_lines([change])]

    assert lines[0] == "+ trunk Acme [2J"
    assert lines[1] == "    headers.X  a b" + 69 * "c" + "..."

"""Files of the data folder: private, whole, and honest about what they hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from local.files import private_folder, read_json, write_json
from local.keyring import DamagedSecrets, LocalSecrets
from local.logfiles import shorten
from local.upfile import UpFile
from storage.secret_box import SecretBox


def test_a_written_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_json(tmp_path / "file", {"a": 1})
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"text"', b"\xff"])
def test_what_is_no_json_object_reads_as_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_json(tmp_path / "file") is None


def test_a_new_folder_is_private_and_an_existing_one_keeps_its_mode(tmp_path: Path) -> None:
    assert private_folder(tmp_path / "new").stat().st_mode & 0o777 == 0o700
    (tmp_path / "new").chmod(0o755)
    assert private_folder(tmp_path / "new").stat().st_mode & 0o777 == 0o755


def test_secrets_are_made_once_and_found_again(tmp_path: Path) -> None:
    first = LocalSecrets.load(tmp_path)
    assert first.api_key is None
    SecretBox.from_key_ring(first.key_ring)
    first.with_api_key("key")
    again = LocalSecrets.load(tmp_path)
    assert (again.key_ring, again.api_key) == (first.key_ring, "key")


def test_damaged_secrets_are_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text('{"key_ring": "loc')
    with pytest.raises(DamagedSecrets, match=r"secrets\.json is damaged"):
        LocalSecrets.load(tmp_path)
    assert path.read_text() == '{"key_ring": "loc'


def test_secrets_do_not_show_in_a_representation(tmp_path: Path) -> None:
    secrets = LocalSecrets.load(tmp_path)
    assert secrets.key_ring not in repr(secrets)


def test_up_json_of_another_shape_reads_as_nothing(tmp_path: Path) -> None:
    assert UpFile.read(tmp_path) is None
    write_json(tmp_path / "up.json", {"api_url": "http://127.0.0.1:1"})
    assert UpFile.read(tmp_path) is None


def test_a_long_log_is_cut_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 101)
        shorten(log, limit=100)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert (tmp_path / "api.log.1").read_bytes() == b"x" * 101


def test_a_short_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(b"x" * 100)
    shorten(log, limit=100)
    assert list(tmp_path.iterdir()) == [log]

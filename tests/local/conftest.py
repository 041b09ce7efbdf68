"""Fixtures of the tests of the one-machine system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.postgres import EmbeddedPostgres
from tests.support.embedded import copied


@pytest.fixture(scope="session")
def initialised_postgres(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose server was started once; copied, since initdb takes most of the time."""
    folder = tmp_path_factory.mktemp("initialised") / "data"
    with EmbeddedPostgres(folder, durable=False):
        pass
    return folder


@pytest.fixture
def postgres_folder(initialised_postgres: Path, tmp_path: Path) -> Path:
    """An initialised data folder of this test alone."""
    return copied(initialised_postgres, tmp_path / "data")


@pytest.fixture
def embedded_postgres(postgres_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of this test alone, not started."""
    made = EmbeddedPostgres(postgres_folder, durable=False)
    yield made
    made.stop()

"""An order that waits for a signature, with its letter and a link to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.state import ApiState
from settings import Settings
from storage.engine import Database
from tests.api.signing.letters import SECRET, Desk
from tests.api.tenants import Tenant


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Letters in a folder of this test."""
    return settings.model_copy(
        update={
            "document_folder": str(tmp_path / "documents"),
            "public_url": "https://trunkline.example",
            "signature_webhook_secret": SecretStr(SECRET),
        }
    )


@pytest.fixture
def desk(app: FastAPI, database: Database, tenant: Tenant) -> Desk:
    """Who places orders and mails links."""
    state: ApiState = app.state.trunkline
    return Desk(state, database, tenant.org_id)

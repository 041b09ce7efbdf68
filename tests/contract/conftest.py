"""The API as its own tests have it: in this process, over a real database."""

from __future__ import annotations

from tests.api.conftest import (
    app,
    client,
    log,
    running_client,
    settings,
    temporal_address,
    tenant,
)

__all__ = ["app", "client", "log", "running_client", "settings", "temporal_address", "tenant"]

"""Every setting of Trunkline, read from the environment with the prefix ``TRUNKLINE_``.

One class for all processes, so that an operator documents, checks and changes settings in one place.
``docs/settings.md`` is written from these descriptions (``trunkline settings``) and a test keeps it current.
"""

from __future__ import annotations

from functools import lru_cache

from pydantic_settings import SettingsConfigDict

from settings.alerts import AlertSettings
from settings.porting import PortingSettings
from settings.processes import ProcessSettings
from settings.signing import SigningSettings
from settings.traffic import TrafficSettings
from settings.values import Network, split_server

__all__ = ["Network", "Settings", "get_settings", "split_server"]


class Settings(AlertSettings, TrafficSettings, PortingSettings, SigningSettings, ProcessSettings):
    """All of them."""

    model_config = SettingsConfigDict(env_prefix="TRUNKLINE_", extra="ignore", frozen=True)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()

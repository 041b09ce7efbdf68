"""What is probed: placed by trunks, resolved and loaded by the holders of shards."""

from __future__ import annotations

from storage.health_loading import (
    LoadedName,
    LoadedRule,
    LoadedTarget,
    ShardConfig,
    load_shards,
    revisions,
)
from storage.health_placing import PlacedEndpoint, displace, place
from storage.health_resolution import ResolvedTarget, write_resolution

__all__ = [
    "LoadedName",
    "LoadedRule",
    "LoadedTarget",
    "PlacedEndpoint",
    "ResolvedTarget",
    "ShardConfig",
    "displace",
    "load_shards",
    "place",
    "revisions",
    "write_resolution",
]

"""The operator's regions, read once when the API starts."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from domain.regions import InvalidRegions, Regions, parse_regions

__all__ = ["load_regions"]


def load_regions(path: str | None) -> Regions:
    """The regions of the file, or the labelled example. Raises ``InvalidRegions``."""
    if path is None:
        return parse_regions((files("domain") / "regions.toml").read_text())
    try:
        return parse_regions(Path(path).read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRegions(f"TRUNKLINE_REGIONS_FILE: {error}") from error
    except InvalidRegions as error:
        raise InvalidRegions(f"TRUNKLINE_REGIONS_FILE: {path}: {error}") from error

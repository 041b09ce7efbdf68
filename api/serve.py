"""The API process: ``python -m api.serve [--ready-file FILE]``.

Listens on ``TRUNKLINE_API_HOST`` and ``TRUNKLINE_API_PORT`` (0 picks a free port). SIGTERM and SIGINT let
requests in flight finish. Exit status: 0 after a stop, 1 when it cannot start (the reason on standard error).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from api.app import SettingMissing, create_app, product_version
from observability.logs import configure_logging, get_logger
from observability.metrics import start_temporal_runtime
from observability.tracing import start_tracing
from settings import Settings, get_settings
from storage.secret_box import InvalidKeyRing

__all__ = ["CannotStart", "main", "serve"]

_log = get_logger("trunkline.api")

# Longer than a request may take (a Temporal call ends after 5 s), shorter than a container's grace period.
# A client that follows a live view reconnects to another process.
DRAIN = timedelta(seconds=8)
BACKLOG = 2048


class CannotStart(Exception):
    """The process cannot start; the text says what to change."""


def serve(settings: Settings, *, on_ready: Callable[[str], None] | None = None) -> None:
    """Run until SIGTERM or SIGINT. ``on_ready`` is called with the base URL once requests are answered.

    Raises ``CannotStart``.
    """
    listening = _listen(settings.api_host, settings.api_port)
    with listening:
        try:
            app = create_app(
                settings,
                temporal_runtime=start_temporal_runtime(),
                tracing=start_tracing(
                    settings.otlp_endpoint, service="trunkline-api", version=product_version()
                ),
            )
        except (SettingMissing, InvalidKeyRing, ValueError) as error:
            raise CannotStart(str(error)) from error
        server = _Server(_configuration(app), url=_url_of(listening), on_ready=on_ready)
        # The server hands the signal on after it has drained; that must not end the process as if killed.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        server.run(sockets=[listening])
        if not server.started:
            raise CannotStart("the application did not start; its log says why")


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(
        self, config: uvicorn.Config, *, url: str, on_ready: Callable[[str], None] | None
    ) -> None:
        super().__init__(config)
        self._url = url
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            _log.info("the API answers", url=self._url)
            if self._on_ready is not None:
                self._on_ready(self._url)


def _configuration(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=int(DRAIN.total_seconds()),
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotStart(
            f"cannot listen on {host} port {port}: {error.strerror}. "
            "Set TRUNKLINE_API_HOST or TRUNKLINE_API_PORT (0 picks a free port)."
        ) from error
    return listening


def _url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _write_ready(path: Path) -> Callable[[str], None]:
    def write(url: str) -> None:
        # Whoever waits for the file must never read half of it.
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_text(json.dumps({"url": url, "pid": os.getpid()}))
        partial.replace(path)

    return write


def main(arguments: Sequence[str] = ()) -> None:
    """Entry of the process; exits with status 1 and a reason when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m api.serve", description="The Trunkline API.")
    parser.add_argument(
        "--ready-file", type=Path, help="written as JSON with url and pid once the API answers"
    )
    options = parser.parse_args(arguments)
    try:
        settings = get_settings()
        configure_logging(level=settings.log_level, log_format=settings.log_format)
        serve(settings, on_ready=_write_ready(options.ready_file) if options.ready_file else None)
    except ValidationError as error:
        sys.exit("\n".join(_named(each) for each in error.errors(include_input=False)))
    except CannotStart as error:
        sys.exit(str(error))


def _named(problem: ErrorDetails) -> str:
    """A wrong setting by the name under which the operator wrote it."""
    return (
        "TRUNKLINE_"
        + "_".join(str(part) for part in problem["loc"]).upper()
        + f": {problem['msg']}"
    )


if __name__ == "__main__":
    main(sys.argv[1:])

"""Structured logs: one line a record, with the ids of the work it belongs to.

Everything goes through the standard library's root logger, so records of uvicorn, Temporal and SQLAlchemy
look like ours. JSON for machines, or a console form for a person's eyes.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from functools import cache, partial
from typing import Any, Literal, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import FilteringBoundLogger, Processor

from observability.context import current_log_ids
from observability.redaction import redact

__all__ = ["configure_logging", "get_logger"]

LogFormat = Literal["json", "console"]

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
    "critical": logging.CRITICAL,
}
# Libraries that report each request at INFO although our own record says more.
_QUIET = ("httpx", "httpcore", "urllib3", "asyncio", "fontTools", "fpdf", "pyhanko")


class _LineHandler(logging.StreamHandler[TextIO]):
    """The one handler of the process; a class of its own so that a second set-up replaces it."""


class _Line(str):
    """A record of ours, which is a line already when the standard library gets it."""

    __slots__ = ()


class _LineFormatter(structlog.stdlib.ProcessorFormatter):
    """Makes lines of the records of libraries."""

    def format(self, record: logging.LogRecord) -> str:
        return record.msg if isinstance(record.msg, _Line) else super().format(record)


class _LineLogger:
    """A logger of the standard library for lines, with its methods; nobody asks a line from where it
    was written."""

    def __init__(self, name: str = "trunkline") -> None:
        self.name = name
        self._logger = logging.getLogger(name)
        for method, level in _LEVELS.items():
            setattr(self, method, partial(self._write, level))

    def _write(self, level: int, line: str) -> None:
        # The formatter must know it from a text that a library logs.
        record = logging.LogRecord(self.name, level, "", 0, _Line(line), (), None)
        self._logger.handle(record)


def configure_logging(
    *, level: str = "info", log_format: LogFormat = "json", stream: TextIO | None = None
) -> None:
    """Send all log records of the process to ``stream`` (standard error), one line each.

    ``level`` is ``debug``, ``info``, ``warning`` or ``error``. May be called again; the last call counts.
    """
    shared: list[Processor] = [
        _add_ids,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _add_trace_ids,
    ]
    finishing: list[Processor] = [
        structlog.processors.format_exc_info,
        redact,
        *_renderers(log_format),
    ]
    structlog.configure(
        processors=[*shared, *finishing],
        logger_factory=cache(_LineLogger),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = _LineHandler(stream or sys.stderr)
    handler.setFormatter(
        _LineFormatter(
            foreign_pre_chain=[_add_temporal_ids, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finishing],
        )
    )
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _LineHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderers(log_format: LogFormat) -> list[Processor]:
    if log_format == "console":
        return [structlog.dev.ConsoleRenderer(colors=False)]
    return [structlog.processors.EventRenamer("message"), structlog.processors.JSONRenderer()]


def _add_ids(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {**current_log_ids(), **event}


def _add_trace_ids(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Name the trace, so that a record and its trace are found from each other."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = trace.format_trace_id(span.trace_id)
        event["span_id"] = trace.format_span_id(span.span_id)
    return event


def _add_temporal_ids(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Lift the ids that the Temporal SDK attaches to records of workflows and activities."""
    record = event.get("_record")
    for source in ("temporal_workflow", "temporal_activity"):
        details = getattr(record, source, None)
        if isinstance(details, Mapping):
            for name in ("workflow_id", "run_id", "workflow_type", "activity_type", "attempt"):
                if name in details:
                    event.setdefault(name, details[name])
    return event


def get_logger(name: str) -> FilteringBoundLogger:
    """A logger; pass facts as keywords, not inside the text."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger

"""Structured logs: one line a record, with the ids of the work it belongs to.

Everything goes through the standard library's root logger, so records of uvicorn, Temporal and SQLAlchemy
look like ours. JSON for machines, or a console form for a person's eyes.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog
from opentelemetry import trace
from structlog.types import Processor

from observability.redaction import redact

__all__ = ["configure_logging", "get_logger"]

LogFormat = Literal["json", "console"]

# Libraries that report each request at INFO although our own record says more.
_QUIET = ("httpx", "httpcore", "urllib3", "asyncio")


class _LineHandler(logging.StreamHandler[TextIO]):
    """The one handler of the process; a class of its own so that a second set-up replaces it."""


def configure_logging(
    *, level: str = "info", log_format: LogFormat = "json", stream: TextIO | None = None
) -> None:
    """Send all log records of the process to ``stream`` (standard error), one line each.

    ``level`` is ``debug``, ``info``, ``warning`` or ``error``. May be called again; the last call counts.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _add_trace_ids,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _LineHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_add_temporal_ids, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                *_renderers(log_format),
            ],
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


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger; pass facts as keywords, not inside the text."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger

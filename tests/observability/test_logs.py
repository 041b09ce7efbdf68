from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from observability.context import add_log_ids, current_request_id, log_ids
from observability.logs import configure_logging, get_logger

KEY = "tl_" + "aB3_-" * 8 + "xyz"


class Log:
    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    captured = Log()
    configure_logging(level="debug", stream=captured.stream)
    yield captured
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_record_is_one_json_line_with_facts_as_fields(log: Log) -> None:
    get_logger("trunkline.test").info("probed\nagain", target="192.0.2.1", ms=4.5)

    (record,) = log.records()
    assert record["message"] == "probed\nagain"
    assert record["target"] == "192.0.2.1"
    assert record["ms"] == 4.5
    assert record["level"] == "info"
    assert record["logger"] == "trunkline.test"
    assert record["timestamp"].endswith("Z")


def test_records_of_libraries_carry_the_ids_of_the_work_too(log: Log) -> None:
    with log_ids(request_id="req_1", workflow_id=None):
        add_log_ids(org_id="org_1")
        logging.getLogger("uvicorn.error").warning("%s is slow", "peer")
        assert current_request_id() == "req_1"
    logging.getLogger("uvicorn.error").warning("after")

    inside, after = log.records()
    assert inside["message"] == "peer is slow"
    assert (inside["request_id"], inside["org_id"]) == ("req_1", "org_1")
    assert "workflow_id" not in inside
    assert "request_id" not in after
    assert current_request_id() is None


def test_added_ids_end_with_the_block_they_were_added_in(log: Log) -> None:
    with log_ids(request_id="req_1"):
        add_log_ids(org_id="org_1")
    get_logger("trunkline.test").info("next request")

    assert "org_id" not in log.records()[0]


@pytest.mark.parametrize(
    "facts",
    [
        {"authorization": KEY},
        {"headers": {"Authorization": "Bearer whatever"}},
        {"sip_password": "hunter2-hunter2"},
        {"reason": f"no such key {KEY}"},
        {"url": "postgresql://app:hunter2-hunter2@127.0.0.1/db"},
        {"items": [{"signing_secret": "whsec_abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"}]},
        {"note": "whsec_abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"},
    ],
)
def test_secrets_do_not_reach_the_log(log: Log, facts: dict[str, Any]) -> None:
    get_logger("trunkline.test").warning("refused", **facts)

    for secret in (
        KEY,
        "Bearer whatever",
        "hunter2-hunter2",
        "whsec_abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq",
    ):
        assert secret not in log.text
    assert "********" in log.text


def test_a_secret_inside_a_traceback_does_not_reach_the_log(log: Log) -> None:
    try:
        raise ValueError(f"cannot use {KEY}")
    except ValueError:
        get_logger("trunkline.test").exception("failed")

    (record,) = log.records()
    assert KEY not in log.text
    assert "ValueError: cannot use tl_" in record["exception"]


def test_ids_and_key_ids_are_left_readable(log: Log) -> None:
    get_logger("trunkline.test").info("known", key_id="key_7hWc2RzKp0nLq4TbXs9VmE")

    assert log.records()[0]["key_id"] == "key_7hWc2RzKp0nLq4TbXs9VmE"


def test_records_of_workflows_show_the_workflow(log: Log) -> None:
    logging.getLogger("temporalio.workflow").info(
        "started", extra={"temporal_workflow": {"workflow_id": "discovery:disc_1", "attempt": 2}}
    )

    (record,) = log.records()
    assert (record["workflow_id"], record["attempt"]) == ("discovery:disc_1", 2)


def test_a_record_inside_a_span_names_the_trace(log: Log) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    with provider.get_tracer("test").start_as_current_span("work") as span:
        get_logger("trunkline.test").info("inside")
    provider.shutdown()

    assert log.records()[0]["trace_id"] == format(span.get_span_context().trace_id, "032x")


def test_records_below_the_level_are_not_written(log: Log) -> None:
    configure_logging(level="warning", stream=log.stream)
    get_logger("trunkline.test").info("quiet")
    get_logger("trunkline.test").warning("loud")

    assert [record["message"] for record in log.records()] == ["loud"]


def test_a_second_setup_replaces_the_first(log: Log) -> None:
    second = io.StringIO()
    configure_logging(level="info", stream=second)
    get_logger("trunkline.test").info("once")

    assert log.text == ""
    assert len(second.getvalue().splitlines()) == 1


def test_the_console_form_is_readable_and_keeps_the_secrets_out(log: Log) -> None:
    configure_logging(level="info", log_format="console", stream=log.stream)
    get_logger("trunkline.test").info("probed", target="192.0.2.1", password="hunter2-hunter2")

    assert "probed" in log.text
    assert "192.0.2.1" in log.text
    assert "hunter2-hunter2" not in log.text

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from lbcontroller.telemetry import logs
from lbcontroller.telemetry.logs import LogFormat

LOGGER = logging.getLogger("lbcontroller.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger(logs.ROOT)
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], _, _ = before
    root.setLevel(before[1])
    ours.setLevel(before[2])


def configured(log_format: LogFormat, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, log_format, stream)
    return stream


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_json_line_has_the_event_and_its_fields() -> None:
    stream = configured(LogFormat.JSON)

    logs.event(LOGGER, logging.WARNING, "it_happened", subject="Service shop/web", seconds=1.5)

    (line,) = lines_of(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "lbcontroller.test",
        "event": "it_happened",
        "subject": "Service shop/web",
        "seconds": 1.5,
    }


def test_a_console_line_is_for_people_and_cannot_be_forged_by_a_value() -> None:
    stream = configured(LogFormat.CONSOLE)

    logs.event(LOGGER, logging.INFO, "it_happened", resource="pods", message="two words\n12:00 \x1b[31mfake")

    (line,) = stream.getvalue().splitlines()
    assert line[8:] == r' INFO    it_happened resource=pods message="two words\n12:00 \u001b[31mfake"'


def test_secrets_are_masked_in_both_formats() -> None:
    for log_format in LogFormat:
        stream = configured(log_format)
        logs.event(LOGGER, logging.INFO, "it_happened", value={"password": SecretStr("hunter2")})
        logs.event(LOGGER, logging.INFO, "it_happened", value=SecretStr("hunter2"))
        assert "hunter2" not in stream.getvalue()
        assert "**********" in stream.getvalue()


def test_the_traceback_of_a_bug_is_part_of_the_line() -> None:
    stream = configured(LogFormat.JSON)
    error = ZeroDivisionError("oops")

    logs.event(LOGGER, logging.ERROR, "bug", traceback_of=error)

    assert "ZeroDivisionError: oops" in lines_of(stream)[0]["traceback"]


@pytest.mark.parametrize("value", ["\ud800", 2**80, {1: {2}}, b"bytes", object()])
def test_no_value_loses_a_line(value: object) -> None:
    for log_format in LogFormat:
        stream = configured(log_format)
        logs.event(LOGGER, logging.INFO, "it_happened", value=value)
        assert "it_happened" in stream.getvalue()


def test_libraries_are_heard_from_warning_on_even_when_debugging() -> None:
    stream = configured(LogFormat.JSON, "debug")

    logging.getLogger("botocore.endpoint").debug("Authorization: %s", "secret")
    logging.getLogger("botocore.endpoint").warning("connection pool is %s", "full")
    logs.event(LOGGER, logging.DEBUG, "detail")

    foreign, own = lines_of(stream)
    assert (foreign["event"], foreign["message"]) == (logs.FOREIGN_EVENT, "connection pool is full")
    assert own["event"] == "detail"


def test_debug_lines_are_not_shown_by_default() -> None:
    stream = configured(LogFormat.JSON)

    logs.event(LOGGER, logging.DEBUG, "detail")

    assert stream.getvalue() == ""


def test_configuring_again_replaces_what_was_there() -> None:
    before = configured(LogFormat.JSON)
    after = configured(LogFormat.JSON)

    logs.event(LOGGER, logging.INFO, "it_happened")

    assert before.getvalue() == ""
    assert len(lines_of(after)) == 1

"""Logging: constant event names with fields, one JSON object a line, or text for people.

An event name is a constant in snake_case, so that all lines of one kind are found by one search; whatever
varies goes into a field of `fields.LogFields`. Untrusted text never becomes a format string.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TextIO, Unpack

import orjson

from lbcontroller.telemetry.fields import LogFields

ROOT: Final = "lbcontroller"
"""Parent of every logger of this package."""

FOREIGN_EVENT: Final = "library_message"
"""Event name of lines that a library logged."""

_FIELDS_ATTRIBUTE: Final = "lbcontroller_fields"


class LogFormat(StrEnum):
    """How a log line looks."""

    JSON = "json"
    CONSOLE = "console"


def configure(level: str, log_format: LogFormat, stream: TextIO | None = None) -> None:
    """Send every log line of this process to `stream`, by default standard error.

    Libraries are shown from WARNING on whatever `level` is: botocore and urllib3 print request headers and
    bodies at DEBUG, and those carry credentials.

    Args:
        level: the least level shown of our own lines, such as `info` or `debug`.
        log_format: how lines look.
        stream: where lines go.
    """
    target = logging.StreamHandler(sys.stderr if stream is None else stream)
    target.setFormatter(JsonFormatter() if log_format is LogFormat.JSON else ConsoleFormatter())
    root = logging.getLogger()
    for previous in root.handlers[:]:
        root.removeHandler(previous)
    root.addHandler(target)
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())


def event(
    logger: logging.Logger,
    level: int,
    name: str,
    *,
    traceback_of: BaseException | None = None,
    **fields: Unpack[LogFields],
) -> None:
    """Log one event.

    Args:
        logger: the module's logger.
        level: a level of `logging`.
        name: the event, a constant in snake_case.
        traceback_of: an exception whose traceback is logged too: for bugs only.
        fields: what varies.
    """
    logger.log(level, name, exc_info=traceback_of, extra={_FIELDS_ATTRIBUTE: fields})


def _content(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    fields = getattr(record, _FIELDS_ATTRIBUTE, None)
    if fields is None:
        return FOREIGN_EVENT, {"message": record.getMessage()}
    return str(record.msg), fields


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `event`, then the fields, then `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`; values that JSON does not know are shown as their text."""
        name, fields = _content(record)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": name,
            **fields,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _to_json(line)


class ConsoleFormatter(logging.Formatter):
    """Time, level, event and `field=value` pairs, for people who watch a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of `record`; control characters in values are escaped."""
        name, fields = _content(record)
        shown = [f"{field}={_shown(value)}" for field, value in fields.items()]
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        line = " ".join((time, f"{record.levelname:<7}", name, *shown))
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _shown(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and text and not set(' "=') & set(text) else json.dumps(text)


def _to_json(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # lone surrogates and integers beyond 64 bits: rare, and no reason to lose a line
        return json.dumps(line, default=str)

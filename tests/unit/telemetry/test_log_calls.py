"""Every log call of the package keeps to the closed lists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from lbcontroller.telemetry.fields import FIELD_NAMES
from tests.support.source import Module, modules

EXEMPT = ("telemetry/logs.py", "local/")
"""Where `event` is defined; and the embedded servers, which are no part of the controller."""
DIRECT_CALLS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


@dataclass(frozen=True, kw_only=True)
class Call:
    where: str
    call: ast.Call
    event_is_ours: bool
    """Whether the module imported `event` itself."""

    @property
    def logs_an_event(self) -> bool:
        match self.call.func:
            case ast.Attribute(value=ast.Name(id="logs"), attr="event"):
                return True
            case ast.Name(id="event"):
                return self.event_is_ours
            case _:
                return False


@cache
def calls() -> tuple[Call, ...]:
    return tuple(
        call for module in modules() if not module.where.startswith(EXEMPT) for call in calls_in(module)
    )


def calls_in(module: Module) -> Iterator[Call]:
    event_is_ours = "lbcontroller.telemetry.logs.event" in module.imports()
    for node in module.nodes:
        if isinstance(node, ast.Call):
            yield Call(where=f"{module.where}:{node.lineno}", call=node, event_is_ours=event_is_ours)


def event_calls() -> list[Call]:
    return [each for each in calls() if each.logs_an_event]


def is_direct_call(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id=name), attr=attribute):
            return attribute in DIRECT_CALLS and name.lower().strip("_") in {"log", "logger", "logging"}
        case _:
            return False


def test_the_package_logs_at_all() -> None:
    assert event_calls()


def test_lines_are_logged_through_the_one_helper_only() -> None:
    assert [each.where for each in calls() if is_direct_call(each.call)] == []


def test_event_names_are_constants_in_snake_case() -> None:
    wrong = []
    for each in event_calls():
        name = each.call.args[2] if len(each.call.args) == 3 else None
        constant = name.value if isinstance(name, ast.Constant) else None
        if not (isinstance(constant, str) and re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", constant)):
            wrong.append(each.where)
    assert wrong == []


def test_fields_are_from_the_closed_list() -> None:
    allowed = FIELD_NAMES | {"traceback_of"}
    wrong = [
        f"{each.where} {keyword.arg}"
        for each in event_calls()
        for keyword in each.call.keywords
        if keyword.arg not in allowed
    ]
    assert wrong == []

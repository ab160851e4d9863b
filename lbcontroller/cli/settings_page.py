"""The reference page of the flags of `lbcontroller run`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo

from lbcontroller.cli.flags import duration_text, environment_variable, flag_name
from lbcontroller.cli.markdown import GENERATED, code, one_line, table
from lbcontroller.settings import (
    NOT_BUILT_YET,
    Boolean,
    FeatureGates,
    Items,
    Pairs,
    Seconds,
    Settings,
    ThrottleRules,
    Workers,
)

_INTRODUCTION: Final = """\
# Settings

`lbcontroller run` takes each setting as a flag, or from its environment variable; a flag wins. Names and
defaults are those of the AWS Load Balancer Controller (LBC), so the arguments of an existing install go on
working. Where a default differs the description says what it is in LBC, and "(ours)" marks a setting that LBC
does not have. An unknown flag and a bad value end the program at once, with all problems named.

How values are written:

- boolean: `true` or `false`; a flag without a value is `true`.
- duration: `30s`, `2m`, `1h30m`, `500ms`.
- list: items between commas.
- map: `key=value` items between commas. Lists and maps may be given several times.
- throttle rules: `service:operation-pattern=rate:burst` items between commas; the rate is in calls a second.
"""
_KINDS: Final = (
    (Boolean, "boolean"),
    (Seconds, "duration"),
    (Items, "list"),
    (Pairs, "map"),
    (ThrottleRules, "throttle rules"),
    (Workers, "integer, at least 1"),
)


def settings_page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield GENERATED
    yield ""
    yield _INTRODUCTION
    yield "## Flags"
    yield ""
    hints = get_type_hints(Settings, include_extras=True)
    yield from table(
        ("Flag", "Environment variable", "Type", "Default", "Meaning"),
        (_flag_row(name, info, hints[name]) for name, info in Settings.model_fields.items()),
    )
    yield "## Feature gates"
    yield ""
    yield "Given as `--feature-gates=Name=true,Other=false`."
    yield ""
    yield from table(
        ("Gate", "Default", "Meaning"), (_gate_row(info) for info in FeatureGates.model_fields.values())
    )


def _flag_row(name: str, info: FieldInfo, hint: Any) -> Iterator[str]:
    flag = flag_name(name)
    yield code(f"--{flag}")
    yield code(environment_variable(name))
    yield _kind(hint)
    yield _default(info, hint)
    yield _meaning(info, flag)


def _gate_row(info: FieldInfo) -> Iterator[str]:
    yield code(info.alias or "")
    yield code(str(info.default).lower())
    yield _meaning(info, f"feature-gates={info.alias}")


def _meaning(info: FieldInfo, setting: str) -> str:
    feature = NOT_BUILT_YET.get(setting)
    note = f" Accepted, and without effect until this is built: {feature}." if feature else ""
    return one_line(info.description) + note


def _kind(hint: Any) -> str:
    for alias, kind in _KINDS:
        if hint == alias:
            return kind
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if get_origin(plain) is Literal:
        return " or ".join(code(choice) for choice in get_args(plain))
    if issubclass(plain, StrEnum):
        return " or ".join(code(choice) for choice in plain)
    return {int: "integer", float: "number", str: "text", FeatureGates: "map of booleans"}[plain]


def _default(info: FieldInfo, hint: Any) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True)
    if isinstance(default, Mapping | tuple | FeatureGates) or default == "":
        return ""
    if isinstance(default, bool):
        return code(str(default).lower())
    return code(duration_text(default) if hint == Seconds else str(default))

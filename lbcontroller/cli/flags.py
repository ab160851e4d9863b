"""The flags of `lbcontroller run`, made from the settings: names, environment variables, help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, get_type_hints

import click
from pydantic.fields import FieldInfo

from lbcontroller.settings import Seconds, Settings

ENVIRONMENT_PREFIX: Final = "LBCONTROLLER_"
"""`LBCONTROLLER_CLUSTER_NAME` is `--cluster-name`."""
_UNITS: Final = ((3600, "h"), (60, "m"))
_TYPES: Final = get_type_hints(Settings, include_extras=True)


def options() -> Iterator[click.Option]:
    """Yield one command-line option for each setting, in the order they are declared."""
    for name, info in Settings.model_fields.items():
        yield click.Option(
            [f"--{flag_name(name)}"],
            type=str,
            is_flag=False,
            flag_value="true" if info.annotation is bool else None,
            multiple=_is_list(info),
            envvar=environment_variable(name),
            help=_help(name, info),
            metavar=_metavar(info),
        )


def flag_name(field: str) -> str:
    """Return the flag of a setting, without the dashes in front."""
    return field.replace("_", "-")


def environment_variable(field: str) -> str:
    """Return the environment variable of a setting."""
    return ENVIRONMENT_PREFIX + field.upper()


def wire_values(given: Mapping[str, str | Sequence[str] | None]) -> Mapping[str, str]:
    """Return the values that were given, by flag name; a list given several times is one list."""
    return {
        flag_name(field): value if isinstance(value, str) else ",".join(value)
        for field, value in given.items()
        if value is not None and value != ()
    }


def duration_text(seconds: float) -> str:
    """Return a duration as a flag takes it, such as `16m40s`."""
    rest, text = seconds, ""
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        text += f"{count:.0f}{unit}" if count else ""
    return text + (f"{rest:g}s" if rest or not text else "")


def _is_list(info: FieldInfo) -> bool:
    return isinstance(info.get_default(call_default_factory=True), tuple | dict)


def _metavar(info: FieldInfo) -> str:
    default = info.get_default(call_default_factory=True)
    if isinstance(default, dict):
        return "KEY=VALUE,…"
    if isinstance(default, tuple):
        return "VALUE,…"
    return "BOOLEAN" if info.annotation is bool else "VALUE"


def _help(name: str, info: FieldInfo) -> str:
    text = " ".join((info.description or "").split())
    if info.is_required():
        return f"{text} [required]"
    default = info.get_default(call_default_factory=True)
    if default is None or default in ("", (), {}) or not isinstance(default, str | int | float | bool):
        return text
    return f"{text} [default: {_shown(name, default)}]"


def _shown(name: str, default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float) and _TYPES[name] == Seconds:
        return duration_text(default)
    return str(default)

"""The flags of `lbcontroller run`, made from the settings: names, environment variables, help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import click
from pydantic.fields import FieldInfo

from lbcontroller.settings import Settings

ENVIRONMENT_PREFIX: Final = "LBCONTROLLER_"
"""`LBCONTROLLER_CLUSTER_NAME` is `--cluster-name`."""


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
            help=_help(info),
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


def _is_list(info: FieldInfo) -> bool:
    return isinstance(info.get_default(call_default_factory=True), tuple | dict)


def _metavar(info: FieldInfo) -> str:
    default = info.get_default(call_default_factory=True)
    if isinstance(default, dict):
        return "KEY=VALUE,…"
    if isinstance(default, tuple):
        return "VALUE,…"
    return "BOOLEAN" if info.annotation is bool else "VALUE"


def _help(info: FieldInfo) -> str:
    text = " ".join((info.description or "").split())
    if info.is_required():
        return f"{text} [required]"
    default = info.get_default(call_default_factory=True)
    if default is None or default in ("", (), {}) or not isinstance(default, str | int | float | bool):
        return text
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return f"{text} [default: {shown}]"

"""How a flag's value is written on the command line, and what it is read as."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple, TypeAlias

from pydantic import BeforeValidator, Field

_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_UNIT_SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", re.ASCII)


class ThrottleRule(NamedTuple):
    """A client-side limit on calls to one AWS service."""

    service: str
    """Service id as in the AWS SDKs, such as `Elastic Load Balancing v2`."""
    operations: str
    """Regular expression searched in the operation's name."""
    rate: float
    """Calls a second."""
    burst: int


def _boolean(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ValueError("must be true or false")


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    parts = list(_DURATION_PART.finditer(value))
    if value == "0":
        return 0.0
    if not parts or "".join(part[0] for part in parts) != value:
        raise ValueError("must be a duration such as 30s, 2m or 1h30m")
    return sum(float(part[1]) * _UNIT_SECONDS[part[2]] for part in parts)


def _items(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(item for item in next(csv.reader([value]), []) if item)


def key_value_pairs(value: object) -> object:
    """Return `key=value` items between commas as a mapping; what is no text is returned as it is."""
    if not isinstance(value, str):
        return value
    # One "=" means one pair, whose value may contain commas: so it is in the flag syntax we follow.
    items = [value] if value.count("=") == 1 else next(csv.reader([value]), [])
    pairs = [item.partition("=") for item in items]
    if not all(separator and key.strip() for key, separator, _ in pairs):
        raise ValueError("must be a list such as key=value,key2=value2")
    return {key.strip(): text for key, _, text in pairs}


def _throttle_rules(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(_throttle_rule(item) for item in value.split(",") if item)


def _throttle_rule(item: str) -> ThrottleRule:
    try:
        selector, limits = item.split("=")
        service, operations = selector.split(":")
        rate, burst = limits.split(":")
        re.compile(operations)
        rule = ThrottleRule(service, operations, float(rate), int(burst))
    except (ValueError, re.error) as error:
        raise ValueError("must be a list such as service:operation-pattern=rate:burst") from error
    if rule.rate <= 0 or rule.burst <= 0:
        raise ValueError("must have rates and bursts above 0")
    return rule


Boolean: TypeAlias = Annotated[bool, BeforeValidator(_boolean)]
Seconds: TypeAlias = Annotated[float, BeforeValidator(_seconds), Field(ge=0, allow_inf_nan=False)]
Items: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_items)]
Pairs: TypeAlias = Annotated[Mapping[str, str], BeforeValidator(key_value_pairs)]
Workers: TypeAlias = Annotated[int, Field(ge=1)]
ThrottleRules: TypeAlias = Annotated[tuple[ThrottleRule, ...], BeforeValidator(_throttle_rules)]

"""What a rule of a listener is for, said as plainly as possible, to compare the product with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import assert_never

from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    MethodCondition,
    PathCondition,
    QueryCondition,
    SourceCondition,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request of a client."""

    host: str
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Sequence[tuple[str, str]] = ()
    source: str = "192.0.2.1"


def first_match(rules: Iterable[Sequence[Condition]], request: Request) -> int | None:
    """Return the place of the first rule that a request meets, or None."""
    return next((place for place, conditions in enumerate(rules) if meets(conditions, request)), None)


def meets(conditions: Sequence[Condition], request: Request) -> bool:
    """Whether a request meets all conditions."""
    return all(_meets(condition, request) for condition in conditions)


def _meets(condition: Condition, request: Request) -> bool:
    match condition:
        case HostCondition(values=values, regexes=regexes):
            host = request.host.lower()
            return _fits(host, [value.lower() for value in values]) or _found(host, regexes)
        case PathCondition(values=values, regexes=regexes):
            return _fits(request.path, values) or _found(request.path, regexes)
        case HeaderCondition(name=name, values=values, regexes=regexes):
            given = request.headers.get(name)
            return given is not None and (_fits(given, values) or _found(given, regexes))
        case MethodCondition(values=values):
            return request.method in values
        case QueryCondition(values=pairs):
            return any(
                (pair.key is None or _fits(key, [pair.key])) and _fits(value, [pair.value])
                for pair in pairs
                for key, value in request.query
            )
        case SourceCondition(cidrs=cidrs):
            return any(ip_address(request.source) in ip_network(cidr) for cidr in cidrs)
        case _:
            assert_never(condition)


def _fits(text: str, patterns: Iterable[str]) -> bool:
    return any(
        re.fullmatch("".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern), text)
        for pattern in patterns
    )


def _found(text: str, regexes: Iterable[str]) -> bool:
    return any(re.search(regex, text) for regex in regexes)

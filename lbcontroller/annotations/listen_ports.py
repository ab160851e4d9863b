"""The JSON of `listen-ports`: the listeners of a load balancer, as one Ingress wants them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from lbcontroller.annotations.codecs import Codec, Fault, Unreadable
from lbcontroller.annotations.ingress_formats import ALB_PROTOCOLS
from lbcontroller.annotations.json_objects import ARRAY_PATTERN, read_json, shown
from lbcontroller.errors import did_you_mean
from lbcontroller.model.enums import Protocol


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ListenPort:
    """A listener."""

    port: int
    protocol: Protocol


_SHAPE: Final = TypeAdapter(list[dict[str, Any]])
_LAST_PORT: Final = 65535


def _read(raw: str) -> tuple[ListenPort, ...]:
    items = read_json(_SHAPE, raw)
    entries = [(index, *pair) for index, item in enumerate(items) for pair in item.items()]
    if not entries:
        raise Unreadable(Fault("must not be empty", 'write [{"HTTP": 80}, {"HTTPS": 443}]'))
    faults: list[Fault] = []
    by_port: dict[int, Protocol] = {}
    for index, protocol, port in entries:
        if protocol not in ALB_PROTOCOLS:
            hint = did_you_mean(protocol, map(str, ALB_PROTOCOLS))
            faults.append(Fault(f"[{index}].{protocol} must be HTTP or HTTPS", hint))
        elif isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= _LAST_PORT:
            faults.append(
                Fault(f"[{index}].{protocol} must be a number from 1 to {_LAST_PORT}, not {shown(port)}")
            )
        elif by_port.setdefault(port, Protocol(protocol)) != protocol:
            faults.append(
                Fault(f"[{index}].{protocol} must be another port: {port} is {by_port[port]} already")
            )
    if faults:
        raise Unreadable(*faults)
    return tuple(ListenPort(protocol=protocol, port=port) for port, protocol in by_port.items())


LISTEN_PORTS: Final[Codec[tuple[ListenPort, ...]]] = Codec(
    kind="JSON",
    limits='an array such as `[{"HTTP": 80}, {"HTTPS": 443}]`',
    pattern=ARRAY_PATTERN,
    decode=_read,
    encode=lambda ports: json.dumps([{listener.protocol: listener.port} for listener in ports]),
)
"""In the order of the annotation, each port once."""

"""Eventual consistency: what was just made may be missing from the next answers.

AWS says so of EC2 ("Ensuring idempotency and eventual consistency"); its load balancing API behaves alike.
Only looks at new things are affected: what a look finds is as it is now.
"""

from __future__ import annotations

import json
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lbcontroller.local.aws.faults import ErrorReply
from lbcontroller.local.aws.recorder import Request
from lbcontroller.local.aws.wire import Reply

_OK: Final = 200
_MADE_BY: Final = frozenset(
    {"CreateListener", "CreateLoadBalancer", "CreateRule", "CreateSecurityGroup", "CreateTargetGroup"}
)
_ID: Final = re.compile(
    rb"<(?:LoadBalancerArn|TargetGroupArn|ListenerArn|RuleArn|groupId)>([^<]+)</[A-Za-z]+>", re.ASCII
)
_KIND: Final = re.compile(r":(loadbalancer|targetgroup|listener|listener-rule)/")
_NOT_FOUND: Final = {
    "loadbalancer": "LoadBalancerNotFound",
    "targetgroup": "TargetGroupNotFound",
    "listener": "ListenerNotFound",
    "listener-rule": "RuleNotFound",
}
_GROUP_NOT_FOUND: Final = "InvalidGroup.NotFound"
_ENTRIES: Final = ("member", "item")
"""Elements that stand for one thing in a list: of the query protocol, and of EC2."""


@dataclass(slots=True)
class LateSight:
    """Hides each new thing from the first looks at it. Safe for threads."""

    looks: int
    """How many requests that would show a thing do not."""
    _left: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refusal(self, request: Request) -> ErrorReply | None:
        """Return the answer to a look that names what cannot be seen yet; None for any other request."""
        if request.mutating:
            return None
        with self._lock:
            for named in _texts(request.params):
                if self._left.get(named, 0) > 0:
                    self._left[named] -= 1
                    return ErrorReply(code=_not_found(named), message=f"{named} cannot be found")
        return None

    def seen(self, request: Request, reply: Reply) -> Reply:
        """Return an answer as it is seen, and remember what a request made."""
        if reply.status != _OK:
            return reply
        if request.operation in _MADE_BY:
            self._remember(request, reply)
            return reply
        return reply if request.mutating else self._without_new(reply)

    def _remember(self, request: Request, reply: Reply) -> None:
        """Note what an answer names and its request did not: that is new, unless it was made before."""
        given = set(_texts(request.params))
        with self._lock:
            for found in _ID.findall(reply.body):
                if (name := found.decode()) not in given:
                    self._left.setdefault(name, self.looks)

    def _without_new(self, reply: Reply) -> Reply:
        with self._lock:
            hidden = {name for name, left in self._left.items() if left > 0 and name.encode() in reply.body}
            if not hidden:
                return reply
            for name in hidden:
                self._left[name] -= 1
        return replace(reply, body=_pruned(reply.body, hidden), headers=_without_length(reply))


def _pruned(body: bytes, hidden: set[str]) -> bytes:
    if body.startswith(b"{"):
        return json.dumps(_pruned_json(json.loads(body), hidden)).encode()
    tree = ET.fromstring(body)  # noqa: S314 - our own answer
    _prune(tree, hidden)
    return ET.tostring(tree)


def _pruned_json(value: Any, hidden: set[str]) -> Any:
    """Return JSON without the entries of lists that are about something hidden."""
    if isinstance(value, dict):
        return {key: _pruned_json(part, hidden) for key, part in value.items()}
    if isinstance(value, list):
        return [part for part in value if not (isinstance(part, dict) and hidden.intersection(_own(part)))]
    return value


def _own(entry: Mapping[str, Any]) -> Iterator[str]:
    return (part for part in entry.values() if isinstance(part, str))


def _prune(element: ET.Element, hidden: set[str]) -> None:
    """Take the outermost entries of lists out that are about something hidden."""
    for child in list(element):
        if child.tag.rpartition("}")[2] in _ENTRIES and _names(child) & hidden:
            element.remove(child)
        else:
            _prune(child, hidden)


def _names(entry: ET.Element) -> set[str]:
    """Return the ids directly in an entry: what is only referred to deeper down does not hide it."""
    return {part.text or "" for part in entry}


def _not_found(name: str) -> str:
    kind = _KIND.search(name)
    return _NOT_FOUND[kind.group(1)] if kind else _GROUP_NOT_FOUND


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in parameters, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)


def _without_length(reply: Reply) -> tuple[tuple[str, str], ...]:
    return tuple((name, text) for name, text in reply.headers if name.lower() != "content-length")

"""The audit log of a real API server: who asked for what, and what was answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from lbcontroller.local.apiserver import Request

_METHODS: Final = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}
_DECISION: Final = "authorization.k8s.io/decision"
_BEGUN, _ENDED = "ResponseStarted", "ResponseComplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One request of somebody."""

    user: str
    request: Request
    is_forbidden: bool
    """Whether no role of the user allows it; an admission webhook may have refused it all the same."""


class AuditLog:
    """The requests that were answered since the log was last forgotten (watches: begun)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin = 0
        self.forget()

    def forget(self) -> None:
        self._begin = self._path.stat().st_size

    def read(self) -> Iterator[Audited]:
        with self._path.open("rb") as log:
            log.seek(self._begin)
            for line in log:
                if not line.endswith(b"\n"):
                    return  # still being written
                event = orjson.loads(line)
                is_watch = event["verb"] == "watch"
                # A refused watch does not begin, it ends.
                begins = event["stage"] == _BEGUN
                refused = event["stage"] == _ENDED and event["responseStatus"]["code"] >= 300
                if refused or begins == is_watch:
                    yield _audited(event)


def _audited(event: dict[str, Any]) -> Audited:
    url = urlsplit(event["requestURI"])
    return Audited(
        user=event["user"]["username"],
        is_forbidden=event.get("annotations", {}).get(_DECISION) == "forbid",
        request=Request(
            method=_METHODS.get(event["verb"], "GET"),
            path=url.path,
            query=url.query,
            user_agent=event.get("userAgent", ""),
            content_type="",
            status=event["responseStatus"]["code"],
        ),
    )

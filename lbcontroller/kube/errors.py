"""What answers of the API server mean, classed by who must act next.

| answer                          | raised           | who acts                                              |
|---------------------------------|------------------|-------------------------------------------------------|
| no answer                       | `Away`           | the API server                                        |
| 5xx, 408, 410, 429              | `Transient`      | the API server                                        |
| 404                             | `NotFound`       | nobody: the caches will report the deletion           |
| 409                             | `Conflict`       | nobody: the next attempt reads the newer object       |
| namespace is being terminated   | `NotReady`       | nobody: what is in it will be deleted                 |
| 401, 403                        | `Denied`         | the administrator: the role lacks the permission      |
| refused by an admission webhook | `Denied`         | the administrator: a policy of the cluster            |
| any other 4xx, 3xx              | `Rejected`       | us: the request is wrong, which is a bug              |

`Away`, `NotFound` and `Conflict` are `Transient`, so whoever does not care is asked again with newer facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from lbcontroller.errors import Denied, LbControllerError, NotReady, Transient

TERMINATING_RETRY_SECONDS: Final = 30.0
"""A namespace is emptied in seconds to minutes, and its objects' deletions wake us before that."""

AWAY_SECONDS: Final = 4.0
"""An API server that was away is asked again within five seconds after it is back, by the slowest of us."""

_TRANSIENT_STATUSES: Final = frozenset({408, 410, 429})
_DENIED_STATUSES: Final = frozenset({401, 403})
_ADMISSION_PREFIX: Final = "admission webhook "
_SHOWN_CHARACTERS: Final = 500
"""Enough for any message of the API server; an error page of a proxy would fill events and logs."""


class Away(Transient):
    """The API server gave no answer at all. To ask one that is away costs nobody anything."""

    longest_wait = AWAY_SECONDS


class NotFound(Transient):
    """The object, or what it must live in, does not exist."""


class Conflict(Transient):
    """Someone else wrote first, or an object of that name exists already."""


class Rejected(Exception):  # noqa: N818 - named for what the API server did
    """The API server will never accept this request as it is.

    That is a bug of this program, and treated as one: hence no `LbControllerError`.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An answer that is not a success."""

    status: int
    message: str
    causes: tuple[str, ...] = ()
    """The reasons of `details.causes`."""

    @classmethod
    def from_answer(cls, status: int, body: bytes) -> Failure:
        """Read an answer; a body that is no `Status` object is shown as it is."""
        try:
            decoded = orjson.loads(body)
        except orjson.JSONDecodeError:
            decoded = None
        if not isinstance(decoded, dict):
            return cls(status=status, message=body.decode(errors="replace")[:_SHOWN_CHARACTERS])
        return cls.from_status(status, decoded)

    @classmethod
    def from_status(cls, status: int, decoded: dict[str, Any]) -> Failure:
        """Read a `Status` object."""
        details = decoded.get("details") or {}
        return cls(
            status=status,
            message=str(decoded.get("message") or "")[:_SHOWN_CHARACTERS],
            causes=tuple(str(cause.get("reason")) for cause in details.get("causes") or ()),
        )


OF_ONE_OBJECT: Final = (Denied, Conflict, Rejected)
"""What is raised when the API server does not take a write to one object, which says nothing about others."""


def error_of(failure: Failure, action: str) -> LbControllerError | Rejected:
    """Return what to raise for a failed `action`, such as `patch services/status`: the table above."""
    status, told = failure.status, f"{action}: {failure.status} {failure.message}"
    if "NamespaceTerminating" in failure.causes:
        return NotReady(told, retry_after=TERMINATING_RETRY_SECONDS)
    if failure.message.startswith(_ADMISSION_PREFIX) or status in _DENIED_STATUSES:
        return Denied(action, failure.message)
    if status >= 500 or status in _TRANSIENT_STATUSES:  # noqa: PLR2004 - server errors by HTTP's definition
        return Transient(told)
    match status:
        case 404:
            return NotFound(told)
        case 409:
            return Conflict(told)
        case _:
            return Rejected(told)

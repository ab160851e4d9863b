"""What tests and the demo do with a cluster's API server, whichever it is.

There are two: the embedded one, and in tests a real kube-apiserver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from lbcontroller.local.apiserver.faults import Match, Request
from lbcontroller.local.apiserver.objects import JsonObject
from lbcontroller.local.apiserver.resources import Subresource

JsonObjects: TypeAlias = list[JsonObject]


class Kubernetes(Protocol):
    """An API server with an administrator's hands on it, whose Deployments and Services come to life.

    All methods take and return plain objects, and raise ApiError where a client gets a Status. `kind`
    arguments take a kind, a plural, a short name or `plural.group`.
    """

    def write_kubeconfig(self, path: Path) -> None:
        """Write how the controller gets to the server."""

    def create(self, obj: JsonObject) -> JsonObject:
        """Create an object and return it as stored; a namespaced one without namespace goes to `default`."""

    def seed(self, obj: JsonObject) -> JsonObject:
        """Create an object together with its status."""

    def update_status(self, obj: JsonObject) -> JsonObject:
        """Replace the status of an object; refused when it changed since `obj` was read."""

    def apply(self, obj: JsonObject, *, manager: str = "local", force: bool = True) -> JsonObject:
        """Apply a configuration server-side as `manager`, over what others applied when `force` is set."""

    def patch(
        self,
        kind: str,
        name: str,
        change: Any,
        *,
        namespace: str = "default",
        part: Subresource = Subresource.MAIN,
    ) -> JsonObject:
        """Patch an object: a list is a JSON patch, a mapping a merge patch."""

    def get(self, kind: str, name: str, *, namespace: str = "default") -> JsonObject:
        """Return an object; raises ApiError (NotFound)."""

    def find(self, kind: str, name: str, *, namespace: str = "default") -> JsonObject | None:
        """Return an object, or None when it is not there."""

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> JsonObjects:
        """Return the objects of one namespace, or of all with None, that the selectors select."""

    def delete(
        self, kind: str, name: str, *, namespace: str = "default", grace_seconds: int | None = None
    ) -> None:
        """Delete an object, or mark it when finalizers or the grace of a Pod hold it; 0: without grace."""

    def finish_terminating(self) -> int:
        """Take terminating Pods away before their grace is over; return how many left."""

    def one_step(self) -> AbstractContextManager[None]:
        """Let the cluster's controllers see several writes at once."""

    def wait_for(self, predicate: Callable[[], bool], *, timeout: float = 10) -> None:
        """Wait until `predicate` holds; raises TimeoutError when it does not within `timeout` seconds."""

    @property
    def requests(self) -> Sequence[Request]:
        """The requests that others made over HTTP so far, in the order they were answered."""

    def forget_requests(self) -> None:
        """Start the list of requests anew."""

    def refuse(self, match: Match, *, code: int, times: int = 1) -> None:
        """Answer the next `times` matching requests with `code` instead of doing them."""

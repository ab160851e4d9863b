"""The embedded API server as one object: HTTP for clients, direct calls for tests and the demo."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

import yaml

from lbcontroller.local.apiserver import ingresses
from lbcontroller.local.apiserver.admission import Admission
from lbcontroller.local.apiserver.allocation import ServiceAllocations
from lbcontroller.local.apiserver.api import Api
from lbcontroller.local.apiserver.conversion import to_served
from lbcontroller.local.apiserver.faults import Cut, Match, Refusal, Request
from lbcontroller.local.apiserver.kubelet import WorkloadSettings
from lbcontroller.local.apiserver.lifecycle import Definitions, GarbageCollector, Namespaces
from lbcontroller.local.apiserver.objects import JsonObject, copy_of, metadata, timestamp
from lbcontroller.local.apiserver.patch import PatchType
from lbcontroller.local.apiserver.requests import DeleteOptions, Location, Selection, WriteOptions
from lbcontroller.local.apiserver.resources import Registry, Subresource
from lbcontroller.local.apiserver.selectors import parse_fields, parse_labels
from lbcontroller.local.apiserver.server import HttpServer, Observed
from lbcontroller.local.apiserver.store import HISTORY, Store, Stored
from lbcontroller.local.apiserver.workloads import Workloads

JsonObjects: TypeAlias = list[JsonObject]

_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServerSettings:
    """How an embedded API server behaves."""

    port: int = 0
    """Where to listen on 127.0.0.1; 0 for a free port."""
    token: str = field(default="", repr=False)
    """What clients must bring, in the path of the URL or as bearer token; empty lets everybody in."""
    service_cidrs: tuple[str, ...] = ("10.96.0.0/16",)
    """Ranges of cluster IPs: one, or one of each family for a dual-stack cluster."""
    workloads: WorkloadSettings | None = None
    """How fake controllers bring Deployments, Pods and EndpointSlices to life; None for no controllers."""
    stores_ip_mode: bool = True
    """Whether addresses of load balancers keep their `ipMode`, as from Kubernetes 1.30 on."""
    history: int = HISTORY
    """Changes of each resource that a watch can resume from."""


def random_token() -> str:
    """Return a new bearer token."""
    return secrets.token_urlsafe(24)


class LocalApiServer:
    """An API server, serving clients from a thread of its own while it is entered as a context manager.

    Direct calls work without that, too: such a server opens no socket.

    All methods may be called from any thread, take and return plain objects (copies), and raise ApiError
    where a client gets a Status. `kind` arguments take a kind, a plural, a short name or `plural.group`.
    """

    def __init__(self, settings: ApiServerSettings | None = None) -> None:
        """Prepare a server with the standard namespaces; it listens once started."""
        self.settings = settings or ApiServerSettings()
        self._store = Store(history=self.settings.history)
        allocations = ServiceAllocations(self.settings.service_cidrs)
        self._store.subscribe(allocations.follow)
        admission = Admission(
            allocations, _now, self._ingress_classes, stores_ip_mode=self.settings.stores_ip_mode
        )
        self._api = Api(store=self._store, registry=Registry(), admission=admission, now=_now)
        self._api.react(Definitions(self._api))
        self._api.react(Namespaces(self._api))
        self.workloads: Workloads | None = None
        if self.settings.workloads is not None:
            self._api.react(GarbageCollector(self._api))
            self.workloads = Workloads(self._api, self.settings.workloads)
            self._api.react(self.workloads)
        self._observed = Observed()
        self._http = HttpServer(self._api, token=self.settings.token, observed=self._observed)
        self._thread: threading.Thread | None = None
        self._step = threading.local()
        """Has `entered` set in a thread that is within `one_step`."""
        for name in _NAMESPACES:
            self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def __enter__(self) -> Self:
        """Listen; raises OSError when the port is taken."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local-apiserver", daemon=True)
        self._thread.start()
        try:
            self._on_loop(self._http.start(self.settings.port))
        except OSError:
            self._end_thread()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Break all connections and end the thread."""
        if self.workloads is not None:
            self.workloads.kubelet.stop()
        self._on_loop(self._http.stop())
        self._end_thread()

    def _ingress_classes(self) -> list[JsonObject]:
        return [stored.object for stored in self._store.objects(ingresses.CLASSES_STORAGE)]

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._loop.close()

    def _on_loop(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # --- what clients need -------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where clients find the server: `http://127.0.0.1:40123`, with `/<token>` behind it if needed."""
        prefix = f"/{self.settings.token}" if self.settings.token else ""
        return f"http://{self._http.address}{prefix}"

    def kubeconfig(self) -> JsonObject:
        """Return a kubeconfig for the server."""
        context = {"cluster": "local", "user": "local", "namespace": "default"}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "local",
            "clusters": [{"name": "local", "cluster": {"server": self.url}}],
            "users": [{"name": "local", "user": {}}],
            "contexts": [{"name": "local", "context": context}],
        }

    def write_kubeconfig(self, path: Path) -> None:
        """Write the kubeconfig where only its owner can read it."""
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(self.kubeconfig(), sort_keys=False), encoding="utf-8")

    # --- direct access ------------------------------------------------------------------------------------

    def _tell_watches(self) -> None:
        """Let watches send what happened before a write: while webhooks are asked about it, they cannot."""
        reachable = self._thread is not None and self._thread is not threading.current_thread()
        if reachable and self._api.has_webhooks and not getattr(self._step, "entered", False):
            self._on_loop(self._http.streams.flushed())

    def create(self, obj: JsonObject) -> JsonObject:
        """Create an object and return it as stored; a namespaced one without namespace goes to `default`."""
        self._tell_watches()
        at = self._location_of(obj)
        return self._served(at, self._api.create(at, copy_of(obj), WriteOptions()).stored)

    def seed(self, obj: JsonObject) -> JsonObject:
        """Create an object together with its status, which no client can do in one step."""
        at = self._location_of(obj)
        return self._served(at, self._api.create(at, copy_of(obj), WriteOptions(keeps_status=True)).stored)

    def update(self, obj: JsonObject) -> JsonObject:
        """Replace an object, all but its status; refused when it changed since `obj` was read."""
        self._tell_watches()
        at = self._location_of(obj)
        return self._served(at, self._api.update(at, copy_of(obj), WriteOptions()).stored)

    def update_status(self, obj: JsonObject) -> JsonObject:
        """Replace the status of an object; refused when it changed since `obj` was read."""
        at = replace(self._location_of(obj), subresource=Subresource.STATUS)
        return self._served(at, self._api.update(at, copy_of(obj), WriteOptions()).stored)

    def apply(self, obj: JsonObject, *, manager: str = "local", force: bool = True) -> JsonObject:
        """Apply a configuration server-side as `manager`, over what others applied when `force` is set."""
        self._tell_watches()
        at = self._location_of(obj)
        options = WriteOptions(manager=manager, force=force)
        return self._served(at, self._api.patch(at, PatchType.APPLY, copy_of(obj), options).stored)

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
        self._tell_watches()
        at = replace(self._location(kind, name, namespace), subresource=part)
        patch_type = PatchType.JSON if isinstance(change, list) else PatchType.MERGE
        return self._served(at, self._api.patch(at, patch_type, copy_of(change), WriteOptions()).stored)

    def get(self, kind: str, name: str, *, namespace: str = "default") -> JsonObject:
        """Return an object; raises ApiError (NotFound)."""
        at = self._location(kind, name, namespace)
        return self._served(at, self._api.get(at))

    def find(self, kind: str, name: str, *, namespace: str = "default") -> JsonObject | None:
        """Return an object, or None when it is not there."""
        at = self._location(kind, name, namespace)
        stored = self._store.get(at.resource.storage, at.key)
        return self._served(at, stored) if stored is not None else None

    def list(
        self, kind: str, *, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> JsonObjects:
        """Return the objects of one namespace, or of all with None, that the selectors select."""
        resource = self._api.registry.named(kind)
        at = Location(resource=resource, namespace=namespace or "")
        selection = Selection(labels=parse_labels(labels), fields=parse_fields(fields, resource.selectable))
        return [self._served(at, item) for item in self._api.select(at, selection).items]

    def delete(
        self, kind: str, name: str, *, namespace: str = "default", grace_seconds: int | None = None
    ) -> None:
        """Delete an object, or mark it when finalizers or the grace of a Pod hold it; 0: without grace."""
        options = DeleteOptions(grace_seconds=grace_seconds)
        self._api.delete(self._location(kind, name, namespace), options)

    def finish_terminating(self) -> int:
        """Take terminating Pods away before their grace is over; return how many left."""
        return self.workloads.kubelet.finish_terminating() if self.workloads is not None else 0

    @contextmanager
    def one_step(self) -> Iterator[None]:
        """Make several writes one step: nobody else sees or writes in between, controllers run at the end."""
        with self._api.one_step():
            self._step.entered = True
            try:
                yield
            finally:
                self._step.entered = False

    # --- observing and disturbing --------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The resourceVersion of the latest write."""
        return self._store.version

    def wait_for(self, predicate: Callable[[], bool], *, timeout: float = 10) -> None:
        """Wait until `predicate` holds, asking again after each write and each request.

        Raises:
            TimeoutError: it did not hold within `timeout` seconds.
        """
        with self._store.changed:
            if not self._store.changed.wait_for(predicate, timeout):
                raise TimeoutError(f"the condition did not hold within {timeout} s")

    @property
    def requests(self) -> Sequence[Request]:
        """The requests made over HTTP so far, in the order they were answered (watches: begun)."""
        with self._store.lock:
            return tuple(self._observed.requests)

    def forget_requests(self) -> None:
        """Start the list of requests anew."""
        with self._store.lock:
            self._observed.requests.clear()

    def refuse(self, match: Match, *, code: int, times: int = 1) -> None:
        """Answer the next `times` matching requests with `code` instead of doing them."""
        with self._store.lock:
            self._observed.refusals.append(Refusal(match=match, code=code, times=times))

    def cut(self, match: Match, *, times: int = 1) -> None:
        """Break the connection in the middle of the answers to the next `times` matching requests."""
        with self._store.lock:
            self._observed.cuts.append(Cut(match=match, times=times))

    @contextmanager
    def repeated_events(self) -> Iterator[None]:
        """Send every event of a watch twice until the block ends."""
        self._observed.streams.repeats = True
        try:
            yield
        finally:
            self._observed.streams.repeats = False

    @contextmanager
    def held_events(self, kind: str) -> Iterator[None]:
        """Keep the events of a resource back until the block ends, while those of others go on."""
        resource = self._api.registry.named(kind).storage
        self._observed.streams.held.add(resource)
        try:
            yield
        finally:
            self._observed.streams.held.discard(resource)
            self._http.streams.wake(resource)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Break every connection and listen no more until the block ends; objects and history stay."""
        port = int(self._http.address.rpartition(":")[2])
        self._on_loop(self._http.stop())
        try:
            yield
        finally:
            self._on_loop(self._http.start(port))

    def drop_connections(self) -> None:
        """Break every open connection."""
        self._on_loop(self._http.drop())

    def expire_watches(self) -> None:
        """Break every connection and forget the history: watches that resume get 410 and must list again."""
        self._store.compact()
        self.drop_connections()

    def _location(self, kind: str, name: str, namespace: str) -> Location:
        resource = self._api.registry.named(kind)
        return Location(resource=resource, namespace=namespace if resource.namespaced else "", name=name)

    def _location_of(self, obj: JsonObject) -> Location:
        resource = self._api.registry.by_kind(obj["apiVersion"], obj["kind"])
        meta = metadata(obj)
        namespace = meta.get("namespace") or "default"
        return Location(
            resource=resource, namespace=namespace if resource.namespaced else "", name=meta.get("name") or ""
        )

    def _served(self, at: Location, stored: Stored) -> JsonObject:
        return to_served(at.resource, stored.copy())


def _now() -> str:
    return timestamp(datetime.now(UTC))

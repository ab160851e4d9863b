"""The verbs of the API on the store, with the semantics of a real server; synchronous and free of HTTP.

Every write is one step under the store's lock. Reactions (namespace clean-up, the fake controllers) run at
the end of the outermost write, still inside it: when a write returns, everything that follows from it has
happened.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import orjson

from lbcontroller.local.apiserver import writing
from lbcontroller.local.apiserver.admission import Admission
from lbcontroller.local.apiserver.apply import Applier, apply_config, keys_from
from lbcontroller.local.apiserver.conversion import to_served, to_stored
from lbcontroller.local.apiserver.objects import (
    JsonObject,
    Key,
    field_at,
    is_terminating,
    metadata,
    pending_finalizers,
)
from lbcontroller.local.apiserver.patch import PatchType, json_patch, merge_patch
from lbcontroller.local.apiserver.requests import (
    Deleted,
    DeleteOptions,
    Location,
    Page,
    PageQuery,
    Selection,
    WriteOptions,
    Written,
)
from lbcontroller.local.apiserver.resources import Registry, ResourceType, Subresource
from lbcontroller.local.apiserver.status import (
    ApiError,
    Reason,
    already_exists,
    bad_request,
    conflict,
    expired,
    not_found,
)
from lbcontroller.local.apiserver.store import Change, Store, Stored
from lbcontroller.local.apiserver.strategic import strategic_merge
from lbcontroller.local.apiserver.webhooks import Operation, Webhooks, Write

_UIDS = uuid.UUID("8f0d5a5e-6a55-4f0e-9d8e-0c1f7a2b3c4d")
"""The namespace of this server's uids: the same writes in the same order give the same uids."""
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5


class Reaction(Protocol):
    """Something that follows from changes, as a controller in a real cluster does, but within the write."""

    def observe(self, resource: str, change: Change) -> None:
        """Note what may have to be done; called within each write, must not write."""

    def settle(self) -> bool:
        """Do what is to be done; return whether there was anything."""


class Api:
    """Reads and writes of objects in any served resource."""

    def __init__(
        self, *, store: Store, registry: Registry, admission: Admission, now: Callable[[], str]
    ) -> None:
        """Serve `registry` from `store`; `now` stamps times."""
        self.store = store
        self.registry = registry
        self.now = now
        self.graceful_pods = False
        """Whether deleted Pods that run on a Node stay until their kubelet takes them away."""
        self._admission = admission
        self._webhooks = Webhooks(store, registry)
        self._reactions: list[Reaction] = []
        self._depth = 0

    @property
    def has_webhooks(self) -> bool:
        """Whether anybody may have to be asked about a write."""
        return self._webhooks.are_registered

    def react(self, reaction: Reaction) -> None:
        """Let `reaction` follow every change from now on."""
        self.store.subscribe(reaction.observe)
        self._reactions.append(reaction)

    @contextmanager
    def one_step(self) -> Iterator[None]:
        """Make several writes one step: no other thread writes in between, reactions run at the end."""
        with self.store.lock:
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    while sum(reaction.settle() for reaction in self._reactions):
                        pass
            finally:
                self._depth -= 1

    def get(self, at: Location) -> Stored:
        """Return an object in stored form; raises ApiError (NotFound)."""
        found = self.store.get(at.resource.storage, at.key)
        if found is None:
            raise not_found(at.resource.qualified, at.name)
        return found

    def select(
        self, at: Location, selection: Selection | None = None, query: PageQuery | None = None
    ) -> Page:
        """Return the selected objects of a collection in the order of their keys, or one page of them.

        Raises:
            ApiError: BadRequest for a malformed token, Expired for a token older than the history.
        """
        query = query or PageQuery()
        with self.store.lock:
            version, start = self.store.version, Key("", "")
            if query.token:
                version, start = _read_token(query.token)
                try:
                    self.store.changes_after(at.resource.storage, version)
                except ApiError:
                    message = (
                        "The provided continue parameter is too old to display a consistent list result."
                    )
                    raise expired(message) from None
            items = self.store.objects(at.resource.storage, at.listed)
        if selection is not None and not selection.everything:
            items = [item for item in items if selection.selects(item.object)]
        if query.token:
            items = [item for item in items if _key(item) > start]
        if not query.limit or len(items) <= query.limit:
            return Page(items=items, version=version)
        page = items[: query.limit]
        token = _token(version, _key(page[-1]))
        return Page(items=page, version=version, token=token, remaining=len(items) - query.limit)

    def create(self, at: Location, obj: JsonObject, options: WriteOptions) -> Written:
        """Create an object; `obj` belongs to the server afterwards.

        Raises:
            ApiError: AlreadyExists, Invalid, BadRequest, or NotFound/Forbidden for its namespace.
        """
        metadata(obj).pop("managedFields", None)
        return self._create(at, obj, options)

    def _create(self, at: Location, obj: JsonObject, options: WriteOptions) -> Written:
        with self.one_step():
            resource = at.resource
            writing.check_identity(at, obj)
            warnings = writing.prune_unknown(resource, obj, options)
            obj = to_stored(resource, obj)
            if resource.namespaced:
                self._require_namespace(at)
            asked = Write(at=at, operation=Operation.CREATE, obj=obj, before=None, dry_run=options.dry_run)
            obj, of_webhooks = self._webhooks.mutate(asked)
            meta = metadata(obj)
            if not meta.get("name") and meta.get("generateName"):
                meta["name"] = self._generated_name(at, meta["generateName"])
            if meta.get("resourceVersion"):
                raise bad_request("resourceVersion should not be set on objects to be created")
            key = Key(at.namespace, meta.get("name") or "")
            if self.store.get(resource.storage, key) is not None:
                raise already_exists(resource.qualified, key.name)
            for name in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"):
                meta.pop(name, None)
            identity = f"{resource.storage}/{key.namespace}/{key.name}/{self.store.version}"
            meta["uid"] = str(uuid.uuid5(_UIDS, identity))
            meta["creationTimestamp"] = self.now()
            if resource.counts_generations:
                meta["generation"] = 1
            if not options.keeps_status:
                self._admission.initial_status(resource, obj)
            self._admission.admit(resource, None, obj)
            of_webhooks += self._webhooks.validate(replace(asked, obj=obj))
            stored = self._commit(resource, obj, options)
            return Written(stored=stored, created=True, warnings=warnings + of_webhooks)

    def update(self, at: Location, obj: JsonObject, options: WriteOptions) -> Written:
        """Replace an object, or its status; `obj` belongs to the server afterwards.

        Raises:
            ApiError: NotFound, Conflict when `obj` was made from another version, Invalid, BadRequest.
        """
        with self.one_step():
            live = self.get(at)
            if at.subresource is Subresource.SCALE:
                return self._scale(at, live, field_at(obj, ("spec", "replicas")), options)
            writing.check_identity(at, obj)
            meta = metadata(obj)
            if not meta.get("resourceVersion") and writing.needs_version(at.resource):
                raise writing.version_missing(at)
            if "managedFields" in live.object["metadata"]:
                meta["managedFields"] = live.copy()["metadata"]["managedFields"]
            return self._replace(at, live, obj, options)

    def patch(self, at: Location, kind: PatchType, change: Any, options: WriteOptions) -> Written:
        """Patch an object, its status or its scale; applying creates what is missing.

        Raises:
            ApiError: NotFound, Conflict, Invalid, BadRequest, UnsupportedMediaType.
        """
        with self.one_step():
            found = self.store.get(at.resource.storage, at.key)
            if kind is PatchType.APPLY:
                return self._apply(at, found, change, options)
            live = self.get(at)
            if at.subresource is Subresource.SCALE:
                scale = merge_patch(writing.scale_of(live.object), change)
                return self._scale(at, live, field_at(scale, ("spec", "replicas")), options)
            patched = self._patched(at.resource, kind, to_served(at.resource, live.copy()), change)
            writing.check_identity(at, patched)
            return self._replace(at, live, patched, options)

    def delete(self, at: Location, options: DeleteOptions | None = None) -> Deleted:
        """Delete an object, or mark it when something still holds it.

        Raises:
            ApiError: NotFound, Conflict when a precondition does not hold.
        """
        options = options or DeleteOptions()
        with self.one_step():
            live = self.get(at)
            writing.check_preconditions(at, live.object, options)
            graceful = (
                self.graceful_pods
                and at.resource.storage == "pods"
                and bool(live.object["spec"].get("nodeName"))
                and options.grace_seconds != 0
            )
            held = bool(pending_finalizers(live.object)) or graceful
            if options.dry_run:
                return Deleted(stored=live, gone=not held)
            if not held:
                return Deleted(stored=self.store.remove(at.resource.storage, at.key), gone=True)
            marked = live.copy()
            writing.mark_deleted(marked, self.now(), graceful=graceful)
            if marked == live.object:
                return Deleted(stored=live, gone=False)
            return Deleted(stored=self.store.put(at.resource.storage, marked), gone=False)

    def delete_collection(self, at: Location, selection: Selection, options: DeleteOptions) -> list[Stored]:
        """Delete every selected object; return what was there."""
        with self.one_step():
            found = list(self.select(at, selection).items)
            for stored in found:
                key = _key(stored)
                one = Location(resource=at.resource, namespace=key.namespace, name=key.name)
                self.delete(one, options)
            return found

    def _patched(self, resource: ResourceType, kind: PatchType, live: JsonObject, change: Any) -> JsonObject:
        patched: Any
        match kind:
            case PatchType.JSON:
                patched = json_patch(live, change)
            case PatchType.MERGE:
                patched = merge_patch(live, change)
            case _:
                if resource.custom:
                    message = (
                        "the body of the request was in an unknown format - accepted media types include: "
                        f"{PatchType.JSON}, {PatchType.MERGE}, {PatchType.APPLY}"
                    )
                    raise ApiError(Reason.UNSUPPORTED_MEDIA_TYPE, message)
                patched = strategic_merge(live, change)
        if not isinstance(patched, dict):
            raise bad_request("the patch does not leave an object")
        return patched

    def _apply(self, at: Location, live: Stored | None, config: JsonObject, options: WriteOptions) -> Written:
        writing.check_identity(at, config)
        if metadata(config).get("managedFields"):
            raise bad_request("metadata.managedFields must be nil")
        applier = Applier(
            name=options.manager,
            subresource=at.subresource.value,
            api_version=at.resource.api_version,
            time=self.now(),
            force=options.force,
        )
        if live is None and at.subresource is not Subresource.MAIN:
            raise not_found(at.resource.qualified, at.name)
        served = to_served(at.resource, live.copy()) if live else None
        applied = apply_config(served, config, applier, keys_from(at.resource.schema))
        if live is None:
            return self._create(at, applied, options)
        return self._replace(at, live, applied, options)

    def _scale(self, at: Location, live: Stored, replicas: Any, options: WriteOptions) -> Written:
        if not isinstance(replicas, int) or replicas < 0:
            raise bad_request(f"spec.replicas: must be a number, not negative: {replicas}")
        scaled = live.copy()
        scaled["spec"]["replicas"] = replicas
        main = Location(resource=at.resource, namespace=at.namespace, name=at.name)
        return self._replace(main, live, scaled, options)

    def _replace(self, at: Location, live: Stored, obj: JsonObject, options: WriteOptions) -> Written:
        resource, before = at.resource, live.object
        writing.check_version(at, before, obj)
        warnings = writing.prune_unknown(resource, obj, options)
        asked = Write(
            at=at,
            operation=Operation.UPDATE,
            obj=to_stored(resource, obj),
            before=before,
            dry_run=options.dry_run,
        )
        obj, of_webhooks = self._webhooks.mutate(asked)
        if at.subresource is Subresource.STATUS:
            obj = writing.with_status_of(live.copy(), obj)
            self._admission.admit_status(resource, obj)
        else:
            writing.keep_what_clients_cannot_set(resource, live.copy(), obj)
            self._admission.admit(resource, before, obj)
            writing.count_generation(resource, before, obj)
        warnings += of_webhooks + self._webhooks.validate(replace(asked, obj=obj))
        if obj == before:
            return Written(stored=live, warnings=warnings)
        if writing.is_released(obj):
            if not options.dry_run:
                self.store.remove(resource.storage, at.key)
            return Written(stored=Stored(object=obj, encoded=orjson.dumps(obj)), warnings=warnings)
        return Written(stored=self._commit(resource, obj, options), warnings=warnings)

    def _commit(self, resource: ResourceType, obj: JsonObject, options: WriteOptions) -> Stored:
        if options.dry_run:
            return Stored(object=obj, encoded=orjson.dumps(obj))
        return self.store.put(resource.storage, obj)

    def _require_namespace(self, at: Location) -> None:
        found = self.store.get("namespaces", Key("", at.namespace))
        if found is None:
            raise not_found("namespaces", at.namespace)
        if is_terminating(found.object):
            raise writing.namespace_terminating(at)

    def _generated_name(self, at: Location, prefix: str) -> str:
        for attempt in range(1000):
            number = uuid.uuid5(_UIDS, f"{prefix}/{self.store.version}/{attempt}").int
            suffix = ""
            for _ in range(_SUFFIX_LENGTH):
                number, letter = divmod(number, len(_SUFFIX_LETTERS))
                suffix += _SUFFIX_LETTERS[letter]
            if self.store.get(at.resource.storage, Key(at.namespace, prefix + suffix)) is None:
                return prefix + suffix
        raise conflict(at.resource.qualified, prefix, "no free name was found")


def _key(stored: Stored) -> Key:
    meta = stored.object["metadata"]
    return Key(meta.get("namespace") or "", meta["name"])


def _token(version: int, last: Key) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([version, last.namespace, last.name])).decode()


def _read_token(token: str) -> tuple[int, Key]:
    try:
        version, namespace, name = orjson.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError):
        raise bad_request("continue key is not valid") from None
    return version, Key(namespace, name)

"""What reconciles write to the API server.

An object is always named with its uid. Deleted and made anew under its name, it is another object, which is
never touched on behalf of the old one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from lbcontroller.cluster.objects import JsonObject
from lbcontroller.errors import NotReady
from lbcontroller.kube import patches
from lbcontroller.kube.client import Client, Json
from lbcontroller.kube.errors import Conflict, NotFound, Rejected
from lbcontroller.kube.patches import Condition, Patch, PatchType
from lbcontroller.kube.resources import ObjectRef, ResourceType, Subresource

CONFLICT_PAUSES: Final = (0.01, 0.05, 0.25)
"""Seconds before finalizers are read and patched again. LBC's values."""

GONE_RETRY_SECONDS: Final = 1.0
"""The watch reports a deletion within a second; the key is then worked on again anyway."""


class ObjectWriter:
    """Writes to the API server; every method may be called from any thread.

    Each raises `Transient`, `Denied`, `NotReady` or `Rejected` by the table of `kube.errors`.
    """

    def __init__(self, client: Client, pause: Callable[[float], None] = time.sleep) -> None:
        """Write with `client`; `pause` waits for some seconds between attempts."""
        self._client = client
        self._pause = pause

    def add_finalizer(self, ref: ObjectRef, finalizer: str) -> None:
        """Make sure that the object carries `finalizer`.

        Returning means that it does: AWS resources may be made for it from now on.

        Raises:
            NotReady: the object is being deleted or gone, so nothing may be made for it.
        """

        def with_finalizer(metadata: JsonObject, present: list[str]) -> list[str] | None:
            if finalizer in present:
                return None
            if metadata.get("deletionTimestamp"):
                raise _gone(ref, "is being deleted")
            return [*present, finalizer]

        if not self._change_finalizers(ref, with_finalizer):
            raise _gone(ref, "is gone")

    def remove_finalizer(self, ref: ObjectRef, finalizer: str) -> None:
        """Make sure that the object does not carry `finalizer`; one that is gone does not."""

        def without_finalizer(_: JsonObject, present: list[str]) -> list[str] | None:
            return [name for name in present if name != finalizer] if finalizer in present else None

        self._change_finalizers(ref, without_finalizer)

    def _change_finalizers(
        self, ref: ObjectRef, change: Callable[[JsonObject, list[str]], list[str] | None]
    ) -> bool:
        """Read, change and write finalizers until nobody wrote in between; return whether the object exists.

        Raises:
            Conflict: others wrote in between each time.
        """
        pauses = iter(CONFLICT_PAUSES)
        while True:
            metadata = self._metadata(ref)
            if metadata is None:
                return False
            wanted = change(metadata, list(metadata.get("finalizers") or ()))
            if wanted is None:
                return True
            body = patches.finalizers(ref.uid, metadata["resourceVersion"], wanted)
            try:
                self._client.patch(ref.resource, ref.name, body)
            except NotFound:
                return False
            except Conflict:
                pause = next(pauses, None)
                if pause is None:
                    raise
                self._pause(pause)
            else:
                return True

    def patch_status(self, ref: ObjectRef, status: JsonObject) -> None:
        """Merge `status` into the object's status; one that is gone has nobody to tell."""
        self._patch_present(ref, patches.status(ref.uid, status), PatchType.MERGE)

    def try_status(self, ref: ObjectRef, status: JsonObject) -> Json | None:
        """Return the object as it would be with `status`, which changes nothing; None when it is gone."""
        return self._patch_present(ref, patches.status(ref.uid, status), PatchType.MERGE, dry_run=True)

    def set_condition(self, ref: ObjectRef, condition: Condition) -> None:
        """Set one condition of the object's status; one that is gone has no use for it."""
        self._patch_present(ref, patches.with_condition(ref.uid, condition), PatchType.STRATEGIC)

    def _patch_present(
        self, ref: ObjectRef, body: Patch, patch_type: PatchType, *, dry_run: bool = False
    ) -> Json | None:
        try:
            return self._client.patch(
                ref.resource,
                ref.name,
                body,
                patch_type=patch_type,
                subresource=Subresource.STATUS,
                dry_run=dry_run,
            )
        except NotFound:
            return None
        except (Conflict, Rejected):
            if self._metadata(ref) is not None:
                raise
            return None

    def create(self, resource: ResourceType, obj: JsonObject) -> Json:
        """Create an object and return it as stored.

        Raises:
            Conflict: there is one of that name.
        """
        return self._client.create(resource, obj)

    def merge_patch(self, ref: ObjectRef, patch: JsonObject) -> Json:
        """Merge `patch` into the object and return it as stored.

        Raises:
            NotFound: the object is gone.
        """
        try:
            return self._client.patch(ref.resource, ref.name, patches.with_uid(ref.uid, patch))
        except (Conflict, Rejected) as error:
            if self._metadata(ref) is None:
                raise NotFound(f"{ref} with uid {ref.uid} is gone") from error
            raise

    def delete(self, ref: ObjectRef) -> None:
        """Ask for the object's deletion; one that is gone is deleted."""
        try:
            self._client.delete(ref)
        except NotFound:
            return
        except Conflict:
            if self._metadata(ref) is not None:
                raise

    def _metadata(self, ref: ObjectRef) -> dict[str, Any] | None:
        """Return the metadata of exactly this object, None when it is gone."""
        obj = self._client.get(ref.resource, ref.name)
        if obj is None or obj["metadata"]["uid"] != ref.uid:
            return None
        metadata: dict[str, Any] = obj["metadata"]
        return metadata


def _gone(ref: ObjectRef, why: str) -> NotReady:
    return NotReady(f"{ref} {why}", retry_after=GONE_RETRY_SECONDS)

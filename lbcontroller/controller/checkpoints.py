"""Checkpoints: what was brought about and verified, noted on bindings for the process that comes next.

A process that starts reads as little of AWS as possible. Where a checkpoint says that what is wanted now was
brought about before, it believes that until the drift sweep has looked; anything else it reads first.

A checkpoint is withdrawn before the first write and noted again when there is nothing left to do. So one that
is there is true, unless somebody else has changed AWS since.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lbcontroller.cluster.binding import Binding
from lbcontroller.errors import LbControllerError
from lbcontroller.kube.errors import NotFound
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.telemetry.logs import event

LOGGER: Final = logging.getLogger(__name__)


class Checkpoint(StrEnum):
    """The annotations. LBC has the first one too; it and we take a value of the other's for a change."""

    TARGETS = "elbv2.k8s.aws/checkpoint"
    STACK = "elbv2.k8s.aws/stack-checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """Notes checkpoints of one kind. For any thread."""

    kind: Checkpoint
    writer: ObjectWriter

    def says(self, digest: str, bindings: Iterable[Binding]) -> bool:
        """Return whether every binding has the checkpoint; False when there is no binding."""
        found = {self._found(binding) for binding in bindings}
        return found == {digest}

    def note(self, digest: str, bindings: Iterable[Binding], *, withdrawn: bool = False) -> None:
        """Note on bindings that what has this digest was brought about.

        Args:
            digest: of what is wanted.
            bindings: as the watch reported them.
            withdrawn: whether they had a checkpoint then and have none now.

        Raises:
            LbControllerError: as `ObjectWriter.merge_patch` does.
        """
        for binding in bindings:
            if (withdrawn or self._found(binding) != digest) and not binding.meta.deleting:
                self._write(binding, digest)

    def withdraw(self, bindings: Iterable[Binding]) -> None:
        """Take checkpoints back before something is changed.

        That one cannot be is no reason to hold the change up: it is then believed for one sweep too long, and
        only if the process ends before the change is complete and the change is then not wanted any more.
        """
        for binding in bindings:
            if self._found(binding) is None:
                continue
            try:
                self._write(binding, None)
            except LbControllerError as error:
                event(
                    LOGGER, logging.WARNING, "checkpoint_not_withdrawn", subject=binding.subject, error=error
                )

    def _found(self, binding: Binding) -> str | None:
        return binding.meta.annotations.get(self.kind)

    def _write(self, binding: Binding, digest: str | None) -> None:
        ref = ObjectRef(
            resource=ResourceType.TARGET_GROUP_BINDINGS, name=binding.meta.name, uid=binding.meta.uid
        )
        try:
            self.writer.merge_patch(ref, {"metadata": {"annotations": {self.kind.value: digest}}})
        except NotFound:
            return  # nobody will ask

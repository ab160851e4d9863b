"""Changes of tags that many resources share: one call for up to twenty of them instead of one for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.tagging import TAG_BATCH, change_tags_of
from lbcontroller.aws.wire import Changes
from lbcontroller.errors import Denied, InvalidConfig, NotReady
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind
from lbcontroller.plan.steps import Step, Update

_KINDS: Final = frozenset({Kind.LOAD_BALANCER, Kind.TARGET_GROUP, Kind.LISTENER, Kind.LISTENER_RULE})
"""Kinds whose tags the same call changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagBatch:
    """Resources that get the same tags."""

    arns: tuple[Arn, ...]
    changes: Changes


def tag_batches(steps: Iterable[Step]) -> Iterator[TagBatch]:
    """Yield the changes of tags that at least two steps share, for as many resources as one call takes."""
    sharing: dict[object, list[Arn]] = defaultdict(list)
    by_key: dict[object, Changes] = {}
    for step in steps:
        if not isinstance(step, Update) or step.subject.kind not in _KINDS:
            continue
        changes = Changes.of(step.changes)
        if changes.new_tags or changes.gone_tags:
            key = (tuple(sorted(changes.new_tags.items())), tuple(sorted(changes.gone_tags)))
            sharing[key].append(step.arn)
            by_key[key] = changes
    for shared, arns in sharing.items():
        for start in range(0, len(arns), TAG_BATCH):
            batch = tuple(arns[start : start + TAG_BATCH])
            if len(batch) > 1:
                yield TagBatch(arns=batch, changes=by_key[shared])


@dataclass(frozen=True, slots=True, kw_only=True)
class TagBatches:
    """Makes the changes, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror

    def write(self, steps: Iterable[Step]) -> None:
        """Change the tags that several steps share, so that those steps have nothing left to tag.

        What AWS refuses is left to the steps, of which each knows what it is about.

        Raises:
            Transient: AWS could not answer; `LeadershipLost` when this replica may not write.
        """
        for batch in tag_batches(steps):
            try:
                change_tags_of(self.caller, batch.arns, batch.changes)
            except (NotReady, InvalidConfig, Denied):
                continue
            for arn in batch.arns:
                observed = self.mirror.find(arn)
                tags = getattr(observed.resource, "tags", None) if observed is not None else None
                if tags is not None:
                    self.mirror.amend(arn, tags=batch.changes.applied_to_tags(tags))

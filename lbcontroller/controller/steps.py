"""Carries out a plan: AWS steps through `aws.apply`, TargetGroupBindings through the API server.

It decides nothing. It stops between two steps, never inside one, when the process is to end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lbcontroller.aws.apply import Applier
from lbcontroller.aws.attributes import UndocumentedRefused
from lbcontroller.controller import binding_objects
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.errors import Denied, NotReady, Refused
from lbcontroller.keys import ObjectName
from lbcontroller.kube import patches
from lbcontroller.kube.errors import Conflict, Rejected
from lbcontroller.kube.resources import ObjectRef, ResourceType
from lbcontroller.kube.writes import ObjectWriter
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import TargetGroupBinding
from lbcontroller.plan.steps import Create, Delete, Plan, Step, Update
from lbcontroller.telemetry.logs import event

LOGGER = logging.getLogger(__name__)
NAME_TAKEN_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """What came of a plan."""

    arns: Mapping[ResourceId, Arn]
    """Of what exists."""
    refused: tuple[UndocumentedRefused, ...]
    """Attributes that AWS does not take; everything else was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepExecutor:
    """Takes the steps of a plan, in their order."""

    applier: Applier
    writer: ObjectWriter
    cache: ClusterCache
    stopping: Callable[[], bool]
    """Whether the process is to end."""

    def run(self, plan: Plan) -> Executed:
        """Take every step and return what came of it.

        Raises:
            NotReady: the process is to end, or a step must wait.
            Transient: AWS or the API server could not answer.
            Denied: a permission or a quota is missing.
            InvalidConfig: AWS refuses what the user asks for.
        """
        arns = dict(plan.kept)
        refused: list[UndocumentedRefused] = []
        if not self.stopping():
            self.applier.prepare(plan.steps)
        for step in plan.steps:
            if self.stopping():
                raise NotReady("the controller is shutting down", retry_after=0.0)
            subject = step.subject
            try:
                arn = self._take(step, arns)
            except UndocumentedRefused as error:
                refused.append(error)
                arn = error.arn
            except (Refused, Denied) as error:
                error.about = step.resource if isinstance(step, Create | Update) else None
                raise
            event(LOGGER, logging.INFO, "step_taken", step=_name(step), subject=subject, reason=step.reason)
            if not isinstance(step, Delete):
                arns[subject] = arn
            elif arns.get(subject) == arn:  # and not its successor, which has the same identity
                del arns[subject]
        return Executed(arns=arns, refused=tuple(refused))

    def _take(self, step: Step, arns: Mapping[ResourceId, Arn]) -> Arn:
        match step:
            case Create(resource=TargetGroupBinding() as binding):
                return self._create_binding(binding, arns)
            case Update(resource=TargetGroupBinding() as binding, arn=arn):
                return self._update_binding(binding, arn, arns)
            case Delete(id=ResourceId(kind=Kind.TARGET_GROUP_BINDING), arn=arn):
                return self._delete_binding(arn)
            case _:
                return self.applier.execute(step, arns)

    def _create_binding(self, binding: TargetGroupBinding, arns: Mapping[ResourceId, Arn]) -> Arn:
        try:
            self.writer.create(ResourceType.TARGET_GROUP_BINDINGS, binding_objects.manifest(binding, arns))
        except Conflict as error:
            # Ours, and the watch has not reported it yet; or another one whose deletion is under way.
            raise NotReady(
                f"TargetGroupBinding {binding.name} exists already", retry_after=NAME_TAKEN_RETRY_SECONDS
            ) from error
        except Rejected as error:
            raise _refused_by_policy("create", error) from error
        return Arn(str(binding.name))

    def _update_binding(self, binding: TargetGroupBinding, arn: Arn, arns: Mapping[ResourceId, Arn]) -> Arn:
        patch = patches.binding(
            spec=binding_objects.spec_patch(binding.spec, arns),
            labels=binding.labels,
            annotations=dict.fromkeys(binding_objects.CHECKPOINT_ANNOTATIONS),
        )
        try:
            self.writer.merge_patch(self._ref(arn), patch)
        except Rejected as error:
            raise _refused_by_policy("patch", error) from error
        return arn

    def _delete_binding(self, arn: Arn) -> Arn:
        self.writer.delete(self._ref(arn))
        return arn

    def _ref(self, arn: Arn) -> ObjectRef:
        namespace, _, name = arn.partition("/")
        binding = self.cache.binding(ObjectName(namespace, name))
        if binding is None:
            raise NotReady(f"TargetGroupBinding {arn} is gone", retry_after=NAME_TAKEN_RETRY_SECONDS)
        return ObjectRef(
            resource=ResourceType.TARGET_GROUP_BINDINGS, name=binding.meta.name, uid=binding.meta.uid
        )


def _refused_by_policy(verb: str, error: Rejected) -> Denied:
    """Return what to raise: our bindings are valid, so that a policy of the cluster is against it."""
    action = f"{verb} {ResourceType.TARGET_GROUP_BINDINGS.qualified}"
    return Denied(action, str(error).removeprefix(f"{action}: "))


def _name(step: Step) -> str:
    return type(step).__name__.lower()

"""What the controller is going to do, from what it sees: its own build and planner, and no call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lbcontroller.app.main import Controller
from lbcontroller.build.service import build_service_stack
from lbcontroller.build.targets import TargetsResult, build_targets
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import EndpointSlice, Pod
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.service import Service
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.controller.binding_objects import observed_bindings
from lbcontroller.keys import StackKey, StackKind
from lbcontroller.local.kubernetes import Kubernetes
from lbcontroller.model.identity import stack_id
from lbcontroller.model.observed import Target, TargetHealth
from lbcontroller.plan.planner import plan
from lbcontroller.plan.render import Line, render
from lbcontroller.plan.targets import TargetChanges, plan_targets


def preview_service(controller: Controller, service: Service) -> tuple[Line, ...]:
    """Return the plan for a Service as it is going to be, against what is there now."""
    parts, key = controller.parts, StackKey(StackKind.SERVICE, service.meta.name)
    seen = parts.cache.stack_snapshot(key)
    snapshot = replace(seen, services={**seen.services, service.meta.name: service})
    inventory = parts.aws.access.inventory.for_stack(stack_id(key))
    built = build_service_stack(service, snapshot, inventory, parts.settings)
    resources = parts.aws.access.observer.observe(built.stack.id)
    observed = (*resources, *observed_bindings(snapshot.bindings.values(), resources))
    return render(plan(built.stack, observed, parts.reconcilers.stacks.owned.policy()), observed)


def preview_targets(
    controller: Controller, kubernetes: Kubernetes, registered: Mapping[str, Mapping[Target, TargetHealth]]
) -> Mapping[str, TargetChanges]:
    """Return the changes of each target group: pods as they are now, against what was registered.

    Args:
        controller: whose plan it is.
        kubernetes: what runs now.
        registered: the targets of each target group, by its ARN.
    """
    vpc = controller.parts.aws.access.inventory.vpc
    changes = {}
    for obj in kubernetes.list("TargetGroupBinding"):
        binding = Binding.from_object(obj)
        wanted = build_targets(binding, _snapshot(kubernetes, binding), (*vpc.cidrs, *vpc.ipv6_cidrs))
        arn = str(binding.spec.target_group)
        if isinstance(wanted, TargetsResult) and arn in registered:
            changes[arn] = plan_targets(wanted.targets, registered[arn])
    return changes


def _snapshot(kubernetes: Kubernetes, binding: Binding) -> Snapshot:
    namespace, name = binding.meta.name.namespace, binding.spec.service
    slices = [
        EndpointSlice.from_object(each) for each in kubernetes.list("EndpointSlice", namespace=namespace)
    ]
    pods = [Pod.from_object(each) for each in kubernetes.list("Pod", namespace=namespace)]
    nodes = [Node.from_object(each) for each in kubernetes.list("Node")]
    service = Service.from_object(kubernetes.get("Service", name, namespace=namespace))
    return Snapshot(
        services={service.meta.name: service},
        slices=tuple(each for each in slices if each.service == name),
        pods={pod.name: pod for pod in pods},
        nodes={node.name: node for node in nodes},
        bindings={binding.meta.name: binding},
    )

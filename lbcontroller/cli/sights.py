"""What the demo looks at, and the conditions it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lbcontroller.cli.aws_view import LoadBalancerView, TargetGroupView, account_contents, load_balancers
from lbcontroller.cli.preview import preview_targets
from lbcontroller.cli.stage import Stage, WaitFailed
from lbcontroller.local.aws.life_cycle import ReportedHealth, TargetKey
from lbcontroller.model.enums import TargetHealthState
from lbcontroller.plan.targets import TargetChanges

JsonObject = dict[str, Any]

FAILED_HEALTH_CHECKS: Final = ReportedHealth(state="unhealthy", reason="Target.FailedHealthChecks")


class Sights:
    """Questions about both sides of a stage."""

    def __init__(self, stage: Stage) -> None:
        """Look at `stage`, which shows nothing but the seeded world yet."""
        self._stage = stage
        self.seeded = account_contents(stage.aws)
        """What was in the account before the first Service."""

    # --- Kubernetes ---------------------------------------------------------------------------------------

    def services(self) -> list[JsonObject]:
        """Return the Services that want a load balancer."""
        return [each for each in self._stage.objects("Service") if each["spec"]["type"] == "LoadBalancer"]

    def all_have_addresses(self) -> bool:
        """Whether every Service is served."""
        return all(hostname(service) for service in self.services())

    def events_of(self, obj: JsonObject) -> list[JsonObject]:
        """Return the events of an object."""
        uid = obj["metadata"]["uid"]
        return [each for each in self._stage.objects("Event") if each["involvedObject"].get("uid") == uid]

    def left_in_cluster(self) -> list[str]:
        """Return what the controller has not let go of yet."""
        left = [*self.services(), *self._stage.objects("TargetGroupBinding")]
        return [f"{each['kind']} {each['metadata']['name']}" for each in left]

    def names(self) -> Mapping[str, str]:
        """Return what runs behind targets: pods by address, nodes by instance id."""
        nodes = {node.instance_id: node.name for node in self._stage.cluster.world.nodes}
        pods = {
            each["status"]["podIP"]: f"{each['metadata']['name']} on {each['spec']['nodeName']}"
            for each in self._stage.objects("Pod")
            if each.get("status", {}).get("podIP")
        }
        return {**nodes, **pods}

    def service_of_pods(self) -> JsonObject:
        """Return the first Service whose targets are pods, so that pods and targets change together."""
        for service, view in self.served():
            if all(group.target_type == "ip" for group in view.target_groups):
                return service
        raise WaitFailed("one of the examples is a Service with target type ip")

    def deployment_of_pods(self) -> JsonObject:
        """Return the Deployment of that Service."""
        selector = self.service_of_pods()["spec"]["selector"]
        for deployment in self._stage.objects("Deployment"):
            if selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items():
                return deployment
        raise WaitFailed("one of the examples is the Deployment of that Service")

    # --- AWS ----------------------------------------------------------------------------------------------

    def served(self) -> Iterator[tuple[JsonObject, LoadBalancerView]]:
        """Yield each Service with its load balancer."""
        found = load_balancers(self._stage.aws)
        for service in self.services():
            yield service, found[hostname(service)]

    def load_balancer_of(self, obj: JsonObject) -> LoadBalancerView:
        """Return the load balancer whose name is published in an object's status."""
        found = {name.lower(): view for name, view in load_balancers(self._stage.aws).items()}
        return found[hostname(obj).lower()]

    def target_groups(self) -> Mapping[str, TargetGroupView]:
        """Return every target group behind a listener, by ARN."""
        views = load_balancers(self._stage.aws).values()
        return {group.arn: group for view in views for group in view.target_groups}

    def contents(self) -> Mapping[str, tuple[str, ...]]:
        """Return what there is in the account, by kind."""
        return account_contents(self._stage.aws)

    def is_as_seeded(self) -> bool:
        """Whether the account is as it was before the first Service."""
        return self.contents() == self.seeded

    def all_have_been_checked(self) -> bool:
        """Whether no target waits for its first health checks any more."""
        states = [
            health.state for group in self.target_groups().values() for health in group.targets.values()
        ]
        return TargetHealthState.INITIAL not in states

    def fail_checks_of_idle_nodes(self) -> None:
        """Do what kube-proxy does: where no pod of a Service runs, `externalTrafficPolicy: Local` fails."""
        health = self._stage.aws.life_cycle.dictated_health
        for service, view in self.served():
            busy = self._busy_instances(service["metadata"]["name"])
            if service["spec"].get("externalTrafficPolicy") == "Local":
                health |= {
                    TargetKey(
                        target_group_arn=group.arn, target_id=target.id, port=target.port
                    ): FAILED_HEALTH_CHECKS
                    for group in view.target_groups
                    for target in group.targets
                    if group.target_type == "instance" and target.id not in busy
                }

    def _busy_instances(self, service: str) -> set[str]:
        slices = self._stage.kubernetes.list("EndpointSlice", labels=f"kubernetes.io/service-name={service}")
        nodes = {endpoint["nodeName"] for each in slices for endpoint in each["endpoints"]}
        return {node.instance_id for node in self._stage.cluster.world.nodes if node.name in nodes}

    # --- both ---------------------------------------------------------------------------------------------

    def target_changes(self, before: Mapping[str, TargetGroupView]) -> Mapping[str, TargetChanges]:
        """Return what the pods of now change in what was registered before."""
        registered = {arn: group.targets for arn, group in before.items()}
        return preview_targets(self._stage.controller, self._stage.kubernetes, registered)

    def targets_are_settled(self) -> bool:
        """Whether exactly what should be registered is."""
        changes = self.target_changes(self.target_groups()).values()
        return not any(change.register or change.deregister for change in changes)


def hostname(obj: Mapping[str, Any]) -> str:
    """Return the first published name of a Service or an Ingress, empty when there is none."""
    published = obj.get("status", {}).get("loadBalancer", {}).get("ingress") or [{}]
    return str(published[0].get("hostname", ""))

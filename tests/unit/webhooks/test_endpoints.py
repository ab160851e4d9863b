"""What is answered at each path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.service import Service
from lbcontroller.keys import ObjectName
from lbcontroller.model.enums import TargetIpAddressType
from lbcontroller.model.fields import UNKNOWN, Attributes
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.observed import TargetGroupFact
from lbcontroller.settings import Settings
from lbcontroller.webhooks import registration
from lbcontroller.webhooks.bindings import Fact, Sought
from lbcontroller.webhooks.drain import DrainPolicy
from lbcontroller.webhooks.endpoints import Endpoint, Policy, endpoints
from lbcontroller.webhooks.facts import Facts
from lbcontroller.webhooks.registration import REGISTRATIONS, Registration
from lbcontroller.webhooks.review import Admitted, Operation, Refused, Verdict
from tests.support.admitted_pods import a_new_pod, named
from tests.support.cluster_objects import a_binding, a_service
from tests.support.ingress_objects import a_cluster_of, an_ingress_object
from tests.support.reviews import a_review

ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/0123"
VPC = "vpc-0123456789abcdef0"
FACT = TargetGroupFact(
    arn=Arn(ARN),
    target_type="ip",
    protocol="TCP",
    ip_address_type=TargetIpAddressType.IPV4,
    vpc_id=VpcId(VPC),
)
POLICY = Policy(
    readiness_gates=True,
    drain=DrainPolicy(application_seconds=30, network_seconds=150, sleep_is_known=True),
    server_id_variable="ID",
    load_balancer_class="ours",
    settings=Settings.parse({"cluster-name": "demo"}),
)
STACK = {"service.k8s.aws/stack-namespace": "shop", "service.k8s.aws/stack-name": "web"}
COMPLETE: dict[str, Any] = {
    "targetGroupARN": ARN,
    "targetType": "ip",
    "targetGroupProtocol": "TCP",
    "ipAddressType": "ipv4",
    "vpcID": VPC,
    "serviceRef": {"name": "web", "port": 80},
}


@dataclass
class World:
    """What there is beside the object, and what AWS was asked about."""

    services: tuple[Service, ...] = (a_service(),)
    bindings: tuple[Binding, ...] = ()
    fact: Fact = FACT
    attributes: Attributes = field(default_factory=dict)
    asked: list[Sought] = field(default_factory=list)

    def facts(self) -> Facts:
        return Facts(
            services_in=lambda namespace: self.services if namespace == "shop" else (),
            bindings_of_service=self._bindings_of,
            same_target_group=lambda _name: self.bindings,
            attributes=lambda _binding: self.attributes,
            target_group=self._target_group,
            classes=lambda _ingress, _before: a_cluster_of(),
            own_vpc=VpcId(VPC),
        )

    def _bindings_of(self, service: ObjectName) -> tuple[Binding, ...]:
        return tuple(binding for binding in self.bindings if binding.spec.service == service.name)

    def _target_group(self, sought: Sought) -> Fact:
        self.asked.append(sought)
        return self.fact


def endpoint(asked: Registration, world: World | None = None, *, readiness_gates: bool = True) -> Endpoint:
    policy = replace(POLICY, readiness_gates=readiness_gates)
    by_registration = {each.registration.path: each for each in endpoints((world or World()).facts(), policy)}
    return by_registration[asked.path]


def answer(
    asked: Registration,
    obj: dict[str, Any] | None,
    world: World | None = None,
    *,
    before: dict[str, Any] | None = None,
    operation: str = Operation.CREATE,
) -> Verdict:
    return endpoint(asked, world).answer(a_review(obj, before=before, operation=operation))


def left_by(verdict: Verdict) -> dict[str, Any]:
    assert isinstance(verdict, Admitted)
    assert verdict.obj is not None
    return dict(verdict.obj)


def a_manifest(labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "kind": "TargetGroupBinding",
        "metadata": {"name": "own", "labels": labels or {}, "uid": "own"},
        "spec": spec,
    }


def test_every_registration_is_answered_at_one_path() -> None:
    served = endpoints(World().facts(), POLICY)

    assert tuple(each.registration for each in served) == REGISTRATIONS
    assert len({each.path for each in REGISTRATIONS}) == len(REGISTRATIONS)


@pytest.mark.parametrize("asked", REGISTRATIONS, ids=lambda each: each.name)
def test_a_deletion_is_never_kept_from_happening(asked: Registration) -> None:
    before = a_manifest(targetGroupARN=ARN)

    assert answer(asked, None, before=before, operation=Operation.DELETE) == Admitted()


def test_a_pod_gets_its_gates() -> None:
    world = World(bindings=(named(a_binding(), "b"),))

    pod = left_by(answer(registration.READINESS_GATES, a_new_pod(), world))

    assert pod["spec"]["readinessGates"] == [{"conditionType": "target-health.elbv2.k8s.aws/b"}]
    assert "lifecycle" not in pod["spec"]["containers"][0]


def test_gates_can_be_switched_off() -> None:
    world = World(bindings=(named(a_binding(), "b"),))

    asked = endpoint(registration.READINESS_GATES, world, readiness_gates=False)

    assert asked.answer(a_review(a_new_pod())) == Admitted()


def test_a_pod_gets_its_sleep_and_its_owner_a_warning() -> None:
    world = World(
        bindings=(named(a_binding(), "b"),), attributes={"deregistration_delay.timeout_seconds": "300"}
    )

    verdict = answer(registration.DRAIN, a_new_pod(), world)

    pod = left_by(verdict)
    assert pod["spec"]["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 150}}}
    assert isinstance(verdict, Admitted)
    assert [finding.reason for finding in verdict.findings] == ["ShortGracePeriod"]


def test_a_container_gets_a_random_id() -> None:
    annotations = {"service.beta.kubernetes.io/aws-load-balancer-quic-enabled-containers": "app"}

    pods = [left_by(answer(registration.SERVER_IDS, a_new_pod(annotations=annotations))) for _ in range(2)]

    first, second = (pod["spec"]["containers"][0]["env"] for pod in pods)
    assert first[0]["name"] == second[0]["name"] == "ID"
    assert first != second


def test_a_service_gets_the_class_of_the_settings() -> None:
    service: dict[str, Any] = {
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer"},
    }
    classed = {**service, "spec": {**service["spec"], "loadBalancerClass": "other"}}

    assert left_by(answer(registration.SERVICE_CLASS, service))["spec"]["loadBalancerClass"] == "ours"
    kept = answer(registration.SERVICE_CLASS, service, before=classed, operation=Operation.UPDATE)
    assert left_by(kept)["spec"]["loadBalancerClass"] == "other"


def test_a_binding_is_completed_by_what_aws_says() -> None:
    world = World()
    manifest = a_manifest(targetGroupName="web", serviceRef=COMPLETE["serviceRef"])

    spec = left_by(answer(registration.COMPLETE_BINDING, manifest, world))["spec"]

    assert spec == {**COMPLETE, "targetGroupName": "web"}
    assert world.asked == [Sought(arn="", name="web", role_arn="", external_id="")]


@pytest.mark.parametrize(
    ("manifest", "fact"),
    [
        pytest.param(a_manifest(targetGroupName="web"), UNKNOWN, id="AWS does not answer"),
        pytest.param(a_manifest(targetGroupName="web"), None, id="there is none"),
        pytest.param(a_manifest(), FACT, id="none is named"),
        pytest.param(
            {"kind": "TargetGroupBinding", "metadata": {"name": "own"}, "spec": []}, FACT, id="no spec"
        ),
        pytest.param(
            {
                **a_manifest(targetGroupName="web"),
                "metadata": {"name": "own", "deletionTimestamp": "2026-01-01T00:00:00Z"},
            },
            FACT,
            id="being deleted",
        ),
    ],
)
def test_a_binding_that_cannot_be_completed_stays_as_it_is(manifest: dict[str, Any], fact: Fact) -> None:
    assert answer(registration.COMPLETE_BINDING, manifest, World(fact=fact)) == Admitted()


def test_nothing_is_asked_about_the_bindings_that_a_stack_makes() -> None:
    world = World()
    manifest = a_manifest(labels=STACK, **COMPLETE)

    assert answer(registration.COMPLETE_BINDING, manifest, world) == Admitted()
    assert answer(registration.CHECK_BINDING, manifest, world) == Admitted()
    assert world.asked == []


def test_nothing_is_asked_about_an_update_that_changes_no_kind() -> None:
    world = World()
    before = a_manifest(**COMPLETE)
    after = a_manifest(**{**COMPLETE, "serviceRef": {"name": "other", "port": 80}})

    verdict = answer(registration.CHECK_BINDING, after, world, before=before, operation=Operation.UPDATE)

    assert verdict == Admitted()
    assert world.asked == []


def test_a_binding_whose_name_is_not_generated_yet_is_checked_too() -> None:
    manifest = a_manifest(**{**COMPLETE, "ipAddressType": "ipv6"})
    manifest["metadata"] = {"generateName": "own-"}

    verdict = answer(registration.CHECK_BINDING, manifest)

    assert isinstance(verdict, Refused)
    assert verdict.check == "checkTargetGroupIPAddressType"


def test_an_ingress_is_read_as_at_a_reconcile() -> None:
    manifest = an_ingress_object(annotations={"target-type": "pods", "healthcheck-port": "x y"})

    verdict = answer(registration.CHECK_INGRESS, manifest)

    assert isinstance(verdict, Admitted)
    assert [text.partition(": ")[0] for text in verdict.warnings] == ["Ingress shop/site"] * 2


def test_an_ingress_whose_name_is_not_generated_yet_is_named_by_its_beginning() -> None:
    manifest = an_ingress_object(ingressClassName="missing")
    manifest["metadata"] = {"generateName": "site-"}

    verdict = answer(registration.CHECK_INGRESS, manifest)

    assert isinstance(verdict, Refused)
    assert verdict.message.startswith("Ingress shop/site-…: spec.ingressClassName: 'missing': there is no")


def test_parameters_of_a_class_are_compared_with_those_of_before() -> None:
    def params(*ranges: str) -> dict[str, Any]:
        spec = {"inboundCIDRs": list(ranges)}
        return {"kind": "IngressClassParams", "metadata": {"name": "params"}, "spec": spec}

    refused = answer(registration.CHECK_CLASS_PARAMS, params("10.0.0.1/8"))
    kept = answer(
        registration.CHECK_CLASS_PARAMS,
        params("10.0.0.1/8", "10.0.0.0/8"),
        before=params("10.0.0.1/8"),
        operation=Operation.UPDATE,
    )

    assert isinstance(refused, Refused)
    assert refused.check == "checkInboundCIDRs"
    assert isinstance(kept, Admitted)
    assert len(kept.warnings) == 1


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda spec: {**spec, "targetType": "instance"}, "checkImmutableFields"),
        (lambda spec: {**spec, "nodeSelector": {}}, "checkNodeSelector"),
    ],
)
def test_an_update_is_refused(change: Callable[[dict[str, Any]], dict[str, Any]], check: str) -> None:
    after = a_manifest(**change(COMPLETE))

    verdict = answer(
        registration.CHECK_BINDING, after, before=a_manifest(**COMPLETE), operation=Operation.UPDATE
    )

    assert isinstance(verdict, Refused)
    assert verdict.check == check
    assert verdict.message.startswith("TargetGroupBinding shop/own: spec.")

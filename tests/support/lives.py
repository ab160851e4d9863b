"""What users do to a Service, an Ingress and a group of three, from the first apply to the last delete."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.ingress_objects import INGRESS_PREFIX, a_path
from tests.support.services import a_deployment_of, a_port, asking
from tests.support.services import a_service as a_balanced_service
from tests.support.sites import a_class, a_service, a_site
from tests.support.yard import Yard

Act = Callable[[Yard], None]
JsonObject = dict[str, Any]
GROUP: Final = "sites"
MEMBERS: Final = ("a", "b", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One thing a user does, after which the controller comes to rest."""

    name: str
    act: Act
    writes: Mapping[str, int]
    """How often which operation is called that changes something in AWS; a test says when this is not so."""
    may: Mapping[str, int] = field(default_factory=dict)
    """What may be called besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A life cycle; what its stages leave behind is pods, the Service behind Ingresses, and their class."""

    name: str
    stages: tuple[Stage, ...]


def _applied(*objects: JsonObject) -> Act:
    """Make objects, all at once."""

    def act(yard: Yard) -> None:
        with yard.kubernetes.one_step():
            for obj in objects:
                yard.kubernetes.apply(_filled(yard, obj))

    return act


def _filled(yard: Yard, obj: JsonObject) -> JsonObject:
    """Return an object with the placeholders in its annotations replaced."""
    fill, metadata = yard.cluster.world.fill, obj["metadata"]
    annotations = {key: fill(text) for key, text in metadata.get("annotations", {}).items()}
    return obj | {"metadata": metadata | {"annotations": annotations}}


def _patched(kind: str, changes: Mapping[str, JsonObject]) -> Act:
    """Change objects by name, all at once."""

    def act(yard: Yard) -> None:
        with yard.kubernetes.one_step():
            for name, change in changes.items():
                yard.patch(kind, name, change)

    return act


def _deleted(kind: str, *names: str) -> Act:
    """Delete objects, all at once."""

    def act(yard: Yard) -> None:
        with yard.kubernetes.one_step():
            for name in names:
                yard.delete(kind, name)

    return act


def _scaled(replicas: int) -> Act:
    return _patched("deployment", {"web": {"spec": {"replicas": replicas}}})


def _annotated(**annotations: str) -> JsonObject:
    """Return annotations of an Ingress; underscores stand for hyphens, `__` for a dot."""
    keys = {key: key.replace("__", ".").replace("_", "-") for key in annotations}
    return {"annotations": {INGRESS_PREFIX + keys[key]: text for key, text in annotations.items()}}


def _paths(host: str, *paths: str) -> list[JsonObject]:
    return [{"host": f"{host}.example.com", "http": {"paths": [a_path(path=path) for path in paths]}}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One call of a life that changes something in AWS."""

    life: Life
    stage: Stage
    service: str
    operation: str
    nth: int
    """Counted from 1, among the calls of the same operation in the stage."""

    def __str__(self) -> str:
        return f"{self.life.name}-{self.stage.name}-{self.operation}-{self.nth}"


def writes_of(life: Life) -> Iterator[Write]:
    """Yield every call of a life that changes something, in no particular order within its stage."""
    for stage in life.stages:
        for name, times in stage.writes.items():
            service, _, operation = name.partition(":")
            for nth in range(1, times + 1):
                yield Write(life=life, stage=stage, service=service, operation=operation, nth=nth)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Right after a call of a life that changes something in AWS, whatever it is."""

    life: Life
    stage: Stage
    nth: int
    """Counted from 1, among all of these calls in the stage."""

    def __str__(self) -> str:
        return f"{self.life.name}-{self.stage.name}-{self.nth}"


def moments_of(life: Life) -> Iterator[Moment]:
    """Yield the moments after each call of a life that changes something."""
    for stage in life.stages:
        for nth in range(1, sum(stage.writes.values()) + 1):
            yield Moment(life=life, stage=stage, nth=nth)


_MORE_OF_THE_SERVICE: Final = {
    "metadata": {
        "annotations": asking(
            attributes="load_balancing.cross_zone.enabled=true",
            target_group_attributes="deregistration_delay.timeout_seconds=30",
            healthcheck_interval="20",
            additional_resource_tags="team=shop",
        )
    },
    "spec": {"ports": [a_port(), a_port(8080)], "loadBalancerSourceRanges": ["10.0.0.0/8"]},
}
_MORE_OF_THE_SITE: Final = {
    "metadata": _annotated(
        listen_ports='[{"HTTP": 80}, {"HTTPS": 443}]',
        ssl_redirect="443",
        load_balancer_attributes="idle_timeout.timeout_seconds=30",
        healthcheck_interval_seconds="20",
    ),
    "spec": {"rules": _paths("www", "/", "/news", "/shop")},
}

SERVICE: Final = Life(
    name="service",
    stages=(
        Stage(
            name="create",
            act=_applied(a_deployment_of(), a_balanced_service()),
            writes={
                "ec2:AuthorizeSecurityGroupIngress": 2,
                "ec2:CreateSecurityGroup": 2,
                "elbv2:CreateListener": 1,
                "elbv2:CreateLoadBalancer": 1,
                "elbv2:CreateTargetGroup": 1,
                "elbv2:RegisterTargets": 1,
            },
        ),
        Stage(
            name="update",
            act=_patched("service", {"web": _MORE_OF_THE_SERVICE}),
            writes={
                "ec2:AuthorizeSecurityGroupIngress": 1,
                "ec2:CreateTags": 1,
                "ec2:RevokeSecurityGroupIngress": 1,
                "elbv2:AddTags": 1,
                "elbv2:CreateListener": 1,
                "elbv2:CreateTargetGroup": 1,
                "elbv2:ModifyLoadBalancerAttributes": 1,
                "elbv2:ModifyTargetGroup": 1,
                "elbv2:ModifyTargetGroupAttributes": 2,
                "elbv2:RegisterTargets": 1,
            },
        ),
        Stage(
            name="narrow",
            act=_patched("service", {"web": {"spec": {"ports": [a_port(8080)]}}}),
            writes={
                "ec2:RevokeSecurityGroupIngress": 1,
                "elbv2:DeleteListener": 1,
                "elbv2:DeleteTargetGroup": 1,
            },
            may={
                "elbv2:DeregisterTargets": 1
            },  # unless the target group of the port that goes is gone before
        ),
        Stage(name="scale up", act=_scaled(4), writes={"elbv2:RegisterTargets": 1}),
        Stage(name="scale down", act=_scaled(1), writes={"elbv2:DeregisterTargets": 1}),
        Stage(
            name="delete",
            act=_deleted("service", "web"),
            writes={
                "ec2:DeleteSecurityGroup": 2,
                "ec2:RevokeSecurityGroupIngress": 1,
                "elbv2:DeleteLoadBalancer": 1,
                "elbv2:DeleteTargetGroup": 1,
            },
        ),
    ),
)
INGRESS: Final = Life(
    name="ingress",
    stages=(
        Stage(
            name="create",
            act=_applied(
                a_class(),
                a_deployment_of(),
                a_service(),
                a_site(
                    annotated={
                        "certificate-arn": "${cert.www.example.com}",
                        "listen-ports": '[{"HTTP": 80}]',
                    },
                    rules=_paths("www", "/"),
                ),
            ),
            writes={
                "ec2:AuthorizeSecurityGroupIngress": 2,
                "ec2:CreateSecurityGroup": 2,
                "elbv2:CreateListener": 1,
                "elbv2:CreateLoadBalancer": 1,
                "elbv2:CreateRule": 1,
                "elbv2:CreateTargetGroup": 1,
                "elbv2:RegisterTargets": 1,
            },
        ),
        Stage(
            name="update",
            act=_patched("ingress", {"site": _MORE_OF_THE_SITE}),
            writes={
                "ec2:AuthorizeSecurityGroupIngress": 1,
                "elbv2:AddListenerCertificates": 1,
                "elbv2:CreateListener": 1,
                "elbv2:CreateRule": 3,
                "elbv2:DeleteRule": 1,
                "elbv2:ModifyListener": 1,
                "elbv2:ModifyLoadBalancerAttributes": 1,
                "elbv2:ModifyTargetGroup": 1,
            },
        ),
        Stage(
            name="narrow",
            act=_patched("ingress", {"site": {"spec": {"rules": _paths("www", "/shop", "/")}}}),
            writes={"elbv2:DeleteRule": 1, "elbv2:SetRulePriorities": 1},
        ),
        Stage(name="scale up", act=_scaled(4), writes={"elbv2:RegisterTargets": 1}),
        Stage(name="scale down", act=_scaled(1), writes={"elbv2:DeregisterTargets": 1}),
        Stage(
            name="delete",
            act=_deleted("ingress", "site"),
            writes={
                "ec2:DeleteSecurityGroup": 2,
                "ec2:RevokeSecurityGroupIngress": 1,
                "elbv2:DeleteLoadBalancer": 1,
                "elbv2:DeleteTargetGroup": 1,
            },
        ),
    ),
)
THREE: Final = Life(
    name="group of three",
    stages=(
        Stage(
            name="create",
            act=_applied(
                a_class(), a_deployment_of(), a_service(), *(a_site(name, group=GROUP) for name in MEMBERS)
            ),
            writes={
                "ec2:AuthorizeSecurityGroupIngress": 2,
                "ec2:CreateSecurityGroup": 2,
                "elbv2:CreateListener": 1,
                "elbv2:CreateLoadBalancer": 1,
                "elbv2:CreateRule": 3,
                "elbv2:CreateTargetGroup": 3,
                "elbv2:RegisterTargets": 3,
            },
        ),
        Stage(
            name="update",
            act=_patched(
                "ingress",
                {
                    "a": {"metadata": _annotated(group__order="10")},
                    "b": {"spec": {"rules": _paths("b", "/news", "/")}},
                    "c": {"metadata": _annotated(listen_ports='[{"HTTP": 8080}]')},
                },
            ),
            writes={
                "ec2:AuthorizeSecurityGroupIngress": 1,
                "elbv2:CreateListener": 1,
                "elbv2:CreateRule": 2,
                "elbv2:DeleteRule": 1,
                "elbv2:SetRulePriorities": 1,
            },
        ),
        Stage(name="scale up", act=_scaled(4), writes={"elbv2:RegisterTargets": 3}),
        Stage(name="scale down", act=_scaled(1), writes={"elbv2:DeregisterTargets": 3}),
        Stage(
            name="one leaves",
            act=_deleted("ingress", "a"),
            writes={"elbv2:DeleteRule": 1, "elbv2:DeleteTargetGroup": 1},
        ),
        Stage(
            name="delete",
            act=_deleted("ingress", "b", "c"),
            writes={
                "ec2:DeleteSecurityGroup": 2,
                "ec2:RevokeSecurityGroupIngress": 1,
                "elbv2:DeleteLoadBalancer": 1,
                "elbv2:DeleteTargetGroup": 2,
            },
        ),
    ),
)
LIVES: Final = (SERVICE, INGRESS, THREE)

"""What the API server has to be told about our webhooks: one table, and the two objects made from it. Pure.

Names and paths are those of LBC where it has the webhook, so that its configurations go on working. Failure
policies follow one rule: while we do not answer, nobody else stops working. What the reconcile checks or does
again anyway is `Ignore`. What nobody could make good later is `Fail`, but then it concerns only objects that
asked for it: namespaces with a label, or new load balancers without a class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from lbcontroller.kube.resources import ResourceType
from lbcontroller.webhooks.drain import DRAIN_KEY
from lbcontroller.webhooks.readiness_gates import GATES_LABEL
from lbcontroller.webhooks.review import Operation
from lbcontroller.webhooks.server_ids import SERVER_IDS_LABEL

ClientConfig: TypeAlias = Callable[[str], Mapping[str, Any]]
"""Returns the `clientConfig` with which an API server reaches a path of ours."""
NAME_LABEL: Final = "app.kubernetes.io/name"
"""Objects with our own name in it are never sent to us: we could not start while we do not run."""
API_VERSION: Final = "admissionregistration.k8s.io/v1"
TIMEOUT_SECONDS: Final = 5
"""How long the API server waits for us; nothing takes longer than `facts.LONGEST_LOOKUP_SECONDS`."""


class WebhookKind(StrEnum):
    """Which of the two configurations a webhook belongs to."""

    MUTATING = "MutatingWebhookConfiguration"
    VALIDATING = "ValidatingWebhookConfiguration"


class FailurePolicy(StrEnum):
    """What becomes of an object while we do not answer."""

    IGNORE = "Ignore"
    """It is stored as it came."""
    FAIL = "Fail"
    """It is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One webhook."""

    name: str
    kind: WebhookKind
    path: str
    resource: ResourceType
    operations: tuple[Operation, ...]
    failure_policy: FailurePolicy
    namespaces: tuple[Mapping[str, Any], ...] = ()
    """Label expressions of which a namespace must meet all."""
    objects: tuple[Mapping[str, Any], ...] = ()
    """Label expressions of which an object must meet all."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """CEL expressions by name, of which an object must meet all. API servers older than Kubernetes 1.28 ask
    about every object instead, and get the same answers."""
    asked_again: bool = False
    """Whether to ask once more when another webhook has changed the object after us."""


def _is(label: str, value: str) -> Mapping[str, Any]:
    return {"key": label, "operator": "In", "values": [value]}


def _is_not(label: str, value: str) -> Mapping[str, Any]:
    """Met by objects without the label, too."""
    return {"key": label, "operator": "NotIn", "values": [value]}


def _check(*, name: str, path: str, resource: ResourceType) -> Registration:
    """Return a webhook that refuses what is wrong; the reconcile tells the same of what it let pass."""
    return Registration(
        name=name,
        kind=WebhookKind.VALIDATING,
        path=path,
        resource=resource,
        operations=(Operation.CREATE, Operation.UPDATE),
        failure_policy=FailurePolicy.IGNORE,
    )


READINESS_GATES: Final = Registration(
    name="mpod.elbv2.k8s.aws",
    kind=WebhookKind.MUTATING,
    path="/mutate-v1-pod",
    resource=ResourceType.PODS,
    operations=(Operation.CREATE,),
    failure_policy=FailurePolicy.IGNORE,
    namespaces=(_is(GATES_LABEL, "enabled"),),
    objects=(_is_not(GATES_LABEL, "disabled"),),
)
DRAIN: Final = Registration(
    name="drain.pods.lbcontroller",
    kind=WebhookKind.MUTATING,
    path="/mutate-v1-pod-drain",
    resource=ResourceType.PODS,
    operations=(Operation.CREATE,),
    failure_policy=FailurePolicy.IGNORE,
    namespaces=(_is(DRAIN_KEY, "enabled"),),
    objects=(_is_not(DRAIN_KEY, "disabled"),),
    asked_again=True,
)
SERVER_IDS: Final = Registration(
    name="quicid.elbv2.k8s.aws",
    kind=WebhookKind.MUTATING,
    path="/mutate-v1-pod-server-id",
    resource=ResourceType.PODS,
    operations=(Operation.CREATE,),
    failure_policy=FailurePolicy.FAIL,
    namespaces=(_is(SERVER_IDS_LABEL, "enabled"),),
)
SERVICE_CLASS: Final = Registration(
    name="mservice.elbv2.k8s.aws",
    kind=WebhookKind.MUTATING,
    path="/mutate-v1-service",
    resource=ResourceType.SERVICES,
    operations=(Operation.CREATE,),
    failure_policy=FailurePolicy.FAIL,
    conditions={
        "wants-a-load-balancer": "object.spec.type == 'LoadBalancer'",
        "names-no-class": "!has(object.spec.loadBalancerClass) || object.spec.loadBalancerClass == ''",
    },
)
COMPLETE_BINDING: Final = Registration(
    name="mtargetgroupbinding.elbv2.k8s.aws",
    kind=WebhookKind.MUTATING,
    path="/mutate-elbv2-k8s-aws-v1beta1-targetgroupbinding",
    resource=ResourceType.TARGET_GROUP_BINDINGS,
    operations=(Operation.CREATE, Operation.UPDATE),
    failure_policy=FailurePolicy.IGNORE,
)
CHECK_BINDING: Final = _check(
    name="vtargetgroupbinding.elbv2.k8s.aws",
    path="/validate-elbv2-k8s-aws-v1beta1-targetgroupbinding",
    resource=ResourceType.TARGET_GROUP_BINDINGS,
)
CHECK_INGRESS: Final = _check(
    name="vingress.elbv2.k8s.aws", path="/validate-networking-v1-ingress", resource=ResourceType.INGRESSES
)
CHECK_CLASS_PARAMS: Final = _check(
    name="vingressclassparams.elbv2.k8s.aws",
    path="/validate-elbv2-k8s-aws-v1beta1-ingressclassparams",
    resource=ResourceType.INGRESS_CLASS_PARAMS,
)

REGISTRATIONS: Final = (
    READINESS_GATES,
    DRAIN,
    SERVER_IDS,
    SERVICE_CLASS,
    COMPLETE_BINDING,
    CHECK_BINDING,
    CHECK_INGRESS,
    CHECK_CLASS_PARAMS,
)
"""Every webhook that the server answers. An installation registers those it wants: without `SERVICE_CLASS`
Services keep the class they come with."""


def configurations(
    listed: Iterable[Registration], client_config: ClientConfig, *, name: str
) -> tuple[dict[str, Any], ...]:
    """Return the objects that register webhooks, one of each kind that is needed.

    Args:
        listed: the webhooks.
        client_config: how the API server reaches us.
        name: of the objects, and what our own pods and Services carry as `app.kubernetes.io/name`.
    """
    listed = tuple(listed)
    return tuple(
        {
            "apiVersion": API_VERSION,
            "kind": kind.value,
            "metadata": {"name": name},
            "webhooks": [_entry(each, client_config, name) for each in listed if each.kind is kind],
        }
        for kind in WebhookKind
        if any(each.kind is kind for each in listed)
    )


def _entry(registration: Registration, client_config: ClientConfig, own_name: str) -> dict[str, Any]:
    resource = registration.resource
    entry: dict[str, Any] = {
        "name": registration.name,
        "clientConfig": dict(client_config(registration.path)),
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": registration.failure_policy.value,
        "timeoutSeconds": TIMEOUT_SECONDS,
        "matchPolicy": "Equivalent",
        "rules": [
            {
                "apiGroups": [resource.group],
                "apiVersions": [resource.version],
                "resources": [resource.plural],
                "operations": [operation.value for operation in registration.operations],
                "scope": resource.scope.value,
            }
        ],
        "namespaceSelector": _selector(registration.namespaces),
        "objectSelector": _selector((_is_not(NAME_LABEL, own_name), *registration.objects)),
    }
    if registration.kind is WebhookKind.MUTATING:
        entry["reinvocationPolicy"] = "IfNeeded" if registration.asked_again else "Never"
    if registration.conditions:
        entry["matchConditions"] = [
            {"name": name, "expression": expression} for name, expression in registration.conditions.items()
        ]
    return entry


def _selector(expressions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"matchExpressions": [dict(expression) for expression in expressions]} if expressions else {}

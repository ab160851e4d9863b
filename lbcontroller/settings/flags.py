"""Every flag of `lbcontroller run` but the feature gates."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from lbcontroller.errors import InvalidConfig, Problem, did_you_mean
from lbcontroller.settings.gates import FeatureGates
from lbcontroller.settings.problems import SUBJECT, problems_of
from lbcontroller.settings.unbuilt import NOT_BUILT_YET
from lbcontroller.settings.wire import Boolean, Items, Pairs, Seconds, ThrottleRules, Workers, key_value_pairs

RESERVED_TAG_KEYS: Final = frozenset(
    {
        "elbv2.k8s.aws/cluster",
        "elbv2.k8s.aws/resource",
        *(
            f"{family}/{key}"
            for family in ("service.k8s.aws", "ingress.k8s.aws", "gateway.k8s.aws.nlb", "gateway.k8s.aws.alb")
            for key in ("stack", "resource")
        ),
    }
)
"""Tag keys that say whose a resource is: no setting may touch them (a superset of the model's own)."""
QUIC_SERVER_ID_VARIABLE: Final = "AWS_LBC_QUIC_SERVER_ID"
"""Default of `--quic-environment-variable-name`."""
REPLACEMENT_FLAG: Final = "--allow-load-balancer-replacement"
"""What allows to replace load balancers, for messages."""


class StatusAddresses(StrEnum):
    """What a Service's status publishes for its load balancer."""

    HOSTNAME = "hostname"
    IP = "ip"
    BOTH = "both"


def _flag_name(field: str) -> str:
    return field.replace("_", "-")


class Settings(BaseModel):
    """Every flag of the controller; durations are seconds."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=_flag_name,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )

    cluster_name: str = Field(min_length=1)
    """Name of the cluster: part of generated names and of the tags that mark what is ours."""
    log_level: Literal["info", "debug"] = "info"
    """How much is logged."""
    aws_region: str = ""
    """Region; empty: discovered."""
    aws_vpc_id: str = ""
    """VPC of the cluster; empty: discovered."""
    aws_vpc_tags: Pairs = Field(default_factory=dict)
    """Tags that together find the VPC."""
    aws_vpc_tag_key: str = "Name"
    """Deprecated and without effect."""
    aws_max_retries: int = Field(default=10, ge=0)
    """Most attempts of one AWS call; never more than 10, which is also what 0 means."""
    aws_api_endpoints: Pairs = Field(default_factory=dict)
    """Endpoint URL by AWS service id, instead of the default one."""
    aws_api_throttle: ThrottleRules = ()
    """Client-side limits; the rules given for a service replace all built-in ones of it."""
    default_tags: Pairs = Field(default_factory=dict)
    """Tags of every AWS resource we make."""
    external_managed_tags: Items = ()
    """Tag keys that others own on our resources: never written, never removed."""
    default_target_type: Literal["instance", "ip"] = "instance"
    """Target type of objects that do not say."""
    default_load_balancer_scheme: Literal["internal", "internet-facing"] = "internal"
    """Scheme of new load balancers whose object does not say."""
    default_ssl_policy: str = Field(default="ELBSecurityPolicy-TLS13-1-2-2021-06", min_length=1)
    """Policy of new TLS listeners whose object does not say (LBC: `ELBSecurityPolicy-2016-08`)."""
    load_balancer_class: str = Field(default="service.k8s.aws/nlb", min_length=1)
    """The `spec.loadBalancerClass` of Services we claim."""
    ingress_class: str = "alb"
    """Value of the Ingress class annotation we claim; empty: also Ingresses without a class."""
    disable_ingress_class_annotation: Boolean = False
    """Let the webhook of Ingresses refuse the class annotation where it was not used before."""
    disable_ingress_group_name_annotation: Boolean = False
    """Let the webhook of Ingresses refuse the group name annotation where it is new or another one."""
    tolerate_non_existent_backend_service: Boolean = True
    """Answer 503 for Services that do not exist instead of failing the Ingress."""
    tolerate_non_existent_backend_action: Boolean = True
    """Answer 503 for actions that do not exist instead of failing the Ingress."""
    allowed_certificate_authority_arns: Items = ()
    """Certificate authorities whose certificates discovery may use; empty: all."""
    default_pca_arn: str = ""
    """Private certificate authority for requested certificates."""
    enable_waf: Boolean = True
    """Manage WAF Classic associations."""
    enable_wafv2: Boolean = True
    """Manage WAF associations."""
    enable_shield: Boolean = True
    """Manage Shield protections."""
    enable_backend_security_group: Boolean = True
    """Share one security group of the cluster's load balancers as the source of backend rules."""
    backend_security_group: str = Field(default="", pattern=r"^(sg-.+)?$")
    """Id of the shared backend security group; empty: we make it."""
    enable_manage_backend_security_group_rules: Boolean = False
    """Manage backend rules also for load balancers with security groups of the user, unless annotated."""
    disable_restricted_sg_rules: Boolean = False
    """Open all ports between load balancers and targets instead of only those needed."""
    service_target_eni_security_group_tags: Pairs = Field(default_factory=dict)
    """Further tags that pick the security group of a network interface with several."""
    enable_endpoint_slices: Boolean = True
    """Without effect: EndpointSlices are always read."""
    enable_pod_readiness_gate_inject: Boolean = True
    """Inject readiness gates into pods of labelled namespaces."""
    quic_environment_variable_name: str = QUIC_SERVER_ID_VARIABLE
    """Variable that tells a container its QUIC server id."""
    max_targets_per_target_group: int = Field(default=0, ge=0)
    """Most targets registered in one target group; 0: no limit."""
    ingress_max_concurrent_reconciles: Workers = 3
    """Ingress groups reconciled at a time."""
    service_max_concurrent_reconciles: Workers = 3
    """Services reconciled at a time."""
    targetgroupbinding_max_concurrent_reconciles: Workers = 3
    """TargetGroupBindings reconciled at a time."""
    targetgroupbinding_max_exponential_backoff_delay: Seconds = 1000.0
    """Longest wait before a failed TargetGroupBinding is tried again."""
    targetgroupbinding_requeue_duration: Seconds = 15.0
    """Wait before targets that are not settled are looked at again."""
    alb_gateway_max_concurrent_reconciles: Workers = 3
    """Gateways with application load balancers reconciled at a time."""
    nlb_gateway_max_concurrent_reconciles: Workers = 3
    """Gateways with network load balancers reconciled at a time."""
    gateway_class_max_concurrent_reconciles: Workers = 3
    """GatewayClasses and their configurations reconciled at a time."""
    globalaccelerator_max_concurrent_reconciles: Workers = 1
    """Global Accelerators reconciled at a time."""
    globalaccelerator_max_exponential_backoff_delay: Seconds = 1000.0
    """Longest wait before a failed Global Accelerator is tried again."""
    lb_stabilization_monitor_interval: Seconds = 120.0
    """Wait before a load balancer that is still provisioning is looked at again."""
    required_secrets_label: str = ""
    """`key=value` label of Secrets that may be read; empty: all."""
    feature_gates: Annotated[FeatureGates, BeforeValidator(key_value_pairs)] = FeatureGates()
    """Switches of whole features."""
    kubeconfig: str = ""
    """Path of a kubeconfig; empty: the pod's service account."""
    watch_namespace: str = ""
    """The only namespace watched; empty: all."""
    sync_period: Seconds = 36000.0
    """Interval at which every object is reconciled without a change."""
    metrics_bind_addr: str = ":8080"
    """Address of `/metrics`."""
    health_probe_bind_addr: str = ":61779"
    """Address of `/healthz` and `/readyz`."""
    webhook_bind_port: int = Field(default=9443, ge=1, le=65535)
    """Port of the admission webhooks."""
    webhook_cert_dir: str = ""
    """Directory of the webhooks' certificate; empty: `k8s-webhook-server/serving-certs` in that for temporary
    files. Without any certificate there, without this flag and without `--webhook-service` no webhooks are
    served."""
    webhook_cert_file: str = ""
    """Certificate in that directory; empty: `tls.crt`."""
    webhook_key_file: str = ""
    """Key in that directory; empty: `tls.key`."""
    webhook_service: str = ""
    """Service in front of the webhooks, as `namespace/name`, or as a name in the namespace of the pod. Given,
    the controller makes and renews the certificate itself, unless there are files (ours)."""
    webhook_secret: str = Field(default="lbcontroller-webhook-certificate", min_length=1)
    """Secret in the namespace of that Service in which all replicas keep the certificate (ours)."""
    webhook_configurations: str = Field(default="lbcontroller", min_length=1)
    """Name of the two webhook configurations that are told to trust the certificate (ours)."""
    kube_ca_pem_filepath: str = ""
    """Authority of the client certificates that webhook callers must show; empty: none asked for."""
    enable_leader_election: Boolean = True
    """Only the replica that holds the lease writes."""
    leader_election_id: str = Field(default="aws-load-balancer-controller-leader", min_length=1)
    """Name of the lease; that of LBC, so that the two never write at the same time."""
    leader_election_namespace: str = ""
    """Namespace of the lease; empty: that of the pod."""

    drift_sweep_interval: Seconds = 30.0
    """Interval at which AWS is compared with what we left there (ours)."""
    drift_sweep_budget: float = Field(default=0.2, gt=0, le=1)
    """Share of the AWS read quota that the drift sweep may use (ours)."""
    empty_endpoints_hold_down: Seconds = 30.0
    """How long ready pods stay registered when their Service has no endpoints any more; 0: not (ours)."""
    status_addresses: StatusAddresses = StatusAddresses.HOSTNAME
    """What the status of Services publishes unless annotated (ours)."""
    drain_sleep_alb: Seconds = 30.0
    """Sleep before containers stop, behind application load balancers, where namespaces ask for it (ours)."""
    drain_sleep_nlb: Seconds = 150.0
    """Sleep before containers stop, behind network load balancers, where namespaces ask for it (ours)."""
    allow_load_balancer_replacement: Boolean = False
    """Let another load balancer, under another hostname, take the place of one that AWS cannot give the name,
    the addresses or the security groups that an object asks for (ours)."""
    replacement_drain_seconds: float = Field(default=300.0, ge=0, allow_inf_nan=False)
    """How long a replaced load balancer lives after its successor took over, in seconds (ours)."""

    @classmethod
    def parse(cls, raw: Mapping[str, str]) -> Settings:
        """Read flags from their wire strings, by flag name without dashes in front.

        Raises:
            InvalidConfig: with every problem of every flag.
        """
        known = {_flag_name(name) for name in cls.model_fields}
        unknown = [
            Problem(
                subject=SUBJECT,
                field=f"--{name}",
                value=raw[name],
                expected="there is no such flag",
                hint=did_you_mean(name, known),
            )
            for name in sorted(raw.keys() - known)
        ]
        try:
            settings = cls.model_validate({name: text for name, text in raw.items() if name in known})
        except ValidationError as error:
            raise InvalidConfig(*unknown, *problems_of(error, raw)) from error
        if unknown:
            raise InvalidConfig(*unknown)
        return settings

    def not_built_yet(self) -> tuple[str, ...]:
        """Return the flags and gates (`feature-gates=Name`) that were given though nothing reads them yet."""
        gates = type(self.feature_gates).model_fields
        given = {_flag_name(name) for name in self.model_fields_set}
        given |= {f"feature-gates={gates[name].alias}" for name in self.feature_gates.model_fields_set}
        return tuple(sorted(given & NOT_BUILT_YET.keys()))

    @field_validator("default_tags", "external_managed_tags")
    @classmethod
    def _leaves_tracking_tags_alone(cls, tags: Any) -> Any:
        if reserved := sorted(RESERVED_TAG_KEYS & set(tags)):
            raise ValueError(f"must leave out the tags that only the controller sets: {', '.join(reserved)}")
        return tags

    @field_validator("external_managed_tags")
    @classmethod
    def _leaves_default_tags_alone(cls, keys: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if both := sorted(set(keys) & set(info.data.get("default_tags", ()))):
            raise ValueError(f"must leave out the keys of --default-tags: {', '.join(both)}")
        return keys

    @field_validator("enable_manage_backend_security_group_rules")
    @classmethod
    def _has_a_backend_security_group(cls, enabled: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic's signature
        if enabled and not info.data.get("enable_backend_security_group", True):
            raise ValueError("must be false, because --enable-backend-security-group is false")
        return enabled

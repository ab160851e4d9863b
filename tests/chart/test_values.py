"""Values: which flags they become, what is refused, and that those of LBC's chart carry over."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from helm_python import HelmError

from lbcontroller.settings import FeatureGates, Settings, ThrottleRule
from tests.support.chart import REQUIRED, chart, container_of, flags_of, rendered

ALL_FLAGS: Mapping[str, Any] = {
    "region": "eu-west-1",
    "vpcId": "vpc-1",
    "vpcTags": {"team": "shop", "stage": "live"},
    "awsApiEndpoints": {"EC2": "https://ec2.example.com"},
    "awsApiThrottle": ["EC2:^Describe=20:40", "ACM:.*=1:2"],
    "awsMaxRetries": 5,
    "logLevel": "debug",
    "leaderElectionID": "other",
    "defaultTargetType": "ip",
    "defaultLoadBalancerScheme": "internet-facing",
    "defaultSSLPolicy": "ELBSecurityPolicy-2016-08",
    "defaultTags": {"team": "shop", "stage": "live"},
    "externalManagedTags": ["cost", "owner"],
    "loadBalancerClass": "example.com/nlb",
    "lbStabilizationMonitorInterval": "3m",
    "enableShield": False,
    "enableWaf": False,
    "enableWafv2": False,
    "maxTargetsPerTargetGroup": 1_000_000,
    "enableEndpointSlices": False,
    "statusAddresses": "both",
    "emptyEndpointsHoldDown": "1m",
    "allowLoadBalancerReplacement": True,
    "replacementDrainSeconds": 12.5,
    "enableBackendSecurityGroup": True,
    "backendSecurityGroup": "sg-1",
    "enableManageBackendSecurityGroupRules": True,
    "disableRestrictedSecurityGroupRules": True,
    "serviceTargetENISGTags": "a=b",
    "ingressClass": "",
    "disableIngressClassAnnotation": True,
    "disableIngressGroupNameAnnotation": True,
    "tolerateNonExistentBackendService": False,
    "tolerateNonExistentBackendAction": False,
    "certDiscovery": {"allowedCertificateAuthorityARNs": "arn:1,arn:2"},
    "certManagement": {"defaultPCAARN": "arn:3"},
    "requiredSecretsLabel": "a=b",
    "watchNamespace": "shop",
    "syncPeriod": "1h30m",
    "ingressMaxConcurrentReconciles": 4,
    "serviceMaxConcurrentReconciles": 5,
    "targetgroupbindingMaxConcurrentReconciles": 6,
    "targetgroupbindingMaxExponentialBackoffDelay": "1m",
    "targetgroupbindingRequeueDuration": "20s",
    "albGatewayMaxConcurrentReconciles": 4,
    "nlbGatewayMaxConcurrentReconciles": 4,
    "globalAcceleratorMaxConcurrentReconciles": 4,
    "globalAcceleratorMaxExponentialBackoffDelay": "1m",
    "driftSweepInterval": "1m",
    "driftSweepBudget": 0.5,
    "controllerConfig": {"featureGates": {"WeightedTargetGroups": False, "EnableRGTAPI": True}},
    "enablePodReadinessGateInject": False,
    "webhookBindPort": 9444,
    "quicEnvironmentVariableName": "QUIC",
    "drainSleepALB": "1s",
    "drainSleepNLB": "2s",
    "metricsBindAddr": ":9000",
}
"""Every value that becomes a flag, other than by default."""
WITHOUT_A_VALUE = {
    "aws_vpc_tag_key": "without effect",
    "enable_leader_election": "two replicas would both write",
    "gateway_class_max_concurrent_reconciles": "LBC's chart has none either",
    "health_probe_bind_addr": "the probes ask there",
    "kube_ca_pem_filepath": "needs a file in the pod: extraVolumes and extraArgs",
    "kubeconfig": "the ServiceAccount is used",
    "webhook_cert_dir": "given where the controller does not make the certificate",
    "webhook_cert_file": "the chart makes the Secret",
    "webhook_key_file": "the chart makes the Secret",
}
"""Settings that only `extraArgs` can give."""
OF_LBC: Mapping[str, Any] = {
    "replicaCount": 3,
    "image": {"tag": "v1", "repository": "registry.example.com/lbcontroller"},
    "serviceAccount": {"create": False, "name": "aws-load-balancer-controller"},
    "rbac": {"create": True},
    "podSecurityContext": {"fsGroup": 65534},
    "securityContext": {"readOnlyRootFilesystem": True, "runAsNonRoot": True},
    "terminationGracePeriodSeconds": 10,
    "priorityClassName": "system-cluster-critical",
    "topologySpreadConstraints": {},
    "autoscaling": {"enabled": False, "minReplicas": 1, "maxReplicas": 5},
    "enableCertManager": False,
    "certManager": {
        "duration": "8760h0m0s",
        "renewBefore": "720h0m0s",
        "rootCert": {"duration": "43800h0m0s"},
    },
    "cluster": {"dnsDomain": "cluster.local"},
    "ingressClassParams": {"create": True, "name": None, "spec": {}},
    "awsApiEndpoints": "EC2=https://ec2.example.com",
    "awsApiThrottle": None,
    "livenessProbe": {
        "failureThreshold": 2,
        "httpGet": {"path": "/healthz", "port": 61779, "scheme": "HTTP"},
    },
    "env": None,
    "hostNetwork": False,
    "dnsPolicy": None,
    "podDisruptionBudget": {"maxUnavailable": 1},
    "webhookTLS": {"caCert": None, "cert": None, "key": None},
    "webhookNamespaceSelectors": None,
    "objectSelector": {"matchExpressions": None, "matchLabels": None},
    "serviceMutatorWebhookConfig": {"failurePolicy": "Fail", "operations": ["CREATE"]},
    "podMutatorWebhookConfig": {"failurePolicy": "Ignore"},
    "webhookConfig": {"disableIngressValidation": None},
    "keepTLSSecret": True,
    "serviceMonitor": {"enabled": False, "interval": "1m", "namespace": None, "additionalLabels": {}},
    "controllerConfig": {"featureGates": {}},
    "certDiscovery": {"allowedCertificateAuthorityARNs": ""},
    "creator": "helm",
}
"""Values as files for LBC's chart have them, also in the forms that look odd here."""


def settings(**values: Any) -> Settings:
    return Settings.parse(flags_of(rendered(**values)))


def test_by_default_only_the_installation_itself_is_decided() -> None:
    assert settings().model_fields_set == {
        "cluster_name",
        "ingress_class",
        "leader_election_id",
        "leader_election_namespace",
        "webhook_configurations",
        "webhook_secret",
        "webhook_service",
    }


def test_every_setting_has_a_value_of_the_chart() -> None:
    assert settings(**ALL_FLAGS).model_fields_set == Settings.model_fields.keys() - WITHOUT_A_VALUE.keys()


def test_what_is_given_arrives() -> None:
    given = settings(**ALL_FLAGS)

    assert given.default_tags == {"team": "shop", "stage": "live"}
    assert given.external_managed_tags == ("cost", "owner")
    assert given.max_targets_per_target_group == 1_000_000
    assert given.aws_api_throttle == (
        ThrottleRule("EC2", "^Describe", 20.0, 40),
        ThrottleRule("ACM", ".*", 1.0, 2),
    )
    assert given.feature_gates == FeatureGates(weighted_target_groups=False, enable_rgt_api=True)
    assert given.allowed_certificate_authority_arns == ("arn:1", "arn:2")
    assert (given.ingress_class, given.enable_waf, given.replacement_drain_seconds) == ("", False, 12.5)


def test_flags_without_a_value_are_given_by_name() -> None:
    given = settings(extraArgs={"kube-ca-pem-filepath": "/ca.pem", "log-level": "debug"}, logLevel="info")
    assert (given.kube_ca_pem_filepath, given.log_level) == ("/ca.pem", "debug")


def test_values_of_the_chart_of_lbc_carry_over() -> None:
    given = settings(**OF_LBC)
    assert given.aws_api_endpoints == {"EC2": "https://ec2.example.com"}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"clusterName": ""}, "clusterName"),
        ({"image": {"repository": ""}}, "repository"),
        ({"image": {"repository": "public.ecr.aws/eks/aws-load-balancer-controller"}}, "repository"),
        ({"defaultTargetTyp": "ip"}, "defaultTargetTyp"),
        ({"defaultTargetType": "pod"}, "defaultTargetType"),
        ({"enableWaf": "yes"}, "enableWaf"),
        ({"syncPeriod": "1 hour"}, "syncPeriod"),
        ({"driftSweepBudget": 2}, "driftSweepBudget"),
        ({"webhookTLS": {"caCert": "a"}}, "webhookTLS"),
    ],
)
def test_a_mistake_is_refused_and_named(wrong: Mapping[str, Any], named: str) -> None:
    with pytest.raises(HelmError, match=named):
        chart().render({**REQUIRED, **wrong})


def test_the_image_is_that_of_the_chart_s_version() -> None:
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"][
        "version"
    ]
    assert (chart().metadata["version"], chart().metadata["appVersion"]) == (version, version)
    assert container_of(rendered())["image"] == f"registry.example.com/lbcontroller:{version}"


def test_a_digest_goes_before_a_tag() -> None:
    image = {"repository": "a/b", "tag": "c", "digest": "sha256:" + "0" * 64}
    assert container_of(rendered(image=image))["image"] == f"a/b@{image['digest']}"


def test_every_default_is_described_and_every_description_has_a_default() -> None:
    assert named(chart().values) == described(chart().schema) - NOT_IN_VALUES


NOT_IN_VALUES = {
    "autoscaling",
    "certManager.rootCert.duration",
    "creator",
    "global",
    "serviceMutatorWebhookConfig.operations",
}
"""Accepted, and ignored."""


def described(schema: Mapping[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, part in schema["properties"].items():
        found |= described(part, f"{prefix}{name}.") if "properties" in part else {prefix + name}
    return found


def named(values: Mapping[str, Any], prefix: str = "") -> set[str]:
    known = described(chart().schema)
    found = set()
    for name, value in values.items():
        path = prefix + name
        found |= {path} if path in known or not isinstance(value, Mapping) else named(value, f"{path}.")
    return found

"""Everything a controller can make in AWS, in a normal form in which two runs compare.

Ids become names, hashes that depend on Kubernetes UIDs become `<hash>`, pod addresses `<pod>` and node ports
`<nodePort>`. A target group is shown as the readable part of its name and its resource tag.

Shape of the result (JSON):

    load_balancers   name → type, scheme, ip_address_type, zones, security_groups, attributes, tags, listeners
        listeners    "port/protocol" → fields of DescribeListeners, tags, certificates, attributes, rules
    target_groups    name → fields of DescribeTargetGroups, attributes, tags, targets, load_balancers
        targets      "id:port", with "@zone" where one was given
    security_groups  name → description, ingress (one entry per peer), tags
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lbcontroller.local.aws.world import SeededWorld

Json = Any
Answer = Mapping[str, Any]

TAGS_PER_CALL: Final = 20
"""ResourceArns of DescribeTags."""
NODE_PORTS: Final = range(30000, 32768)
"""Kubernetes' default `--service-node-port-range`."""
_NODE_PORT: Final = "<nodePort>"
_PORT_FIELDS: Final = frozenset({"Port", "HealthCheckPort", "FromPort", "ToPort"})
_RESOURCE_TAG: Final = ".k8s.aws/resource"
_TARGET_GROUP_NAME: Final = re.compile(r"(k8s-[a-z0-9-]*?-?)[0-9a-f]{10}")
_LOAD_BALANCER_EXTRAS: Final = (
    "CustomerOwnedIpv4Pool",
    "EnablePrefixForIpv6SourceNat",
    "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
)
_LISTENER_FIELDS: Final = ("Protocol", "SslPolicy", "AlpnPolicy", "MutualAuthentication", "DefaultActions")
_TARGET_GROUP_FIELDS: Final = (
    "Protocol",
    "ProtocolVersion",
    "Port",
    "TargetType",
    "IpAddressType",
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "HealthCheckPath",
    "Matcher",
)
_PEERS: Final = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
    "UserIdGroupPairs": "GroupId",
}
_UNCHANGED: Final = {
    "Protocol": "#{protocol}",
    "Host": "#{host}",
    "Port": "#{port}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
_UID_HASHES: Final = (
    (re.compile(r"\bk8s-traffic-([\w-]+?)-[0-9a-f]{10}\b"), r"k8s-traffic-\1-<hash>"),
    (re.compile(r"\b(k8s-[a-z0-9-]*?-?)[0-9a-f]{10}(?!<)\b"), r"\1<hash>"),
    (re.compile(r"-(?:[0-9a-f]{16}|\d{6,10})\.((?:elb\.)?[a-z]{2}(?:-[a-z]+)+-\d\b)"), r"-<id>.\1"),
    (re.compile(r"RequestID: [A-Za-z0-9-]+"), "RequestID: <id>"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The state of an account, and the names to translate other documents of the same run with."""

    state: dict[str, Any]
    names: Mapping[str, str]
    """Readable name by id or ARN, and by target group name."""

    def named(self, document: Json) -> Json:
        """A JSON document (a binding, an event) in the same normal form."""
        return anonymous(_renamed(document, self.names))


def observed_state(world: SeededWorld) -> dict[str, Any]:
    """The normal form of everything a controller made in the seeded account."""
    return observe(world).state


def observe(world: SeededWorld) -> Observation:
    """The state of the account with the names found on the way."""
    reading = _Reading(world)
    state = reading.read()
    names = {**reading.names, **reading.aliases}
    return Observation(state=anonymous(_renamed(_with_node_ports(state), names)), names=names)


def anonymous(document: Json) -> Json:
    """Hashes that depend on UIDs, AWS's own suffixes and request ids become `<hash>` and `<id>`."""
    text = json.dumps(document)
    for pattern, replacement in _UID_HASHES:
        text = pattern.sub(replacement, text)
    return json.loads(text)


class _Reading:
    """One pass over the account."""

    def __init__(self, world: SeededWorld) -> None:
        self._elb = world.aws.client("elbv2")
        self._ec2 = world.aws.client("ec2")
        self._vpc_id = world.vpc_id
        self.names = dict(world.names)
        self.aliases: dict[str, str] = {}
        self._pod_ips = {ip for node in world.nodes for ip in node.pod_ips}

    def read(self) -> dict[str, Any]:
        """The state with ids in it; names and aliases are complete after it."""
        load_balancers = self._pages("describe_load_balancers", "LoadBalancers")
        target_groups = self._pages("describe_target_groups", "TargetGroups")
        of_vpc = [{"Name": "vpc-id", "Values": [self._vpc_id]}]
        groups = self._ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]
        for item in load_balancers:
            self.names[item["LoadBalancerArn"]] = f"lb/{item['LoadBalancerName']}"
        for item in target_groups:
            self.names[item["TargetGroupArn"]] = f"tg/{item['TargetGroupName']}"
        for item in groups:
            self.names[item["GroupId"]] = f"sg/{item['GroupName']}"
        tags = self._tags(
            [item["LoadBalancerArn"] for item in load_balancers]
            + [item["TargetGroupArn"] for item in target_groups]
        )
        for item in target_groups:
            self._alias(item["TargetGroupName"], tags[item["TargetGroupArn"]])
        return {
            "load_balancers": {
                item["LoadBalancerName"]: self._load_balancer(item, tags[item["LoadBalancerArn"]])
                for item in load_balancers
            },
            "target_groups": {
                item["TargetGroupName"]: self._target_group(item, tags[item["TargetGroupArn"]])
                for item in target_groups
            },
            "security_groups": {
                item["GroupName"]: _security_group(item) for item in groups if not _is_untouched(item)
            },
        }

    def _pages(self, operation: str, member: str, **params: str) -> list[dict[str, Any]]:
        pages = self._elb.get_paginator(operation).paginate(**params)
        return [item for page in pages for item in page[member]]

    def _tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        tags = {}
        for start in range(0, len(arns), TAGS_PER_CALL):
            batch = arns[start : start + TAGS_PER_CALL]
            for item in self._elb.describe_tags(ResourceArns=batch)["TagDescriptions"]:
                tags[item["ResourceArn"]] = _pairs(item["Tags"])
        return tags

    def _alias(self, name: str, tags: Mapping[str, str]) -> None:
        resource = next((value for key, value in tags.items() if key.endswith(_RESOURCE_TAG)), None)
        readable = _TARGET_GROUP_NAME.fullmatch(name)
        if resource and readable:
            self.aliases[name] = f"{readable[1]}<{resource}>"

    def _named(self, resource_id: str) -> str:
        return self.names.get(resource_id, resource_id)

    def _load_balancer(self, item: Answer, tags: Mapping[str, str]) -> dict[str, Any]:
        arn = item["LoadBalancerArn"]
        attributes = self._elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        zones = [{k: v for k, v in zone.items() if k != "ZoneName"} for zone in item["AvailabilityZones"]]
        listeners = self._pages("describe_listeners", "Listeners", LoadBalancerArn=arn)
        listener_tags = self._tags([listener["ListenerArn"] for listener in listeners])
        return {
            "type": item["Type"],
            "scheme": item.get("Scheme"),
            "ip_address_type": item.get("IpAddressType"),
            "zones": sorted(zones, key=lambda zone: self._named(zone["SubnetId"])),
            "security_groups": sorted(item.get("SecurityGroups") or (), key=self._named),
            "attributes": _pairs(attributes),
            "tags": tags,
            "listeners": {
                f"{listener['Port']}/{listener['Protocol']}": self._listener(
                    listener, listener_tags[listener["ListenerArn"]]
                )
                for listener in sorted(listeners, key=lambda listener: listener["Port"])
            },
            **{key: item[key] for key in _LOAD_BALANCER_EXTRAS if item.get(key)},
        }

    def _listener(self, item: Answer, tags: Mapping[str, str]) -> dict[str, Any]:
        arn = item["ListenerArn"]
        state: dict[str, Any] = {key: item[key] for key in _LISTENER_FIELDS if item.get(key)}
        state["DefaultActions"] = [_action(action) for action in item["DefaultActions"]]
        state["tags"] = tags
        if default := item.get("Certificates"):
            listed = self._pages("describe_listener_certificates", "Certificates", ListenerArn=arn)
            state["certificates"] = {
                "default": [certificate["CertificateArn"] for certificate in default],
                "sni": sorted(
                    self._named(certificate["CertificateArn"])
                    for certificate in listed
                    if not certificate.get("IsDefault")
                ),
            }
        state["attributes"] = _pairs(self._elb.describe_listener_attributes(ListenerArn=arn)["Attributes"])
        rules = [
            rule for rule in self._pages("describe_rules", "Rules", ListenerArn=arn) if not rule["IsDefault"]
        ]
        if rules:
            rule_tags = self._tags([rule["RuleArn"] for rule in rules])
            state["rules"] = [
                _rule(rule, rule_tags[rule["RuleArn"]])
                for rule in sorted(rules, key=lambda rule: int(rule["Priority"]))
            ]
        return state

    def _target_group(self, item: Answer, tags: Mapping[str, str]) -> dict[str, Any]:
        arn = item["TargetGroupArn"]
        attributes = self._elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        health = self._elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        state: dict[str, Any] = {
            key: item[key] for key in _TARGET_GROUP_FIELDS if item.get(key) not in (None, {})
        }
        state["attributes"] = _pairs(attributes)
        state["tags"] = tags
        state["targets"] = sorted(
            self._target(item["Target"]) for item in health if item["TargetHealth"]["State"] != "draining"
        )
        state["load_balancers"] = sorted(item.get("LoadBalancerArns") or ())
        return state

    def _target(self, target: Answer) -> str:
        name = "<pod>" if target["Id"] in self._pod_ips else self._named(target["Id"])
        port = target.get("Port")
        zone = f"@{target['AvailabilityZone']}" if target.get("AvailabilityZone") else ""
        return f"{name}:{_NODE_PORT if port in NODE_PORTS else port}{zone}"


def _action(item: Answer) -> Answer:
    """An action without the parts of a redirect that change nothing."""
    redirect = item.get("RedirectConfig")
    if redirect is None:
        return item
    parts = {key: value for key, value in redirect.items() if _UNCHANGED.get(key) != value}
    return {**item, "RedirectConfig": parts}


def _rule(item: Answer, tags: Mapping[str, str]) -> dict[str, Any]:
    state: dict[str, Any] = {
        "priority": item["Priority"],
        "conditions": _sorted(item["Conditions"]),
        "actions": [_action(action) for action in item["Actions"]],
        "tags": tags,
    }
    if item.get("Transforms"):
        state["transforms"] = item["Transforms"]
    return state


def _security_group(item: Answer) -> dict[str, Any]:
    ingress = []
    for permission in item.get("IpPermissions", ()):
        ports = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
        for peers, key in _PEERS.items():
            ingress += [
                {**ports, "peer": peer[key], "description": peer.get("Description", "")}
                for peer in permission.get(peers, ())
            ]
    return {
        "description": item["Description"],
        "ingress": _sorted(ingress),
        "tags": _pairs(item.get("Tags", ())),
    }


def _is_untouched(item: Answer) -> bool:
    """Groups that are part of the world and show nothing a controller did."""
    return item["GroupName"] in {"default", "custom-front"} and not item.get("IpPermissions")


def _pairs(items: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in sorted(items, key=lambda item: item["Key"])}


def _sorted(items: Iterable[Answer]) -> list[Answer]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _with_node_ports(document: Json) -> Json:
    """The document with the ports the API server picked at random replaced."""
    if isinstance(document, list):
        return [_with_node_ports(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {
        key: _NODE_PORT if key in _PORT_FIELDS and _is_node_port(value) else _with_node_ports(value)
        for key, value in document.items()
    }


def _is_node_port(value: object) -> bool:
    return str(value).isdecimal() and int(str(value)) in NODE_PORTS


def _renamed(document: Json, names: Mapping[str, str]) -> Json:
    """The document with every id replaced by its name, the longest id first."""
    text = json.dumps(document)
    for key in sorted(names, key=len, reverse=True):
        text = text.replace(key, names[key])
    return json.loads(text)

"""Recorded load balancers with their listeners and rules, put into the embedded AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lbcontroller.local.cluster import LocalCluster
from tests.support.recorded_ids import RecordedIds, changed_attributes, resource_of, tag_list
from tests.support.recorded_owners import RecordedOwner

Json = Any
JsonObject = dict[str, Any]

FRONTEND_NLB: Final = "FrontendNlb"
"""The resource that stands before the load balancer whose name it takes over."""
_LISTENER_FIELDS: Final = ("SslPolicy", "AlpnPolicy", "MutualAuthentication")
_DETAILS: Final = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}
"""Conditions whose values AWS shows twice, by where the others are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLoadBalancers:
    """Makes load balancers with a client that no test counts."""

    owner: RecordedOwner
    ids: RecordedIds
    cluster: LocalCluster
    secrets: Mapping[str, str]
    """What OIDC clients prove themselves with, by their ids."""

    @property
    def _elb(self) -> Any:
        return self.cluster.aws.client("elbv2")

    def put(self, load_balancers: JsonObject) -> Mapping[str, str]:
        """Make load balancers as recorded; return their hostnames in lower case, by recorded name."""
        behind = next(
            (item["scheme"] for item in load_balancers.values() if resource_of(item) != FRONTEND_NLB), ""
        )
        hostnames = {}
        for name, item in load_balancers.items():
            named_after = behind if resource_of(item) == FRONTEND_NLB else item["scheme"]
            made = self._make(item, self.owner.load_balancer_name(name, named_after))
            self.ids.enter(f"lb/{name}", made["LoadBalancerArn"])
            hostnames[name] = made["DNSName"].lower()
            for place, listener in item["listeners"].items():
                self._make_listener(made["LoadBalancerArn"], int(place.partition("/")[0]), listener)
        return hostnames

    def _make(self, item: JsonObject, name: str) -> JsonObject:
        groups = self.ids.resolved(item["security_groups"])
        made: JsonObject = self._elb.create_load_balancer(
            Name=name,
            Type=item["type"],
            Scheme=item["scheme"],
            IpAddressType=item["ip_address_type"],
            SubnetMappings=[self._subnet_mapping(zone) for zone in item["zones"]],
            Tags=tag_list(item["tags"]),
            **({"SecurityGroups": groups} if groups else {}),
        )["LoadBalancers"][0]
        arn = made["LoadBalancerArn"]
        present = self._elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        if changed := changed_attributes(item["attributes"], present):
            self._elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=changed)
        return made

    def _subnet_mapping(self, zone: JsonObject) -> JsonObject:
        mapping = {"SubnetId": self.ids[zone["SubnetId"]]}
        for address in zone["LoadBalancerAddresses"]:
            if "AllocationId" in address:
                mapping["AllocationId"] = self.ids[address["AllocationId"]]
            elif "PrivateIPv4Address" in address:
                mapping["PrivateIPv4Address"] = address["PrivateIPv4Address"]
        return mapping

    def _make_listener(self, load_balancer: str, port: int, listener: JsonObject) -> None:
        certificates = self.ids.resolved(listener.get("certificates", {"default": [], "sni": []}))
        options: JsonObject = {key: listener[key] for key in _LISTENER_FIELDS if key in listener}
        if certificates["default"]:
            options["Certificates"] = [{"CertificateArn": arn} for arn in certificates["default"]]
        made = self._elb.create_listener(
            LoadBalancerArn=load_balancer,
            Port=port,
            Protocol=listener["Protocol"],
            DefaultActions=self._actions(listener["DefaultActions"]),
            Tags=tag_list(listener["tags"]),
            **options,
        )
        arn = made["Listeners"][0]["ListenerArn"]
        for further in certificates["sni"]:
            self._elb.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": further}])
        present = self._elb.describe_listener_attributes(ListenerArn=arn)["Attributes"]
        if changed := changed_attributes(listener["attributes"], present):
            self._elb.modify_listener_attributes(ListenerArn=arn, Attributes=changed)
        for rule in listener.get("rules", ()):
            self._make_rule(arn, rule)

    def _make_rule(self, listener: str, rule: JsonObject) -> None:
        self._elb.create_rule(
            ListenerArn=listener,
            Priority=int(rule["priority"]),
            Conditions=[_condition(condition) for condition in rule["conditions"]],
            Actions=self._actions(rule["actions"]),
            Tags=tag_list(rule["tags"]),
            **({"Transforms": rule["transforms"]} if "transforms" in rule else {}),
        )

    def _actions(self, actions: Json) -> Json:
        """Return actions as LBC sends them: the secrets of OIDC clients are not in what AWS shows."""
        resolved = self.ids.resolved(actions)
        return [
            {**action, "AuthenticateOidcConfig": {**oidc, "ClientSecret": self.secrets[oidc["ClientId"]]}}
            if (oidc := action.get("AuthenticateOidcConfig"))
            else action
            for action in resolved
        ]


def _condition(condition: JsonObject) -> JsonObject:
    """Return a condition with its values in one place only, as AWS wants it."""
    if _DETAILS.get(condition["Field"]) in condition:
        return {key: value for key, value in condition.items() if key != "Values"}
    return condition

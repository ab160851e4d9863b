"""What a probe of AWS's behaviour works with, on strict moto or on plain moto alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

Client = Any
Answer = Any
"""JSON: plain moto's answers come out of another process."""

FIXED_404 = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def forward(*target_groups: str) -> list[dict[str, Any]]:
    return [
        {
            "Type": "forward",
            "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": arn} for arn in target_groups]},
        }
    ]


def path_condition(*paths: str) -> list[dict[str, Any]]:
    return [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}}]


class Bench:
    """Clients, a VPC with two public subnets, and shorthands for making things in it."""

    def __init__(self, client: Callable[[str], Client], region: str) -> None:
        self.elb, self.ec2, self.acm = client("elbv2"), client("ec2"), client("acm")
        self.tagging, self.dns = client("resourcegroupstaggingapi"), client("route53")
        self.waf, self.waf_classic, self.shield = client("wafv2"), client("waf-regional"), client("shield")
        self._numbers = iter(range(10_000))
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"][
            "VpcId"
        ]
        self.subnets = [
            self.ec2.create_subnet(
                VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{region}{zone}"
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]
        self.certificates = [
            self.acm.request_certificate(DomainName=domain)["CertificateArn"]
            for domain in ("a.example.com", "b.example.com")
        ]

    def name(self) -> str:
        """A name nobody has used."""
        return f"probe-{next(self._numbers)}"

    def outcome(self, call: Callable[..., Any], **params: Any) -> str:
        """`ok`, or the error the caller meets."""
        try:
            call(**params)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        except Exception as error:  # noqa: BLE001 - plain moto lets any exception out of a boto call
            return type(error).__name__
        return "ok"

    def load_balancer(self, **params: Any) -> dict[str, Any]:
        params = {"Name": self.name(), **params}
        if "SubnetMappings" not in params:
            params = {"Subnets": self.subnets, **params}
        found: dict[str, Any] = self.elb.create_load_balancer(**params)["LoadBalancers"][0]
        return found

    def load_balancer_arn(self, **params: Any) -> str:
        return str(self.load_balancer(**params)["LoadBalancerArn"])

    def described(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
        return found

    def target_group(self, **params: Any) -> dict[str, Any]:
        params = {
            "Name": self.name(),
            "Protocol": "HTTP",
            "Port": 80,
            "VpcId": self.vpc,
            "TargetType": "ip",
            **params,
        }
        found: dict[str, Any] = self.elb.create_target_group(**params)["TargetGroups"][0]
        return found

    def target_group_arn(self, **params: Any) -> str:
        return str(self.target_group(**params)["TargetGroupArn"])

    def listener(self, owner: str, **params: Any) -> dict[str, Any]:
        params = {"Protocol": "HTTP", "Port": 80, "DefaultActions": FIXED_404, **params}
        found: dict[str, Any] = self.elb.create_listener(LoadBalancerArn=owner, **params)["Listeners"][0]
        return found

    def listener_arn(self, owner: str = "", **params: Any) -> str:
        return str(self.listener(owner or self.load_balancer_arn(), **params)["ListenerArn"])

    def https_listener_arn(self) -> str:
        certificate = {"CertificateArn": self.certificates[0]}
        return self.listener_arn(Protocol="HTTPS", Port=443, Certificates=[certificate])

    def network_listener_arn(self, protocol: str) -> str:
        owner = self.load_balancer_arn(Type="network")
        group = self.target_group_arn(Protocol="TCP_UDP")
        params: dict[str, Any] = {"Protocol": protocol, "DefaultActions": forward(group)}
        if protocol == "TLS":
            params["Certificates"] = [{"CertificateArn": self.certificates[0]}]
        return self.listener_arn(owner, **params)

    def listener_again(self, arn: str) -> dict[str, Any]:
        found: dict[str, Any] = self.elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
        return found

    def rule(self, listener: str, priority: int, **params: Any) -> dict[str, Any]:
        params = {"Conditions": path_condition(f"/{priority}"), "Actions": FIXED_404, **params}
        made: dict[str, Any] = self.elb.create_rule(ListenerArn=listener, Priority=priority, **params)
        found: dict[str, Any] = made["Rules"][0]
        return found

    def rule_arn(self, listener: str, priority: int, **params: Any) -> str:
        return str(self.rule(listener, priority, **params)["RuleArn"])

    def security_group(self) -> str:
        group = self.ec2.create_security_group(GroupName=self.name(), Description="d", VpcId=self.vpc)
        return str(group["GroupId"])


def attributes(answer: Mapping[str, Any]) -> dict[str, str]:
    return {item["Key"]: item["Value"] for item in answer["Attributes"]}


def all_pages(call: Callable[..., Any], member: str, **params: Any) -> Iterator[list[Any]]:
    """The pages of an ELBv2 answer."""
    marker: dict[str, str] = {}
    while True:
        answer = call(**params, **marker)
        yield answer[member]
        if not answer.get("NextMarker"):
            return
        marker = {"Marker": answer["NextMarker"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A question about AWS's behaviour that plain moto answers differently."""

    name: str
    ask: Callable[[Bench], Answer]
    aws_answers: Answer


class Probes:
    """A table of probes, filled by decorating their functions."""

    def __init__(self) -> None:
        self.table: list[Probe] = []

    def __call__(self, aws_answers: Answer) -> Callable[[Callable[[Bench], Answer]], None]:
        def enter(ask: Callable[[Bench], Answer]) -> None:
            self.table.append(Probe(name=ask.__name__, ask=ask, aws_answers=aws_answers))

        return enter

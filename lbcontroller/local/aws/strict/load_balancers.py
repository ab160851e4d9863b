"""Load balancers: creation with AWS's checks and idempotency, placement, attributes, deletion protection."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import InvalidSubnetIdError
from moto.moto_api._internal import mock_random

from lbcontroller.local.aws.strict.attributes import load_balancer_attributes
from lbcontroller.local.aws.strict.backend import StrictBackend, StrictCalls
from lbcontroller.local.aws.strict.errors import invalid, refused
from lbcontroller.local.aws.strict.paging import page
from lbcontroller.local.aws.strict.resources import NewLoadBalancer, Placement, StrictLoadBalancer
from lbcontroller.local.aws.strict.tags import check_tags

MAX_NAME_LENGTH: Final = 32
"""CreateLoadBalancer, Name."""
MAX_ARNS_PER_DESCRIBE: Final = 20
"""DescribeLoadBalancers, LoadBalancerArns."""
MIN_APPLICATION_ZONES: Final = 2
"""CreateLoadBalancer: subnets of an Application Load Balancer come from at least two zones."""
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_ARN_FAMILY: Final = {"application": "app", "network": "net", "gateway": "gwy"}
_IP_ADDRESS_TYPES: Final = {
    "application": ("ipv4", "dualstack", "dualstack-without-public-ipv4"),
    "network": ("ipv4", "dualstack"),
    "gateway": ("ipv4", "dualstack"),
}


class LoadBalancerCalls(StrictCalls):
    """The API calls about load balancers."""

    def create_load_balancer(self) -> ActionResult:
        """Create a load balancer, or answer the existing one for the same request."""
        backend, params = self.elbv2_backend, self._get_params()
        check_tags(params.get("Tags"))
        request = _checked(backend, params)
        for existing in backend.load_balancers.values():
            if existing.name == request.name:
                if _same(existing, request):
                    return ActionResult({"LoadBalancers": [existing]})
                raise refused(
                    "DuplicateLoadBalancerName",
                    f"A load balancer with the same name '{request.name}' exists, "
                    "but with different settings",
                )
        suffix = mock_random.get_random_hex(16)
        created = StrictLoadBalancer(  # type: ignore[abstract] # moto's bases are abstract by name only
            request, arn=_arn(backend, request, suffix), dns_name=_dns_name(backend, request, suffix)
        )
        if request.kind == "network":
            created.enable_prefix_for_ipv6_source_nat = params.get("EnablePrefixForIpv6SourceNat") or "off"
        created.ipam_pools = params.get("IpamPools") or None
        created.customer_owned_ipv4_pool = params.get("CustomerOwnedIpv4Pool") or None
        backend.load_balancers[created.arn] = created
        backend.tagging_service.tag_resource(created.arn, params.get("Tags"))
        return ActionResult({"LoadBalancers": [created]})

    def describe_load_balancers(self) -> ActionResult:
        """Load balancers by ARN, by name or all; one that is missing fails the call."""
        params, known = self._get_params(), self.elbv2_backend.load_balancers
        for load_balancer in known.values():
            load_balancer.activate()
        arns, names = params.get("LoadBalancerArns") or [], params.get("Names") or []
        if len(arns) > MAX_ARNS_PER_DESCRIBE:
            raise invalid(f"Up to '{MAX_ARNS_PER_DESCRIBE}' load balancer ARNs can be specified")
        wanted = names or arns
        found = {item.name: item for item in known.values()} if names else known
        missing = [key for key in wanted if key not in found]
        if missing:
            raise refused("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        selected = [found[key] for key in dict.fromkeys(wanted)] if wanted else list(known.values())
        return page(selected, "LoadBalancers", size=params.get("PageSize"), marker=params.get("Marker"))

    def delete_load_balancer(self) -> ActionResult:
        """Delete a load balancer with its listeners; succeeds when it is already gone."""
        backend, arn = self.elbv2_backend, self._get_params()["LoadBalancerArn"]
        if arn not in backend.load_balancers:
            return EmptyResult()
        doomed = backend.load_balancer(arn)
        if doomed.attrs["deletion_protection.enabled"] == "true":
            raise refused(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        if backend.leading_to(arn):
            raise refused(
                "ResourceInUse",
                f"Load balancer '{arn}' cannot be deleted because it is currently associated with another "
                "service",
            )
        for listener in doomed.listeners.values():
            for rule in listener.rules.values():
                backend.usage.detach(arn, rule.actions)
            backend.forget_tags([listener.arn, *(rule.arn for rule in listener.rules.values())])
        backend.forget_tags([arn])
        del backend.load_balancers[arn]
        return EmptyResult()

    def set_subnets(self) -> ActionResult:
        """Replace the subnets; a Network Load Balancer may have just one."""
        backend, params = self.elbv2_backend, self._get_params()
        changed = backend.load_balancer(params["LoadBalancerArn"])
        changed.place(_placements(backend, changed.type, params))
        if kind := params.get("IpAddressType"):
            changed.ip_address_type = kind
        if prefix := params.get("EnablePrefixForIpv6SourceNat"):
            changed.enable_prefix_for_ipv6_source_nat = prefix
        return ActionResult(
            {
                "AvailabilityZones": changed.availability_zones,
                "IpAddressType": changed.ip_address_type,
                "EnablePrefixForIpv6SourceNat": changed.enable_prefix_for_ipv6_source_nat,
            }
        )

    def set_security_groups(self) -> ActionResult:
        """Replace the security groups, where the load balancer may have any."""
        backend, params = self.elbv2_backend, self._get_params()
        changed = backend.load_balancer(params["LoadBalancerArn"])
        groups = list(params.get("SecurityGroups") or ())
        _check_security_groups(backend, groups)
        if changed.type == "network" and not changed.made_with_security_groups:
            raise refused(
                "InvalidConfigurationRequest",
                f"You cannot set security groups for load balancer '{changed.arn}' "
                "because it was created without security groups",
            )
        if changed.type == "application" and not groups:
            raise refused("InvalidConfigurationRequest", "At least one security group must be specified")
        changed.security_groups = groups
        answer: dict[str, Any] = {"SecurityGroupIds": groups}
        if enforce := params.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"):
            changed.enforce_security_group_inbound_rules_on_private_link_traffic = enforce
            answer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = enforce
        return ActionResult(answer)

    def set_ip_address_type(self) -> ActionResult:
        """Change the IP address type to one the load balancer type supports."""
        params = self._get_params()
        changed = self.elbv2_backend.load_balancer(params["LoadBalancerArn"])
        _check_ip_address_type(changed.type, params["IpAddressType"])
        changed.ip_address_type = params["IpAddressType"]
        return ActionResult({"IpAddressType": changed.ip_address_type})

    def modify_load_balancer_attributes(self) -> ActionResult:
        """Change attributes the load balancer type has; answers all of them."""
        params = self._get_params()
        changed = self.elbv2_backend.load_balancer(params["LoadBalancerArn"])
        wanted = {item["Key"]: item.get("Value", "") for item in params["Attributes"]}
        _check_attributes(changed, wanted)
        changed.attrs.update(wanted)
        return ActionResult({"Attributes": changed.attrs})


def _checked(backend: StrictBackend, params: Mapping[str, Any]) -> NewLoadBalancer:
    name, kind = params["Name"], params.get("Type") or "application"
    _check_name(name)
    ip_address_type = params.get("IpAddressType") or "ipv4"
    _check_ip_address_type(kind, ip_address_type)
    placements = _placements(backend, kind, params)
    groups = list(params.get("SecurityGroups") or ())
    _check_security_groups(backend, groups)
    if kind == "application" and not groups:
        default = backend.ec2_backend.get_default_security_group(placements[0].subnet.vpc_id)
        groups = [default.id] if default else []
    return NewLoadBalancer(
        name=name,
        kind=kind,
        scheme=params.get("Scheme") or (None if kind == "gateway" else "internet-facing"),
        ip_address_type=ip_address_type,
        placements=placements,
        security_groups=groups,
    )


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME_LENGTH:
        raise invalid(f"Load balancer name '{name}' cannot be longer than '{MAX_NAME_LENGTH}' characters")
    if not _NAME.fullmatch(name):
        raise invalid(
            f"Load balancer name '{name}' can only contain characters that are "
            "alphanumeric characters or hyphens(-)"
        )
    if name.startswith("internal-"):
        raise invalid(f"Load balancer name '{name}' cannot begin with 'internal-'")


def _check_ip_address_type(kind: str, ip_address_type: str) -> None:
    if ip_address_type not in _IP_ADDRESS_TYPES[kind]:
        raise invalid(f"IP address type '{ip_address_type}' is not supported")


def _check_security_groups(backend: StrictBackend, groups: Sequence[str]) -> None:
    for group in groups:
        if backend.ec2_backend.get_security_group_from_id(group) is None:
            raise refused("InvalidSecurityGroup", f"The security groups '{group}' do not exist")


def _placements(backend: StrictBackend, kind: str, params: Mapping[str, Any]) -> list[Placement]:
    subnets, mappings = params.get("Subnets") or [], params.get("SubnetMappings") or []
    if not subnets and not mappings:
        raise invalid("A subnet must be specified")
    if subnets and mappings:
        raise invalid("You must specify either subnets or subnet mappings, but not both")
    placed = [
        _placement(backend, mapping) for mapping in mappings or [{"SubnetId": item} for item in subnets]
    ]
    zones = {item.subnet.availability_zone for item in placed}
    if len(zones) != len(placed):
        raise refused(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if kind == "application" and len(placed) < MIN_APPLICATION_ZONES:
        raise invalid("At least two subnets in two different Availability Zones must be specified")
    if len({item.subnet.vpc_id for item in placed}) > 1:
        raise refused("InvalidSubnet", "All subnets must belong to the same VPC")
    return placed


def _placement(backend: StrictBackend, mapping: Mapping[str, str]) -> Placement:
    ec2 = backend.ec2_backend
    try:
        subnet = ec2.get_subnet(mapping["SubnetId"])
    except InvalidSubnetIdError:
        raise refused("SubnetNotFound", f"The subnet ID '{mapping['SubnetId']}' does not exist") from None
    address: dict[str, str] = {}
    if allocation := mapping.get("AllocationId"):
        public = {item.allocation_id: item.public_ip for item in ec2.addresses}
        if allocation not in public:
            raise refused("AllocationIdNotFound", f"The allocation IDs '{allocation}' do not exist")
        address = {"IpAddress": public[allocation], "AllocationId": allocation}
    if private := mapping.get("PrivateIPv4Address"):
        if not _inside(private, subnet.cidr_block):
            raise refused(
                "InvalidConfigurationRequest",
                f"Private IP {private} is not in the CIDR of subnet {subnet.id}",
            )
        address["PrivateIPv4Address"] = private
    if fixed := mapping.get("IPv6Address"):
        address["IPv6Address"] = fixed
    return Placement(subnet=subnet, address=address)


def _inside(address: str, cidr: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(cidr)
    except ValueError:
        return False


def _same(existing: Any, request: NewLoadBalancer) -> bool:
    subnets = {placement.subnet.id for placement in request.placements}
    return (
        existing.type == request.kind
        and existing.scheme == request.scheme
        and sorted(existing.security_groups) == sorted(request.security_groups)
        and {subnet.id for subnet in existing.subnets} == subnets
    )


def _arn(backend: StrictBackend, request: NewLoadBalancer, suffix: str) -> str:
    return (
        f"arn:{backend.partition}:elasticloadbalancing:{backend.region_name}:{backend.account_id}"
        f":loadbalancer/{_ARN_FAMILY[request.kind]}/{request.name}/{suffix}"
    )


def _dns_name(backend: StrictBackend, request: NewLoadBalancer, suffix: str) -> str:
    if request.kind != "application":
        return f"{request.name}-{suffix}.elb.{backend.region_name}.amazonaws.com"
    prefix = "internal-" if request.scheme == "internal" else ""
    return f"{prefix}{request.name}-{int(suffix[:8], 16)}.{backend.region_name}.elb.amazonaws.com"


def _check_attributes(changed: StrictLoadBalancer, wanted: Mapping[str, str]) -> None:
    defaults = load_balancer_attributes(changed.type)
    for key, value in wanted.items():
        if key not in defaults:
            raise invalid(f"Load balancer attribute key '{key}' is not recognized")
        if defaults[key] in {"true", "false"} and value not in {"true", "false"}:
            raise invalid(f"'{key}' value '{value}' must be one of 'true, false'")
    bucket = wanted.get("access_logs.s3.bucket") or changed.attrs["access_logs.s3.bucket"]
    if wanted.get("access_logs.s3.enabled") == "true" and not bucket:
        raise refused("InvalidConfigurationRequest", "Access logs bucket must be specified")

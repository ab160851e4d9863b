"""Load balancers: how ELBv2 spells them, and the calls that make, change and delete them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from lbcontroller.aws.attribute_defaults import beyond, load_balancer_defaults
from lbcontroller.aws.attributes import AttributeWriter
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_deletion_protected, is_duplicate, is_not_found
from lbcontroller.aws.identity import Identification
from lbcontroller.aws.load_balancer_state import read_state
from lbcontroller.aws.load_balancer_wire import (
    create_request,
    decode_load_balancer,
    decode_subnets,
    ipam_pools,
    subnet_mappings,
)
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import (
    CREATE_LOAD_BALANCER,
    DELETE_LOAD_BALANCER,
    DESCRIBE_LOAD_BALANCER_ATTRIBUTES,
    DESCRIBE_LOAD_BALANCERS,
    MODIFY_CAPACITY_RESERVATION,
    MODIFY_IP_POOLS,
    SET_IP_ADDRESS_TYPE,
    SET_SECURITY_GROUPS,
    SET_SUBNETS,
)
from lbcontroller.aws.presence import not_there, require
from lbcontroller.aws.protections import Protections, asked_for_of_new
from lbcontroller.aws.tagging import change_tags, read_tags
from lbcontroller.aws.wire import Changes, decode_attributes, known, wanted, without_nones
from lbcontroller.errors import Denied, InvalidConfig, NotReady
from lbcontroller.model.fields import UNKNOWN, Field
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import LoadBalancerState, ObservedLoadBalancer
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import LoadBalancer
from lbcontroller.plan.policies import DELETION_PROTECTION

PROVISIONING_SECONDS: Final = 15.0
"""How soon a load balancer that is being set up is looked at again."""
_PROTECTED_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancers:
    """Creates, updates and deletes load balancers, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror
    identification: Identification
    attributes: AttributeWriter
    protections: Protections
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def create(self, desired: LoadBalancer) -> Arn:
        """Make a load balancer, or take over the one that a lost reply left.

        Reserved capacity is not part of it: AWS takes that only when the load balancer is active.

        Raises:
            LbControllerError: as `AwsCaller.call` does; InvalidConfig also for a name that others use.
        """
        try:
            answer = self.caller.call(CREATE_LOAD_BALANCER, **create_request(desired))["LoadBalancers"][0]
        except InvalidConfig as error:
            if not is_duplicate(error):
                raise
            found = self.caller.call(DESCRIBE_LOAD_BALANCERS, Names=[desired.name])["LoadBalancers"][0]
            return self._adopt(desired, found, error)
        is_set_up = answer.get("State", {}).get("Code") != LoadBalancerState.PROVISIONING
        if is_set_up or self.mirror.find(Arn(answer["LoadBalancerArn"])) is not None:
            # AWS answers an existing one when name and settings are the same, whosever it is.
            return self._adopt(desired, answer, None)
        observed = decode_load_balancer(answer, desired.id, known(desired.tags))
        defaults = load_balancer_defaults(desired)
        resource = replace(
            observed.resource,
            attributes=defaults,
            capacity_units=0,
            web_acl="",
            web_acl_classic="",
            shield_protection=False,
        )
        self._record(desired, replace(observed, resource=resource))
        self._restrict_private_link(observed.arn, desired, resource.private_link_inbound_rules)
        unguarded = self.protections.write(observed.arn, desired, asked_for_of_new(desired))
        asked_for = beyond(defaults, known(desired.attributes))
        self.attributes.write(observed.arn, desired, defaults, asked_for)
        if unguarded is not None:
            raise unguarded
        return observed.arn

    def update(self, arn: Arn, desired: LoadBalancer, changes: Changes) -> None:
        """Make the changes, those that let traffic in before those that send it elsewhere.

        Raises:
            NotReady: when capacity is to be reserved and the load balancer is not active yet.
            LbControllerError: as `AwsCaller.call` does.
        """
        present = self._find(arn).resource
        change_tags(self.caller, arn, changes, present.tags)
        self.mirror.amend(arn, tags=changes.applied_to_tags(present.tags))
        if changes.fields & {"security_groups", "private_link_inbound_rules"}:
            self._set_security_groups(arn, desired)
        if changes.fields & {"subnets", "source_nat_prefix"}:
            self._set_subnets(arn, desired)
        if "ip_address_type" in changes.fields:
            kind = known(desired.ip_address_type)
            self.caller.call(SET_IP_ADDRESS_TYPE, LoadBalancerArn=arn, IpAddressType=kind)
            self.mirror.amend(arn, ip_address_type=kind)
        if "ipam_pool" in changes.fields:
            self._set_ipam_pool(arn, desired)
        unguarded = self.protections.write(arn, desired, changes.fields)
        if "capacity_units" in changes.fields:
            self._reserve_capacity(arn, desired)
        self.attributes.write(arn, desired, present.attributes, changes.attributes)
        if unguarded is not None:
            raise unguarded

    def delete(self, arn: Arn) -> None:
        """Delete a load balancer and with it its listeners; that it is gone already is fine.

        Raises:
            NotReady: when deletion protection refuses it; it is known from now on that it is on.
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            self.caller.call(DELETE_LOAD_BALANCER, LoadBalancerArn=arn)
        except NotReady as error:
            if not is_not_found(error):
                raise
        except Denied as error:
            if is_deletion_protected(error) and self._is_protected(arn):
                raise NotReady(str(error), retry_after=_PROTECTED_SECONDS) from error
            raise
        present = self.mirror.find(arn)
        if isinstance(present, ObservedLoadBalancer):
            self.protections.remove_with(arn, present.resource)
        self.mirror.forget(arn)

    def _is_protected(self, arn: Arn) -> bool:
        """Read the attributes, so that the next plan knows and says what keeps the load balancer."""
        answer = self.caller.call(DESCRIBE_LOAD_BALANCER_ATTRIBUTES, LoadBalancerArn=arn)
        attributes = decode_attributes(answer["Attributes"])
        self.mirror.amend(arn, attributes=attributes)
        return attributes.get(DELETION_PROTECTION) == "true"

    def _find(self, arn: Arn) -> ObservedLoadBalancer:
        return require(self.mirror, ObservedLoadBalancer, arn)

    def _record(self, desired: LoadBalancer, observed: ObservedLoadBalancer) -> None:
        self.mirror.record(self.identification.stack_of(desired), observed)

    def _adopt(self, desired: LoadBalancer, answer: Mapping[str, Any], refusal: InvalidConfig | None) -> Arn:
        arn = Arn(answer["LoadBalancerArn"])
        tags = read_tags(self.caller, [arn]).get(arn, {})
        self.identification.require_ours(desired, tags, f"load balancer {arn}", refusal)
        observed = decode_load_balancer(answer, desired.id, tags)
        self._record(desired, observed)
        # What it has is not known, so everything that is asked for is said again.
        self._restrict_private_link(arn, desired, observed.resource.private_link_inbound_rules)
        unguarded = self.protections.write(arn, desired, asked_for_of_new(desired))
        self.attributes.write(arn, desired, UNKNOWN, known(desired.attributes))
        if unguarded is not None:
            raise unguarded
        return arn

    def _restrict_private_link(self, arn: Arn, desired: LoadBalancer, present: Field[Any]) -> None:
        asked_for = wanted(
            Kind.LOAD_BALANCER, "private_link_inbound_rules", desired.private_link_inbound_rules
        )
        if asked_for is not None and asked_for != present:
            self._set_security_groups(arn, desired)

    def _set_security_groups(self, arn: Arn, desired: LoadBalancer) -> None:
        groups = wanted(Kind.LOAD_BALANCER, "security_groups", desired.security_groups)
        private_link = wanted(
            Kind.LOAD_BALANCER, "private_link_inbound_rules", desired.private_link_inbound_rules
        )
        if groups is None:
            groups = wanted(Kind.LOAD_BALANCER, "security_groups", self._find(arn).resource.security_groups)
        request = {
            "LoadBalancerArn": arn,
            "SecurityGroups": list(groups or ()),
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": private_link,
        }
        answer = self.caller.call(SET_SECURITY_GROUPS, **without_nones(request))
        self.mirror.amend(arn, security_groups=tuple(answer["SecurityGroupIds"]))
        if private_link is not None:
            self.mirror.amend(arn, private_link_inbound_rules=private_link)

    def _set_subnets(self, arn: Arn, desired: LoadBalancer) -> None:
        mappings = wanted(Kind.LOAD_BALANCER, "subnets", desired.subnets)
        if mappings is None:
            mappings = wanted(Kind.LOAD_BALANCER, "subnets", self._find(arn).resource.subnets)
        source_nat = wanted(Kind.LOAD_BALANCER, "source_nat_prefix", desired.source_nat_prefix)
        request = {
            "LoadBalancerArn": arn,
            "SubnetMappings": subnet_mappings(mappings or ()),
            "EnablePrefixForIpv6SourceNat": source_nat,
        }
        answer = self.caller.call(SET_SUBNETS, **without_nones(request))
        self.mirror.amend(arn, subnets=decode_subnets(answer["AvailabilityZones"]))
        if source_nat is not None:
            self.mirror.amend(arn, source_nat_prefix=source_nat)

    def _set_ipam_pool(self, arn: Arn, desired: LoadBalancer) -> None:
        pool = wanted(Kind.LOAD_BALANCER, "ipam_pool", desired.ipam_pool)
        if pool is None:
            return
        change: dict[str, Any] = {"IpamPools": ipam_pools(pool)} if pool else {"RemoveIpamPools": ["ipv4"]}
        self.caller.call(MODIFY_IP_POOLS, LoadBalancerArn=arn, **change)
        self.mirror.amend(arn, ipam_pool=pool)

    def _reserve_capacity(self, arn: Arn, desired: LoadBalancer) -> None:
        units = wanted(Kind.LOAD_BALANCER, "capacity_units", desired.capacity_units)
        if units is None:
            return
        if self._find(arn).state is LoadBalancerState.PROVISIONING:
            self._look_again(arn)
        reservation: dict[str, Any] = (
            {"MinimumLoadBalancerCapacity": {"CapacityUnits": units}}
            if units
            else {"ResetCapacityReservation": True}
        )
        self.caller.call(MODIFY_CAPACITY_RESERVATION, LoadBalancerArn=arn, **reservation)
        self.mirror.amend(arn, capacity_units=units)

    def _look_again(self, arn: Arn) -> None:
        """Read the state of a load balancer that was being set up when it was last seen."""
        name = self._find(arn).resource.name
        state = read_state(self.caller, self.mirror, arn, self.now())
        if state is None:
            raise not_there(ObservedLoadBalancer, arn)
        if state is LoadBalancerState.PROVISIONING:
            raise NotReady(
                f"load balancer {name} is still being set up; then its capacity is reserved",
                retry_after=PROVISIONING_SECONDS,
            )

"""Reserved load balancer capacity and IPAM pools, which moto does not have."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult

from lbcontroller.local.aws.strict.backend import StrictCalls
from lbcontroller.local.aws.strict.resources import StrictLoadBalancer


class CapacityCalls(StrictCalls):
    """The API calls about capacity reservations and address pools."""

    def describe_capacity_reservation(self) -> ActionResult:
        """The reservation of a load balancer, in force in every zone at once."""
        return ActionResult(_reservation(self._load_balancer()))

    def modify_capacity_reservation(self) -> ActionResult:
        """Set or reset the minimum capacity."""
        params, changed = self._get_params(), self._load_balancer()
        if "MinimumLoadBalancerCapacity" in params:
            changed.minimum_capacity = params["MinimumLoadBalancerCapacity"]
        if params.get("ResetCapacityReservation"):
            changed.minimum_capacity = None
        return ActionResult(_reservation(changed))

    def modify_ip_pools(self) -> ActionResult:
        """Set or remove IPAM pools."""
        params, changed = self._get_params(), self._load_balancer()
        if pools := params.get("IpamPools"):
            changed.ipam_pools = pools
        elif params.get("RemoveIpamPools"):
            changed.ipam_pools = None
        return ActionResult({"IpamPools": changed.ipam_pools or {}})

    def _load_balancer(self) -> StrictLoadBalancer:
        return self.elbv2_backend.load_balancer(self._get_params()["LoadBalancerArn"])


def _reservation(load_balancer: StrictLoadBalancer) -> dict[str, Any]:
    capacity = load_balancer.minimum_capacity
    if capacity is None:
        return {"CapacityReservationState": []}
    zones = [
        {
            "State": {"Code": "provisioned"},
            "AvailabilityZone": zone.zone_name,
            "EffectiveCapacityUnits": capacity["CapacityUnits"],
        }
        for zone in load_balancer.availability_zones
    ]
    return {"MinimumLoadBalancerCapacity": capacity, "CapacityReservationState": zones}

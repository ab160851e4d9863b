"""What LBC made beside load balancers and recorded states do not show: web ACLs and reserved capacity."""

from __future__ import annotations

from typing import Any, Final

from lbcontroller.local.cluster import LocalCluster
from tests.support.recorded_ids import RecordedIds
from tests.support.recorded_owners import RecordedOwner

JsonObject = dict[str, Any]

_CAPACITY: Final = "alb.ingress.kubernetes.io/minimum-load-balancer-capacity"
_WEB_ACL: Final = "waf.site"
"""The only one of the recorded world."""


def put_companions(
    owner: RecordedOwner, ids: RecordedIds, expected: JsonObject, cluster: LocalCluster
) -> None:
    """Make what the recorded calls made.

    Args:
        owner: whom it was made for.
        ids: of the load balancers.
        expected: `state` and `calls` as recorded.
        cluster: a cluster in which no controller runs.
    """
    if not expected["calls"].keys() & {"wafv2:AssociateWebACL", "elbv2:ModifyCapacityReservation"}:
        return
    (name,) = expected["state"]["load_balancers"]
    load_balancer = ids[f"lb/{name}"]
    if "wafv2:AssociateWebACL" in expected["calls"]:
        cluster.aws.client("wafv2").associate_web_acl(
            WebACLArn=cluster.world.ids[_WEB_ACL], ResourceArn=load_balancer
        )
    if "elbv2:ModifyCapacityReservation" in expected["calls"]:
        (obj,) = owner.objects
        units = obj["metadata"]["annotations"][_CAPACITY].removeprefix("CapacityUnits=")
        cluster.aws.client("elbv2").modify_capacity_reservation(
            LoadBalancerArn=load_balancer, MinimumLoadBalancerCapacity={"CapacityUnits": int(units)}
        )

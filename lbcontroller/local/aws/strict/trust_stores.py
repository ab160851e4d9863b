"""Trust stores, which moto does not have: as much of them as listeners need to refer to."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random

from lbcontroller.local.aws.strict.backend import StrictCalls
from lbcontroller.local.aws.strict.errors import refused
from lbcontroller.local.aws.strict.paging import page
from lbcontroller.local.aws.strict.tags import check_tags


class TrustStoreCalls(StrictCalls):
    """The API calls about trust stores; what is in their bundles nobody looks at."""

    def create_trust_store(self) -> ActionResult:
        """Create a trust store under a free name."""
        backend, params = self.elbv2_backend, self._get_params()
        check_tags(params.get("Tags"))
        name = params["Name"]
        if any(store["Name"] == name for store in backend.trust_stores.values()):
            raise refused("DuplicateTrustStoreName", f"A trust store with the name '{name}' exists")
        arn = (
            f"arn:{backend.partition}:elasticloadbalancing:{backend.region_name}:{backend.account_id}"
            f":truststore/{name}/{mock_random.get_random_hex(16)}"
        )
        backend.trust_stores[arn] = {"Name": name, "TrustStoreArn": arn, "Status": "ACTIVE"}
        return ActionResult({"TrustStores": [backend.trust_stores[arn]]})

    def describe_trust_stores(self) -> ActionResult:
        """Trust stores by ARN, by name or all; one that is missing fails the call."""
        params, stores = self._get_params(), self.elbv2_backend.trust_stores
        arns, names = params.get("TrustStoreArns") or [], params.get("Names") or []
        found: dict[str, Any] = {item["Name"]: item for item in stores.values()} if names else stores
        missing = [key for key in names or arns if key not in found]
        if missing:
            raise refused("TrustStoreNotFound", f"Trust store '{missing[0]}' not found")
        selected = [found[key] for key in names or arns] or list(stores.values())
        return page(selected, "TrustStores", size=params.get("PageSize"), marker=params.get("Marker"))

    def delete_trust_store(self) -> ActionResult:
        """Delete a trust store that no listener uses."""
        backend, arn = self.elbv2_backend, self._get_params()["TrustStoreArn"]
        if arn not in backend.trust_stores:
            raise refused("TrustStoreNotFound", f"Trust store '{arn}' not found")
        for load_balancer in backend.load_balancers.values():
            listeners: Any = load_balancer.listeners  # of StrictListener
            for listener in listeners.values():
                if (listener.mutual_authentication or {}).get("TrustStoreArn") == arn:
                    raise refused("TrustStoreInUse", f"Trust store '{arn}' is currently in use by a listener")
        del backend.trust_stores[arn]
        return EmptyResult()

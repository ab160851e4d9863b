"""WAF Classic: which web ACL guards a load balancer."""

from __future__ import annotations

from dataclasses import dataclass

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_unknown_to_waf
from lbcontroller.aws.operations import (
    ASSOCIATE_CLASSIC_WEB_ACL,
    DISASSOCIATE_CLASSIC_WEB_ACL,
    GET_CLASSIC_WEB_ACL,
)
from lbcontroller.errors import NotReady
from lbcontroller.model.ids import Arn


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicWebAcls:
    """Reads and changes the web ACLs of load balancers; one has one at most."""

    caller: AwsCaller

    def of(self, load_balancer: Arn) -> str:
        """Return the id of the web ACL of a load balancer; empty for none.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            answer = self.caller.call(GET_CLASSIC_WEB_ACL, ResourceArn=load_balancer)
        except NotReady as error:
            if not is_unknown_to_waf(error):
                raise
            return ""
        return str(answer.get("WebACLSummary", {}).get("WebACLId", ""))

    def set(self, load_balancer: Arn, web_acl: str) -> None:
        """Put a load balancer under a web ACL instead of any other; under none when it is empty.

        Raises:
            NotReady: WAF does not know one of the two everywhere yet.
            LbControllerError: as `AwsCaller.call` does.
        """
        if web_acl:
            self.caller.call(ASSOCIATE_CLASSIC_WEB_ACL, WebACLId=web_acl, ResourceArn=load_balancer)
            return
        try:
            self.caller.call(DISASSOCIATE_CLASSIC_WEB_ACL, ResourceArn=load_balancer)
        except NotReady as error:
            if not is_unknown_to_waf(error):
                raise

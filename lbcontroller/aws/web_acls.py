"""WAF: which web ACL guards a load balancer, and the web ACLs by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_unknown_to_waf
from lbcontroller.aws.operations import ASSOCIATE_WEB_ACL, DISASSOCIATE_WEB_ACL, GET_WEB_ACL, LIST_WEB_ACLS
from lbcontroller.errors import NotReady
from lbcontroller.model.ids import Arn


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAcls:
    """Reads and changes the web ACLs of load balancers; one has one at most."""

    caller: AwsCaller

    def of(self, load_balancer: Arn) -> str:
        """Return the ARN of the web ACL of a load balancer; empty for none.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            answer = self.caller.call(GET_WEB_ACL, ResourceArn=load_balancer)
        except NotReady as error:
            if not is_unknown_to_waf(error):
                raise
            return ""
        return str(answer.get("WebACL", {}).get("ARN", ""))

    def set(self, load_balancer: Arn, web_acl: str) -> None:
        """Put a load balancer under a web ACL instead of any other; under none when it is empty.

        Raises:
            NotReady: WAF does not know one of the two everywhere yet.
            LbControllerError: as `AwsCaller.call` does.
        """
        if web_acl:
            self.caller.call(ASSOCIATE_WEB_ACL, WebACLArn=web_acl, ResourceArn=load_balancer)
            return
        try:
            self.caller.call(DISASSOCIATE_WEB_ACL, ResourceArn=load_balancer)
        except NotReady as error:
            if not is_unknown_to_waf(error):
                raise

    def by_name(self) -> Mapping[str, str]:
        """Return the ARNs of the web ACLs of this region, by name.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        pages = self.caller.pages(LIST_WEB_ACLS, Scope="REGIONAL")
        return {item["Name"]: item["ARN"] for page in pages for item in page["WebACLs"]}

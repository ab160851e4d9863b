"""WAF Classic of a region, which moto does not have: its web ACLs, and which load balancer has which."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal import mock_random

TARGET_PREFIX: Final = "AWSWAF_Regional_20161128."
"""Of the operation in the header X-Amz-Target."""
_HEADERS: Final = [("Content-Type", "application/x-amz-json-1.1")]

Params = Mapping[str, Any]
StartResponse = Callable[..., Any]


class _NonexistentItemError(Exception):
    """Becomes WAFNonexistentItemException."""


@dataclass(slots=True, kw_only=True)
class ClassicFirewalls:
    """The service of one account, as a WSGI application."""

    account_id: str
    web_acls: dict[str, str] = field(default_factory=dict)
    """Name by id."""
    associations: dict[str, str] = field(default_factory=dict)
    """Id of the web ACL by ARN of the load balancer."""

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request.

        Raises:
            NotImplementedError: The operation is none of those below.
        """
        params = json.loads(environ["wsgi.input"].read() or b"{}")
        try:
            answer = self._answer(environ["HTTP_X_AMZ_TARGET"].removeprefix(TARGET_PREFIX), params)
        except _NonexistentItemError:
            start_response("400 Bad Request", _HEADERS)
            text = "The operation failed because the referenced object doesn't exist."
            return [json.dumps({"__type": "WAFNonexistentItemException", "message": text}).encode()]
        start_response("200 OK", _HEADERS)
        return [json.dumps(answer).encode()]

    def _answer(self, operation: str, params: Params) -> dict[str, Any]:
        match operation:
            case "GetChangeToken":
                return {"ChangeToken": str(mock_random.uuid4())}
            case "CreateWebACL":
                return {"WebACL": self._create(params["Name"]), "ChangeToken": params["ChangeToken"]}
            case "AssociateWebACL":
                self._associate(params["WebACLId"], params["ResourceArn"])
            case "DisassociateWebACL":
                self._require(params["ResourceArn"])
                self.associations.pop(params["ResourceArn"], None)
            case "GetWebACLForResource":
                return self._web_acl_of(params["ResourceArn"])
            case _:
                raise NotImplementedError(operation)
        return {}

    def _create(self, name: str) -> dict[str, Any]:
        web_acl = str(mock_random.uuid4())
        self.web_acls[web_acl] = name
        return {"WebACLId": web_acl, "Name": name, "DefaultAction": {"Type": "ALLOW"}, "Rules": []}

    def _associate(self, web_acl: str, load_balancer: str) -> None:
        self._require(load_balancer)
        if web_acl not in self.web_acls:
            raise _NonexistentItemError
        self.associations[load_balancer] = web_acl

    def _web_acl_of(self, load_balancer: str) -> dict[str, Any]:
        self._require(load_balancer)
        web_acl = self.associations.get(load_balancer)
        if web_acl is None:
            return {}
        return {"WebACLSummary": {"WebACLId": web_acl, "Name": self.web_acls[web_acl]}}

    def _require(self, load_balancer: str) -> None:
        region = load_balancer.split(":")[3]
        if load_balancer not in elbv2_backends[self.account_id][region].load_balancers:
            raise _NonexistentItemError

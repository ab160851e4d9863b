"""Certificates that ACM is asked for, as stacks have them."""

from __future__ import annotations

from typing import Any

from lbcontroller.model.fields import UNMANAGED
from lbcontroller.model.identity import Tracked, requested_certificate_resource, tracking_tags
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import RequestedCertificate
from tests.support.alb_stacks import GROUP
from tests.support.nlb_stacks import CLUSTER

AUTHORITY = "arn:aws:acm-pca:us-west-2:123456789012:certificate-authority/0123"


def a_request(
    *hosts: str,
    authority: str = "",
    cluster: str = CLUSTER,
    tags: dict[str, str] | None = None,
    **fields: Any,
) -> RequestedCertificate:
    """Return a certificate for `www.example.com`, or for other hosts, of the usual group."""
    names = tuple(sorted(hosts)) or ("www.example.com",)
    name = requested_certificate_resource(names, authority)
    return RequestedCertificate(
        id=ResourceId(Kind.REQUESTED_CERTIFICATE, name),
        hosts=names,
        authority=authority,
        records=fields.get("records", UNMANAGED),
        tags={**tracking_tags(cluster, Tracked(GROUP, name)), **(tags or {})},
    )

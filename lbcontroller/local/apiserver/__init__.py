"""An embedded Kubernetes API server on loopback, true enough for kubectl, kopf and the Kubernetes client.

It has no etcd, no TLS and no admission webhooks. What it does have behaves like Kubernetes 1.36 where a
load-balancer controller can tell: versions and watches, patches and server-side apply, status and
finalizers, Service allocation and validation, custom resources; and, on request, fake controllers that
bring Deployments, Pods and EndpointSlices to life.
"""

from lbcontroller.local.apiserver.embedded import ApiServerSettings, LocalApiServer, random_token
from lbcontroller.local.apiserver.faults import Request
from lbcontroller.local.apiserver.kubelet import WorkloadSettings
from lbcontroller.local.apiserver.resources import Subresource
from lbcontroller.local.apiserver.status import ApiError, Reason

__all__ = [
    "ApiError",
    "ApiServerSettings",
    "LocalApiServer",
    "Reason",
    "Request",
    "Subresource",
    "WorkloadSettings",
    "random_token",
]

"""New Services of type LoadBalancer get our class: then nobody else makes a load balancer for them. Pure."""

from __future__ import annotations

from lbcontroller.cluster.objects import JsonObject, mapping
from lbcontroller.cluster.service import ServiceType


def with_class(service: JsonObject, load_balancer_class: str) -> JsonObject:
    """Return a Service that is being created, with our class when it is to have a load balancer of any class.

    As in LBC no annotation is looked at: what an annotation of the built-in controller asks for is made here.
    """
    spec = mapping(service, "spec")
    if not _is_load_balancer(spec) or spec.get("loadBalancerClass"):
        return service
    return {**service, "spec": {**spec, "loadBalancerClass": load_balancer_class}}


def with_class_kept(service: JsonObject, before: JsonObject) -> JsonObject:
    """Return a Service that is being updated, with the class it had when the update leaves the field out.

    The API server refuses a Service that loses its class: a manifest without the field could not be replaced.
    """
    spec, had = mapping(service, "spec"), mapping(before, "spec").get("loadBalancerClass")
    if not _is_load_balancer(spec) or not had or spec.get("loadBalancerClass"):
        return service
    return {**service, "spec": {**spec, "loadBalancerClass": had}}


def _is_load_balancer(spec: JsonObject) -> bool:
    return spec.get("type") == ServiceType.LOAD_BALANCER

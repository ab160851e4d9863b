from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import EndpointSlice, Pod
from lbcontroller.cluster.node import Node
from lbcontroller.cluster.service import Service
from lbcontroller.controller import triggers
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.queue import Priority
from lbcontroller.controller.triggers import Trigger
from lbcontroller.keys import BindingKey, ObjectName, StackKey, StackKind

SHOP = "shop"


def named(name: str) -> ObjectName:
    return ObjectName(SHOP, name)


def a_service(name: str = "web", *, annotations: Mapping[str, str] | None = None, **spec: Any) -> Service:
    return Service.from_object(
        {
            "metadata": {
                "namespace": SHOP,
                "name": name,
                "uid": f"uid-{name}",
                "annotations": annotations or {},
                "resourceVersion": "1",
            },
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], **spec},
        }
    )


def a_binding(
    name: str = "tgb",
    *,
    service: str = "web",
    target_type: str = "ip",
    stack: str | None = "web",
    generation: int = 1,
    observed: int = 0,
) -> Binding:
    labels = (
        {"service.k8s.aws/stack-namespace": SHOP, "service.k8s.aws/stack-name": stack}
        if stack is not None
        else {}
    )
    return Binding.from_object(
        {
            "metadata": {"namespace": SHOP, "name": name, "labels": labels, "generation": generation},
            "spec": {
                "targetGroupARN": f"arn:{name}",
                "targetType": target_type,
                "serviceRef": {"name": service, "port": 80},
            },
            "status": {"observedGeneration": observed},
        }
    )


def a_slice(
    name: str = "web-1",
    *,
    service: str = "web",
    pods: Iterable[str] = ("pod-1",),
    node: str = "node-1",
    address: str = "10.0.0.1",
) -> EndpointSlice:
    return EndpointSlice.from_object(
        {
            "metadata": {"namespace": SHOP, "name": name, "labels": {"kubernetes.io/service-name": service}},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 8080}],
            "endpoints": [
                {"addresses": [address], "nodeName": node, "targetRef": {"kind": "Pod", "name": pod}}
                for pod in pods
            ],
        }
    )


def a_pod(name: str = "pod-1") -> Pod:
    return Pod.from_object({"metadata": {"namespace": SHOP, "name": name}, "status": {"podIP": "10.0.0.1"}})


def a_node(name: str = "node-1", *, ready: str = "True") -> Node:
    return Node.from_object(
        {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}
    )


def a_cache(*views: Service | Binding | EndpointSlice | Pod | Node) -> ClusterCache:
    cache = ClusterCache()
    for view in views:
        match view:
            case Service():
                cache.put_service(view.meta.name, view)
            case Binding():
                cache.put_binding(view.meta.name, view)
            case EndpointSlice():
                cache.put_slice(view.name, view)
            case Pod():
                cache.put_pod(view.name, view)
            case Node():
                cache.put_node(view.name, view)
    return cache


STACK = Trigger(StackKey(StackKind.SERVICE, named("web")), Priority.NORMAL)
BINDING = Trigger(BindingKey(named("tgb")), Priority.HIGH)


class TestSnapshots:
    def test_a_stack_sees_its_namespaces_services_and_its_own_bindings(self) -> None:
        cache = a_cache(
            a_service("web"), a_service("api"), a_binding("mine"), a_binding("theirs", stack="api")
        )
        snapshot = cache.stack_snapshot(StackKey(StackKind.SERVICE, named("web")))

        assert set(snapshot.services) == {named("web"), named("api")}
        assert set(snapshot.bindings) == {named("mine")}

    def test_a_binding_sees_its_service_with_slices_and_pods_and_every_node(self) -> None:
        cache = a_cache(
            a_service("web"),
            a_service("api"),
            a_binding(),
            a_slice(pods=("pod-1", "pod-gone")),
            a_slice("api-1", service="api", pods=("pod-2",)),
            a_pod("pod-1"),
            a_pod("pod-2"),
            a_node("node-1"),
            a_node("node-2"),
        )
        snapshot = cache.binding_snapshot(BindingKey(named("tgb")))

        assert set(snapshot.services) == {named("web")}
        assert [view.name for view in snapshot.slices] == [named("web-1")]
        assert set(snapshot.pods) == {named("pod-1")}
        assert set(snapshot.nodes) == {"node-1", "node-2"}

    def test_a_snapshot_keeps_what_it_saw(self) -> None:
        cache = a_cache(a_binding(), a_node("node-1"))
        snapshot = cache.binding_snapshot(BindingKey(named("tgb")))
        cache.put_node("node-1", None)
        cache.put_binding(named("tgb"), None)

        assert set(snapshot.nodes) == {"node-1"}
        assert set(snapshot.bindings) == {named("tgb")}

    def test_a_binding_that_is_gone_has_an_empty_snapshot(self) -> None:
        snapshot = ClusterCache().binding_snapshot(BindingKey(named("tgb")))

        assert not snapshot.bindings

    def test_objects_that_are_gone_leave_no_trace_in_the_indexes(self) -> None:
        cache = a_cache(a_service(), a_binding(), a_slice())
        cache.put_service(named("web"), None)
        cache.put_binding(named("tgb"), None)
        cache.put_slice(named("web-1"), None)

        assert cache.services_in(SHOP) == ()
        assert cache.bindings_of_service(named("web")) == ()
        assert cache.services_of_pod(named("pod-1")) == frozenset()
        assert cache.services_with_endpoints_on("node-1") == frozenset()

    def test_a_pod_in_two_slices_is_listed_until_it_left_both(self) -> None:
        cache = a_cache(a_slice("web-1"), a_slice("web-2"))
        cache.put_slice(named("web-1"), a_slice("web-1", pods=()))
        assert cache.services_of_pod(named("pod-1")) == {named("web")}
        cache.put_slice(named("web-2"), None)
        assert cache.services_of_pod(named("pod-1")) == frozenset()

    def test_a_slice_that_changes_its_service_moves_in_the_index(self) -> None:
        cache = a_cache(a_slice())
        cache.put_slice(named("web-1"), a_slice(service="api"))

        assert cache.services_of_pod(named("pod-1")) == {named("api")}


class TestServiceTriggers:
    def test_a_new_service_wakes_its_stack_and_its_bindings(self) -> None:
        cache = a_cache(a_service(), a_binding())

        assert list(triggers.of_service(cache, None, a_service())) == [STACK, BINDING]

    def test_our_own_status_write_wakes_nobody(self) -> None:
        published = Service.from_object(
            {
                "metadata": {"namespace": SHOP, "name": "web", "uid": "uid-web", "resourceVersion": "2"},
                "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
                "status": {"loadBalancer": {"ingress": [{"hostname": "web.example.com"}]}},
            }
        )

        assert list(triggers.of_service(a_cache(a_binding()), a_service(), published)) == []

    @pytest.mark.parametrize(
        "after",
        [
            a_service(annotations={"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}),
            a_service(loadBalancerClass="service.k8s.aws/nlb"),
            a_service(type="ClusterIP"),
            a_service(loadBalancerSourceRanges=["10.0.0.0/8"]),
        ],
    )
    def test_a_change_of_what_is_wanted_wakes_only_the_stack(self, after: Service) -> None:
        assert list(triggers.of_service(a_cache(a_binding()), a_service(), after)) == [STACK]

    def test_changed_ports_wake_the_bindings_too(self) -> None:
        after = a_service(ports=[{"port": 81}])

        assert list(triggers.of_service(a_cache(a_binding()), a_service(), after)) == [STACK, BINDING]

    def test_a_backend_wakes_the_stack_that_sends_to_it(self) -> None:
        action = '{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"canary"}]}}'
        base = a_service("web", annotations={"service.beta.kubernetes.io/actions.TCP-80": action})
        cache = a_cache(base, a_service("canary"), a_service("other"))

        keys = [trigger.key for trigger in triggers.of_service(cache, None, a_service("canary"))]
        assert keys == [
            StackKey(StackKind.SERVICE, named("canary")),
            StackKey(StackKind.SERVICE, named("web")),
        ]


class TestOtherTriggers:
    def test_a_binding_wakes_itself_and_the_stack_that_made_it(self) -> None:
        assert list(triggers.of_binding(ClusterCache(), None, a_binding())) == [BINDING, STACK]

    def test_a_users_own_binding_wakes_only_itself(self) -> None:
        assert list(triggers.of_binding(ClusterCache(), a_binding(stack=None), None)) == [BINDING]

    def test_a_binding_that_became_reconciled_wakes_its_stack(self) -> None:
        assert list(triggers.of_binding(ClusterCache(), a_binding(), a_binding(observed=1))) == [
            BINDING,
            STACK,
        ]

    def test_bookkeeping_on_a_binding_wakes_nobody(self) -> None:
        assert list(triggers.of_binding(ClusterCache(), a_binding(observed=1), a_binding(observed=1))) == []

    def test_a_slice_wakes_the_bindings_of_its_service(self) -> None:
        cache = a_cache(a_binding(), a_binding("other", service="api"))

        assert list(triggers.of_slice(cache, None, a_slice())) == [BINDING]

    def test_a_slice_that_changes_its_service_wakes_both(self) -> None:
        cache = a_cache(a_binding(), a_binding("other", service="api"))

        keys = {trigger.key for trigger in triggers.of_slice(cache, a_slice(), a_slice(service="api"))}
        assert keys == {BindingKey(named("tgb")), BindingKey(named("other"))}

    def test_a_pod_wakes_the_bindings_that_list_it(self) -> None:
        cache = a_cache(a_binding(), a_slice())

        assert list(triggers.of_pod(cache, named("pod-1"))) == [BINDING]
        assert list(triggers.of_pod(cache, named("pod-2"))) == []

    @pytest.mark.parametrize("target_type", ["instance", ""], ids=["instance", "as-its-target-group-has-it"])
    def test_a_new_node_wakes_bindings_of_instances(self, target_type: str) -> None:
        cache = a_cache(a_binding(target_type=target_type), a_binding("ip"))

        assert list(triggers.of_node(cache, None, a_node("node-9"))) == [BINDING]

    def test_a_node_that_turns_unready_wakes_the_bindings_with_endpoints_on_it(self) -> None:
        cache = a_cache(a_binding(), a_slice(node="node-1"))

        assert list(triggers.of_node(cache, a_node(), a_node(ready="Unknown"))) == [BINDING]
        assert list(triggers.of_node(cache, a_node("node-2"), a_node("node-2", ready="Unknown"))) == []

from __future__ import annotations

from lbcontroller.cluster.service import Service
from lbcontroller.controller.cache import ClusterCache
from lbcontroller.controller.orphans import orphaned_stacks
from lbcontroller.model.identity import SHARED_STACK, StackId, TagFamily
from tests.support.services import a_service

WEB = StackId(TagFamily.SERVICE, "default/web")
GONE = StackId(TagFamily.SERVICE, "default/gone")
ELSEWHERE = StackId(TagFamily.SERVICE, "shop/gone")
GROUP = StackId(TagFamily.INGRESS, "front")


def with_a_service() -> ClusterCache:
    cache = ClusterCache()
    obj = a_service("web")
    obj["metadata"]["namespace"] = "default"
    service = Service.from_object(obj)
    cache.put_service(service.meta.name, service)
    return cache


def test_stacks_without_an_object_are_orphans_but_never_what_all_share() -> None:
    found = orphaned_stacks([WEB, SHARED_STACK, GROUP, GONE], with_a_service())

    assert set(found) == {GONE, GROUP}


def test_of_other_namespaces_nothing_is_known() -> None:
    found = orphaned_stacks([WEB, ELSEWHERE, GROUP, GONE], with_a_service(), "default")

    assert found == (GONE,)

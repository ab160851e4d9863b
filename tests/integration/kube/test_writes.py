from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lbcontroller.errors import NotReady, Transient
from lbcontroller.kube.errors import Conflict, NotFound, Rejected
from lbcontroller.kube.patches import Condition, ConditionStatus, load_balancer_status
from lbcontroller.kube.resources import ResourceType
from lbcontroller.kube.writes import CONFLICT_PAUSES, ObjectWriter
from lbcontroller.local.apiserver import LocalApiServer, Request
from tests.support.kube import a_service_object, ref_of

FINALIZER = "service.k8s.aws/resources"


def is_patch(request: Request) -> bool:
    return request.method == "PATCH"


def patches_of(server: LocalApiServer) -> list[Request]:
    return [request for request in server.requests if is_patch(request)]


def finalizers_of(server: LocalApiServer) -> list[str]:
    found = server.get("Service", "web")["metadata"].get("finalizers") or []
    return list(found)


def test_a_finalizer_is_added_beside_those_of_others_and_once(
    server: LocalApiServer, writer: ObjectWriter
) -> None:
    ref = ref_of(server.create(a_service_object(finalizers=["example.com/theirs"])))

    writer.add_finalizer(ref, FINALIZER)
    writer.add_finalizer(ref, FINALIZER)

    assert finalizers_of(server) == ["example.com/theirs", FINALIZER]
    assert len(patches_of(server)) == 1


def test_only_the_own_finalizer_is_removed(server: LocalApiServer, writer: ObjectWriter) -> None:
    ref = ref_of(server.create(a_service_object(finalizers=["example.com/theirs", FINALIZER])))

    writer.remove_finalizer(ref, FINALIZER)
    writer.remove_finalizer(ref, FINALIZER)

    assert finalizers_of(server) == ["example.com/theirs"]
    assert len(patches_of(server)) == 1


def test_a_conflict_is_solved_by_reading_again(
    server: LocalApiServer, writer: ObjectWriter, pauses: list[float]
) -> None:
    ref = ref_of(server.create(a_service_object()))
    server.refuse(is_patch, code=409, times=2)

    writer.add_finalizer(ref, FINALIZER)

    assert finalizers_of(server) == [FINALIZER]
    assert pauses == list(CONFLICT_PAUSES[:2])


def test_endless_conflicts_are_left_to_the_queue(server: LocalApiServer, writer: ObjectWriter) -> None:
    ref = ref_of(server.create(a_service_object()))
    server.refuse(is_patch, code=409, times=100)

    with pytest.raises(Conflict):
        writer.add_finalizer(ref, FINALIZER)
    assert len(patches_of(server)) == 1 + len(CONFLICT_PAUSES)


def test_nothing_is_made_for_an_object_that_is_being_deleted(
    server: LocalApiServer, writer: ObjectWriter
) -> None:
    ref = ref_of(server.create(a_service_object(finalizers=["example.com/theirs"])))
    server.delete("Service", "web")

    with pytest.raises(NotReady, match=r"^Service default/web is being deleted$"):
        writer.add_finalizer(ref, FINALIZER)
    assert finalizers_of(server) == ["example.com/theirs"]


def test_a_finalizer_that_is_there_is_enough_even_while_deleting(
    server: LocalApiServer, writer: ObjectWriter
) -> None:
    ref = ref_of(server.create(a_service_object(finalizers=[FINALIZER])))
    server.delete("Service", "web")

    writer.add_finalizer(ref, FINALIZER)

    assert finalizers_of(server) == [FINALIZER]
    assert patches_of(server) == []


def test_nothing_is_made_for_an_object_that_is_gone(server: LocalApiServer, writer: ObjectWriter) -> None:
    ref = ref_of(server.create(a_service_object()))
    server.delete("Service", "web")

    with pytest.raises(NotReady, match=r"^Service default/web is gone$"):
        writer.add_finalizer(ref, FINALIZER)


def test_removing_the_last_finalizer_lets_the_object_go(server: LocalApiServer, writer: ObjectWriter) -> None:
    ref = ref_of(server.create(a_service_object(finalizers=[FINALIZER])))
    server.delete("Service", "web")

    writer.remove_finalizer(ref, FINALIZER)
    writer.remove_finalizer(ref, FINALIZER)

    assert server.find("Service", "web") is None


def test_an_object_made_anew_under_the_same_name_is_never_touched(
    server: LocalApiServer, writer: ObjectWriter
) -> None:
    old = ref_of(server.create(a_service_object(finalizers=[FINALIZER])))
    server.patch("Service", "web", {"metadata": {"finalizers": None}})
    server.delete("Service", "web")
    successor = server.create(a_service_object(finalizers=[FINALIZER]))

    with pytest.raises(NotReady):
        writer.add_finalizer(old, "example.com/other")
    writer.remove_finalizer(old, FINALIZER)
    writer.patch_status(old, load_balancer_status([{"hostname": "lb.example"}]))
    with pytest.raises(NotFound, match="is gone"):
        writer.merge_patch(old, {"metadata": {"labels": {"a": "b"}}})
    writer.delete(old)

    assert server.get("Service", "web") == successor


def test_an_address_is_published_and_withdrawn(server: LocalApiServer, writer: ObjectWriter) -> None:
    ref = ref_of(server.create(a_service_object()))

    writer.patch_status(ref, load_balancer_status([{"hostname": "lb.example"}]))
    assert server.get("Service", "web")["status"]["loadBalancer"] == {"ingress": [{"hostname": "lb.example"}]}

    writer.patch_status(ref, load_balancer_status([]))
    assert server.get("Service", "web")["status"]["loadBalancer"] == {}


def test_a_status_that_the_server_refuses_is_our_bug(server: LocalApiServer, writer: ObjectWriter) -> None:
    ref = ref_of(server.create(a_service_object()))

    with pytest.raises(Rejected):
        writer.patch_status(ref, {"loadBalancer": {"ingress": [{"ip": "no address"}]}})


def test_the_status_of_what_is_gone_is_asked_for_once(server: LocalApiServer, writer: ObjectWriter) -> None:
    ref = ref_of(server.create(a_service_object()))
    server.delete("Service", "web")

    writer.patch_status(ref, load_balancer_status([]))

    assert [request.path for request in patches_of(server)] == [
        "/api/v1/namespaces/default/services/web/status"
    ]
    assert server.find("Service", "web") is None


def test_a_pod_condition_leaves_the_others_alone(server: LocalApiServer, writer: ObjectWriter) -> None:
    pod = server.seed(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web-1", "namespace": "default"},
            "spec": {"containers": [{"name": "web", "image": "web"}]},
            "status": {"conditions": [{"type": "ContainersReady", "status": "True"}]},
        }
    )
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    for status in (ConditionStatus.FALSE, ConditionStatus.TRUE):
        condition = Condition(type="gate", status=status, reason="", message="", last_transition=moment)
        writer.set_condition(ref_of(pod, ResourceType.PODS), condition)

    conditions = server.get("Pod", "web-1")["status"]["conditions"]
    assert {each["type"]: each["status"] for each in conditions} == {
        "ContainersReady": "True",
        "gate": "True",
    }


def test_an_object_is_created_patched_and_deleted(server: LocalApiServer, writer: ObjectWriter) -> None:
    created = writer.create(ResourceType.SERVICES, a_service_object())
    patched = writer.merge_patch(ref_of(created), {"metadata": {"labels": {"team": "one"}}})
    assert patched["metadata"]["labels"] == {"team": "one"}

    writer.delete(ref_of(created))
    writer.delete(ref_of(created))
    assert server.find("Service", "web") is None


def test_a_failing_server_fails_the_write(server: LocalApiServer, writer: ObjectWriter) -> None:
    ref = ref_of(server.create(a_service_object()))
    server.refuse(is_patch, code=500)

    with pytest.raises(Transient):
        writer.patch_status(ref, load_balancer_status([]))


def test_a_status_that_is_only_tried_changes_nothing(server: LocalApiServer, writer: ObjectWriter) -> None:
    created = server.create(a_service_object())
    address = {"ip": "192.0.2.1", "ipMode": "Proxy"}

    tried = writer.try_status(ref_of(created), load_balancer_status([address]))

    assert tried is not None
    assert tried["status"]["loadBalancer"]["ingress"] == [address]
    assert server.get("Service", "web") == created

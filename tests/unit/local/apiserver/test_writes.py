from __future__ import annotations

import pytest

from lbcontroller.local.apiserver import ApiError, LocalApiServer, Reason, Subresource
from tests.support.manifests import a_config_map, a_definition, a_load_balancer, a_widget, an_object


def refusal(error: pytest.ExceptionInfo[ApiError]) -> tuple[int, Reason]:
    return error.value.code, error.value.reason


def test_a_new_object_gets_what_the_server_gives() -> None:
    server = LocalApiServer()
    created = server.create(a_config_map("a", labels={"x": "y"}))
    assert created["metadata"].keys() == {
        "name", "namespace", "labels", "uid", "creationTimestamp", "resourceVersion",
    }  # fmt: skip
    assert created["metadata"]["namespace"] == "default"


def test_the_same_writes_give_the_same_uids_and_names() -> None:
    prefixed = an_object("v1", "ConfigMap", "", metadata={"generateName": "a-"})
    first, second = (LocalApiServer().create(prefixed)["metadata"] for _ in range(2))
    assert (first["uid"], first["name"]) == (second["uid"], second["name"])


def test_generated_names_differ() -> None:
    server = LocalApiServer()
    prefixed = an_object("v1", "ConfigMap", "", metadata={"generateName": "a-"})
    names = {server.create(prefixed)["metadata"]["name"] for _ in range(50)}
    assert len(names) == 50
    assert all(name.startswith("a-") and len(name) == 7 for name in names)


def test_a_second_object_of_the_name_is_refused() -> None:
    server = LocalApiServer()
    server.create(a_config_map("a"))
    with pytest.raises(ApiError, match='configmaps "a" already exists') as refused:
        server.create(a_config_map("a"))
    assert refusal(refused) == (409, Reason.ALREADY_EXISTS)


def test_a_missing_object_is_named_with_its_group() -> None:
    with pytest.raises(ApiError) as refused:
        LocalApiServer().get("ingress", "web")
    assert refused.value.status == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'ingresses.networking.k8s.io "web" not found',
        "reason": "NotFound",
        "code": 404,
        "details": {"name": "web", "group": "networking.k8s.io", "kind": "ingresses"},
    }


def test_nothing_is_created_in_a_namespace_that_is_not_there() -> None:
    with pytest.raises(ApiError, match='namespaces "shop" not found'):
        LocalApiServer().create(a_config_map("a", namespace="shop"))


def test_an_update_from_an_old_version_conflicts() -> None:
    server = LocalApiServer()
    old = server.create(a_config_map("a"))
    server.update(old | {"data": {"x": "1"}})
    with pytest.raises(ApiError, match="the object has been modified") as refused:
        server.update(old | {"data": {"x": "2"}})
    assert refusal(refused) == (409, Reason.CONFLICT)


def test_a_patch_that_names_an_old_version_conflicts() -> None:
    server = LocalApiServer()
    server.create(a_config_map("a"))
    with pytest.raises(ApiError) as refused:
        server.patch("configmap", "a", {"metadata": {"resourceVersion": "1"}, "data": {"x": "1"}})
    assert refused.value.reason is Reason.CONFLICT


def test_a_json_patch_whose_test_fails_is_unprocessable() -> None:
    server = LocalApiServer()
    server.create(a_config_map("a"))
    with pytest.raises(ApiError) as refused:
        server.patch("configmap", "a", [{"op": "test", "path": "/metadata/resourceVersion", "value": "0"}])
    assert refusal(refused) == (422, Reason.INVALID)


def test_a_write_that_changes_nothing_is_no_event() -> None:
    server = LocalApiServer()
    created = server.create(a_config_map("a", data={"x": "1"}))
    version = server.version
    assert server.patch("configmap", "a", {"data": {"x": "1"}}) == created
    assert server.version == version


def test_clients_cannot_change_what_belongs_to_the_server() -> None:
    server = LocalApiServer()
    created = server.create(a_load_balancer())
    changed = server.patch(
        "service", "web", {"metadata": {"creationTimestamp": "2000-01-01T00:00:00Z", "generation": 9}}
    )
    assert changed == created


def test_another_objects_uid_conflicts() -> None:
    server = LocalApiServer()
    created = server.create(a_config_map("a"))
    created["metadata"]["uid"] = "someone-else"
    with pytest.raises(ApiError, match="UID in precondition"):
        server.update(created)


def test_the_status_is_written_by_its_subresource_only() -> None:
    server = LocalApiServer()
    ingress = [{"hostname": "web.example.com"}]
    status = {"status": {"loadBalancer": {"ingress": ingress}}}
    server.create(a_load_balancer() | status)
    assert server.get("service", "web")["status"] == {"loadBalancer": {}}
    server.patch("service", "web", status | {"metadata": {"labels": {"a": "b"}}})
    assert server.get("service", "web")["status"] == {"loadBalancer": {}}
    server.patch(
        "service", "web", status | {"metadata": {"labels": {"a": "c"}}, "spec": {"type": "ClusterIP"}},
        part=Subresource.STATUS,
    )  # fmt: skip
    written = server.get("service", "web")
    assert written["status"] == {"loadBalancer": {"ingress": ingress}}
    assert written["spec"]["type"] == "LoadBalancer"
    assert written["metadata"]["labels"] == {"a": "b"}


def test_the_generation_counts_specs_only() -> None:
    server = LocalApiServer()
    server.create(a_definition())
    server.create(a_widget())
    server.patch("widget", "one", {"metadata": {"labels": {"a": "b"}}})
    server.patch("widget", "one", {"status": {"x": 1}}, part=Subresource.STATUS)
    assert server.get("widget", "one")["metadata"]["generation"] == 1
    assert server.patch("widget", "one", {"spec": {"size": 2}})["metadata"]["generation"] == 2


def test_finalizers_hold_a_deleted_object_until_the_last_one_goes() -> None:
    server = LocalApiServer()
    server.create(a_load_balancer() | {"metadata": {"name": "web", "finalizers": ["x/a", "x/b"]}})
    server.delete("service", "web")
    held = server.get("service", "web")
    assert held["metadata"]["deletionTimestamp"]
    server.patch("service", "web", {"metadata": {"finalizers": ["x/b"]}})
    assert server.find("service", "web") is not None
    server.patch("service", "web", {"metadata": {"finalizers": None}})
    assert server.find("service", "web") is None


def test_deleting_again_changes_nothing() -> None:
    server = LocalApiServer()
    server.create(a_config_map("a", finalizers=["x/a"]))
    server.delete("configmap", "a")
    version = server.version
    server.delete("configmap", "a")
    assert server.version == version


def test_no_finalizer_is_added_to_an_object_that_goes() -> None:
    server = LocalApiServer()
    server.create(a_config_map("a", finalizers=["x/a"]))
    server.delete("configmap", "a")
    with pytest.raises(ApiError, match="no new finalizers can be added"):
        server.patch("configmap", "a", {"metadata": {"finalizers": ["x/a", "x/b"]}})


def test_a_deleted_namespace_takes_its_contents_along() -> None:
    server = LocalApiServer()
    server.create(an_object("v1", "Namespace", "shop"))
    server.create(a_config_map("a", namespace="shop"))
    server.create(a_config_map("b", namespace="shop", finalizers=["x/a"]))
    server.delete("namespace", "shop")
    assert server.get("namespace", "shop")["status"]["phase"] == "Terminating"
    assert [each["metadata"]["name"] for each in server.list("configmaps", namespace="shop")] == ["b"]
    with pytest.raises(ApiError, match="because it is being terminated") as refused:
        server.create(a_config_map("c", namespace="shop"))
    assert refusal(refused) == (403, Reason.FORBIDDEN)
    server.patch("configmap", "b", {"metadata": {"finalizers": None}}, namespace="shop")
    assert server.find("namespace", "shop") is None


def test_events_are_one_resource_in_two_groups() -> None:
    server = LocalApiServer()
    server.create(
        an_object(
            "events.k8s.io/v1", "Event", "web.1", regarding={"kind": "Service", "name": "web"},
            note="it works", reason="Works", type="Normal", reportingController="lb",
        )
    )  # fmt: skip
    [event] = server.list("events", fields="involvedObject.name=web,type=Normal")
    assert event["apiVersion"] == "v1"
    assert (event["message"], event["reportingComponent"]) == ("it works", "lb")


def test_wrong_names_are_refused() -> None:
    with pytest.raises(
        ApiError, match=r"metadata\.name: Invalid value: \"Web\": a DNS-1035 label"
    ) as refused:
        LocalApiServer().create(a_load_balancer("Web"))
    assert refusal(refused) == (422, Reason.INVALID)


def test_a_pathless_ingress_type_is_refused() -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rules = [{"http": {"paths": [{"path": "/", "backend": backend}]}}]
    with pytest.raises(ApiError, match=r"spec\.rules\[0\]\.http\.paths\[0\]\.pathType: Required value"):
        LocalApiServer().create(an_object("networking.k8s.io/v1", "Ingress", "web", spec={"rules": rules}))

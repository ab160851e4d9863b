"""The embedded API server asks registered webhooks as a real one does; here a plain HTTPS server answers."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from lbcontroller.kube.crd import target_group_bindings
from lbcontroller.local.apiserver import ApiError, ApiServerSettings, LocalApiServer, WorkloadSettings
from lbcontroller.local.certificates import CERTIFICATE_FILE, KEY_FILE, write_certificate

Answer = Callable[[dict[str, Any]], dict[str, Any]]
ALLOWED: dict[str, Any] = {"allowed": True}
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}


def patched(*operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    patch = base64.b64encode(json.dumps(operations).encode()).decode()
    return {**ALLOWED, "patchType": "JSONPatch", "patch": patch, **more}


def labelled(label: str) -> dict[str, Any]:
    return patched({"op": "add", "path": f"/metadata/labels/{label}", "value": "yes"})


@dataclass
class Asked:
    """A server of webhooks: what it was asked at each path, and what it answers there."""

    url: str = ""
    authority: str = ""
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def webhook(self, path: str, **fields: Any) -> dict[str, Any]:
        return {
            "name": f"{path}.example.com",
            "clientConfig": {"url": f"{self.url}/{path}", "caBundle": self.authority},
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "rules": [PODS],
            **fields,
        }

    def answer(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        self.requests.append((path, request))
        return self.answers[path](request) if path in self.answers else ALLOWED

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    served = Asked(authority=base64.b64encode(write_certificate(tmp_path).encode()).decode())

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            path = self.path.partition("?")[0].strip("/")
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = served.answer(path, review["request"])
            response = {"uid": review["request"]["uid"], **answer}
            body = json.dumps({**review, "response": response}).encode()
            self.send_response(answer.get("status_code", 200))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / CERTIFICATE_FILE, tmp_path / KEY_FILE)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    served.url = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def server() -> LocalApiServer:
    return LocalApiServer()


def register(
    server: LocalApiServer, *webhooks: dict[str, Any], kind: str = "Mutating", name: str = "a"
) -> None:
    server.create(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{kind}WebhookConfiguration",
            "metadata": {"name": name},
            "webhooks": list(webhooks),
        }
    )


def a_pod(name: str = "p", **meta: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}, **meta},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


def test_a_webhook_changes_an_object_and_is_told_about_it(server: LocalApiServer, asked: Asked) -> None:
    register(server, asked.webhook("one"))
    asked.answers["one"] = lambda _request: labelled("added")

    created = server.create(a_pod())

    assert created["metadata"]["labels"] == {"app": "web", "added": "yes"}
    ((_, request),) = asked.requests
    assert {key: request[key] for key in ("operation", "namespace", "name", "dryRun", "oldObject")} == {
        "operation": "CREATE",
        "namespace": "default",
        "name": "p",
        "dryRun": False,
        "oldObject": None,
    }
    assert request["resource"] == {"group": "", "version": "v1", "resource": "pods"}
    assert request["object"]["metadata"]["labels"] == {"app": "web"}
    assert "uid" not in request["object"]["metadata"]


def test_webhooks_are_asked_in_the_order_of_their_names_and_see_what_others_did(
    server: LocalApiServer, asked: Asked
) -> None:
    register(server, asked.webhook("third"), name="b")
    register(server, asked.webhook("first"), asked.webhook("second"), name="a")
    register(server, asked.webhook("last"), kind="Validating", name="0")
    asked.answers["first"] = lambda _request: labelled("x")

    server.create(a_pod())

    assert asked.paths == ["first", "second", "third", "last"]
    assert [request["object"]["metadata"]["labels"].get("x") for _, request in asked.requests] == [
        None,
        "yes",
        "yes",
        "yes",
    ]
    assert asked.requests[-1][1]["object"]["spec"]["restartPolicy"] == "Always"


def test_a_webhook_is_asked_again_when_another_one_changed_the_object_after_it(
    server: LocalApiServer, asked: Asked
) -> None:
    register(
        server,
        asked.webhook("again", reinvocationPolicy="IfNeeded"),
        asked.webhook("once"),
        asked.webhook("changes"),
        asked.webhook("late", reinvocationPolicy="IfNeeded"),
    )
    asked.answers["changes"] = lambda _request: labelled("x")

    server.create(a_pod())

    assert asked.paths == ["again", "once", "changes", "late", "again"]


def test_a_generated_name_is_not_known_yet(server: LocalApiServer, asked: Asked) -> None:
    register(server, asked.webhook("one"))
    pod = a_pod()
    pod["metadata"] = {"generateName": "web-"}

    name = server.create(pod)["metadata"]["name"]

    ((_, request),) = asked.requests
    assert name.startswith("web-")
    assert "name" not in request


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param({}, True, id="everything"),
        pytest.param({"rules": [{**PODS, "resources": ["*"]}]}, True, id="every resource"),
        pytest.param({"rules": [{**PODS, "resources": ["pods/status"]}]}, False, id="a part"),
        pytest.param({"rules": [{**PODS, "operations": ["UPDATE"]}]}, False, id="another operation"),
        pytest.param({"rules": [{**PODS, "apiGroups": ["apps"]}]}, False, id="another group"),
        pytest.param({"rules": [{**PODS, "scope": "Cluster"}]}, False, id="objects of the cluster"),
        pytest.param(
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}},
            True,
            id="here",
        ),
        pytest.param(
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "x"}}},
            False,
            id="elsewhere",
        ),
        pytest.param({"objectSelector": {"matchLabels": {"app": "web"}}}, True, id="a label"),
        pytest.param({"objectSelector": {"matchLabels": {"app": "x"}}}, False, id="another label"),
    ],
)
def test_only_webhooks_whose_rules_and_selectors_match_are_asked(
    server: LocalApiServer, asked: Asked, fields: dict[str, Any], expected: bool
) -> None:
    register(server, asked.webhook("one", **fields))

    server.create(a_pod())

    assert bool(asked.requests) is expected


def test_an_update_is_shown_with_what_was_there_before(server: LocalApiServer, asked: Asked) -> None:
    register(server, asked.webhook("one", rules=[{**PODS, "operations": ["UPDATE"]}]), kind="Validating")
    server.create(a_pod())
    server.patch("pod", "p", {"metadata": {"labels": {"tier": "front"}}})

    ((_, request),) = asked.requests
    assert request["operation"] == "UPDATE"
    assert request["oldObject"]["metadata"]["labels"] == {"app": "web"}
    assert request["object"]["metadata"]["labels"] == {"app": "web", "tier": "front"}
    assert request["object"]["metadata"]["uid"] == request["oldObject"]["metadata"]["uid"]


def test_a_resource_is_shown_in_the_version_that_the_rule_names(server: LocalApiServer, asked: Asked) -> None:
    server.create(target_group_bindings())
    rule = {
        "apiGroups": ["elbv2.k8s.aws"],
        "apiVersions": ["v1beta1"],
        "resources": ["targetgroupbindings"],
        "operations": ["CREATE"],
    }
    register(
        server, asked.webhook("exact", rules=[rule], matchPolicy="Exact"), asked.webhook("any", rules=[rule])
    )
    asked.answers["any"] = lambda _request: patched(
        {"op": "add", "path": "/spec/targetGroupName", "value": "web"}
    )

    created = server.create(
        {
            "apiVersion": "elbv2.k8s.aws/v1alpha1",
            "kind": "TargetGroupBinding",
            "metadata": {"name": "own"},
            "spec": {"serviceRef": {"name": "web", "port": 80}},
        }
    )

    assert (created["apiVersion"], created["spec"]["targetGroupName"]) == ("elbv2.k8s.aws/v1alpha1", "web")
    ((path, request),) = asked.requests
    assert path == "any"
    assert (request["kind"]["version"], request["requestKind"]["version"]) == ("v1beta1", "v1alpha1")
    assert request["object"]["apiVersion"] == "elbv2.k8s.aws/v1beta1"


@pytest.mark.parametrize("kind", ["Mutating", "Validating"])
def test_a_refusal_stores_nothing_and_says_who_and_why(
    server: LocalApiServer, asked: Asked, kind: str
) -> None:
    register(server, asked.webhook("one"), kind=kind)
    asked.answers["one"] = lambda _request: {"allowed": False, "status": {"message": "not so", "code": 403}}

    with pytest.raises(ApiError) as refused:
        server.create(a_pod())

    assert refused.value.code == 403
    assert refused.value.message == 'admission webhook "one.example.com" denied the request: not so'
    assert server.find("pod", "p") is None


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"status_code": 500}, id="an error"),
        pytest.param({"uid": "another"}, id="an answer to something else"),
    ],
)
def test_a_webhook_that_fails_decides_by_its_failure_policy(
    server: LocalApiServer, asked: Asked, answer: dict[str, Any]
) -> None:
    register(server, asked.webhook("one", failurePolicy="Ignore"))
    asked.answers["one"] = lambda _request: {**ALLOWED, **answer}

    assert server.create(a_pod("ignored"))["metadata"]["name"] == "ignored"
    server.patch(
        "mutatingwebhookconfiguration", "a", {"webhooks": [asked.webhook("one", failurePolicy="Fail")]}
    )
    with pytest.raises(ApiError, match=r'failed calling webhook "one\.example\.com"') as failed:
        server.create(a_pod())
    assert failed.value.code == 500


def test_a_webhook_that_nobody_serves_fails_and_so_does_one_behind_a_service(server: LocalApiServer) -> None:
    nowhere = Asked(url="https://127.0.0.1:1", authority="")
    register(server, nowhere.webhook("one"))
    with pytest.raises(ApiError, match="failed to call webhook"):
        server.create(a_pod())

    behind = {**nowhere.webhook("one"), "clientConfig": {"service": {"name": "s", "namespace": "n"}}}
    server.patch("mutatingwebhookconfiguration", "a", {"webhooks": [behind]})
    with pytest.raises(ApiError, match="Services cannot be reached"):
        server.create(a_pod())


def test_configurations_themselves_are_never_sent(server: LocalApiServer, asked: Asked) -> None:
    everything = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["*"]}
    register(server, asked.webhook("one", rules=[everything]))
    register(server, asked.webhook("two", rules=[everything]), name="b")
    server.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})

    assert asked.paths == ["one", "two"]


def test_warnings_reach_the_client(asked: Asked) -> None:
    with LocalApiServer() as server:
        register(server, asked.webhook("one"), asked.webhook("two"))
        for path in ("one", "two"):
            asked.answers[path] = lambda _request: {**ALLOWED, "warnings": ["think twice"]}

        assert warnings_of_a_dry_run(server, a_pod()) == ['299 - "think twice"']
        assert server.find("pod", "p") is None
        assert [request["dryRun"] for _, request in asked.requests] == [True, True]


def warnings_of_a_dry_run(server: LocalApiServer, obj: dict[str, Any]) -> list[str]:
    request = Request(  # noqa: S310 - loopback
        f"{server.url}/api/v1/namespaces/default/pods?dryRun=All",
        data=json.dumps(obj).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        return list(answer.headers.get_all("Warning") or ())


def test_pods_of_a_deployment_are_sent_too(asked: Asked) -> None:
    server = LocalApiServer(ApiServerSettings(workloads=WorkloadSettings()))
    register(server, asked.webhook("one"))
    template = {"metadata": {"labels": {"app": "web"}}, "spec": a_pod()["spec"]}

    server.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        }
    )

    assert asked.paths == ["one", "one"]

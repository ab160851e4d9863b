"""The webhooks that the chart registers, and the certificate by which the API server knows them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from lbcontroller.webhooks.registration import REGISTRATIONS, configurations
from tests.support.chart import NAMESPACE, Object, container_of, flags_of, of_kind, only, pod_of, rendered

KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
SERVICE = "lbc-lbcontroller-webhook"


def registered(objects: list[Object] | Any) -> dict[str, Object]:
    """Return every webhook by its name."""
    return {hook["name"]: hook for kind in KINDS for hook in only(objects, kind)["webhooks"]}


def decoded(data: Mapping[str, str], name: str) -> bytes:
    return base64.b64decode(data[name])


def test_what_is_registered_is_what_the_code_declares() -> None:
    objects = rendered()

    def client_config(path: str) -> Mapping[str, Any]:
        return {"service": {"namespace": NAMESPACE, "name": SERVICE, "path": path, "port": 443}}

    declared = configurations(REGISTRATIONS, client_config, name="lbcontroller")
    assert {each["kind"]: each["webhooks"] for each in declared} == {
        kind: only(objects, kind)["webhooks"] for kind in KINDS
    }


def test_the_service_leads_to_the_webhooks() -> None:
    (service,) = [each for each in of_kind(rendered(), "Service") if each["metadata"]["name"] == SERVICE]
    assert service["spec"]["ports"] == [{"name": "webhook", "port": 443, "targetPort": "webhook"}]


def test_the_controller_makes_the_certificate_for_the_service_unless_somebody_else_does() -> None:
    objects = rendered()
    flags = flags_of(objects)

    assert of_kind(objects, "Secret") == of_kind(objects, "Certificate") == []
    assert flags["webhook-service"] == f"{NAMESPACE}/{SERVICE}"
    assert flags["webhook-secret"] == "lbc-lbcontroller-webhook-own"
    assert [only(objects, kind)["metadata"]["name"] for kind in KINDS] == [
        flags["webhook-configurations"]
    ] * 2
    assert "webhook-cert-dir" not in flags


@pytest.mark.parametrize("encode", [str, lambda text: base64.b64encode(text.encode()).decode()])
def test_a_given_certificate_is_used_as_pem_and_encoded(encode: Any) -> None:
    given = {name: f"-----BEGIN {name}-----\n" for name in ("caCert", "cert", "key")}
    objects = rendered(webhookTLS={name: encode(text) for name, text in given.items()})
    data = only(objects, "Secret")["data"]

    assert [decoded(data, name).decode() for name in ("ca.crt", "tls.crt", "tls.key")] == list(given.values())
    for hook in registered(objects).values():
        assert hook["clientConfig"]["caBundle"] == data["ca.crt"]


def test_cert_manager_makes_the_certificate_where_it_is_asked_to() -> None:
    objects = rendered(enableCertManager=True)
    certificate = only(objects, "Certificate")

    assert of_kind(objects, "Secret") == []
    assert certificate["spec"]["issuerRef"] == {
        "kind": "Issuer",
        "name": only(objects, "Issuer")["metadata"]["name"],
    }
    for kind in KINDS:
        annotations = only(objects, kind)["metadata"]["annotations"]
        assert annotations["cert-manager.io/inject-ca-from"] == (
            f"{NAMESPACE}/{certificate['metadata']['name']}"
        )
    assert all("caBundle" not in hook["clientConfig"] for hook in registered(objects).values())


def test_an_issuer_that_is_there_is_used() -> None:
    reference = {"kind": "ClusterIssuer", "name": "company"}
    objects = rendered(enableCertManager=True, certManager={"issuerRef": reference})

    assert of_kind(objects, "Issuer") == []
    assert only(objects, "Certificate")["spec"]["issuerRef"] == reference


GIVEN = dict.fromkeys(("caCert", "cert", "key"), "-----BEGIN")


@pytest.mark.parametrize("values", [{}, {"enableCertManager": True}, {"webhookTLS": GIVEN}])
def test_the_pods_mount_the_certificate_that_somebody_else_makes(values: Mapping[str, Any]) -> None:
    objects = rendered(**values)
    made = [
        *(each["metadata"]["name"] for each in of_kind(objects, "Secret")),
        *(each["spec"]["secretName"] for each in of_kind(objects, "Certificate")),
    ]
    mounted = [
        volume["secret"]["secretName"] for volume in pod_of(objects)["spec"]["volumes"] if "secret" in volume
    ]
    directories = [
        mount["mountPath"]
        for mount in container_of(objects)["volumeMounts"]
        if mount["name"] == "webhook-certificate"
    ]
    assert mounted == made
    assert directories == [flags_of(objects)["webhook-cert-dir"] for _ in made]


def test_services_keep_their_class_where_it_is_asked_for() -> None:
    with_class, without = registered(rendered()), registered(rendered(enableServiceMutatorWebhook=False))
    assert with_class.keys() - without.keys() == {"mservice.elbv2.k8s.aws"}


def test_selectors_and_policies_are_changed_by_values() -> None:
    expression = {"key": "team", "operator": "In", "values": ["shop"]}
    hooks = registered(
        rendered(
            webhookNamespaceSelectors=[expression],
            objectSelector={"matchExpressions": [expression], "matchLabels": {"a": "b"}},
            podMutatorWebhookConfig={"failurePolicy": "Fail"},
            serviceMutatorWebhookConfig={
                "failurePolicy": "Ignore",
                "namespaceSelectors": [expression],
                "objectSelector": {"matchLabels": {"c": "d"}},
            },
        )
    )
    gates, ids, services = (hooks[f"{name}.elbv2.k8s.aws"] for name in ("mpod", "quicid", "mservice"))

    for hook in (gates, ids, services):
        assert hook["namespaceSelector"] == {"matchExpressions": [expression]}
        assert "app.kubernetes.io/name" in [
            each["key"] for each in hook["objectSelector"]["matchExpressions"]
        ], "our own pods are never sent to us"
    assert gates["objectSelector"]["matchExpressions"][-1] == expression
    assert gates["objectSelector"]["matchLabels"] == {"a": "b"}
    assert services["objectSelector"]["matchLabels"] == {"c": "d"}
    assert (gates["failurePolicy"], services["failurePolicy"]) == ("Fail", "Ignore")

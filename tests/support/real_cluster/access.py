"""The controller's login to a real API server: a ServiceAccount with the permissions that it declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from lbcontroller.kube.permissions import PERMISSIONS, OwnObject, Permission, Place, rules
from lbcontroller.local.apiserver.objects import JsonObject
from tests.support.real_cluster.requests import Requests
from tests.support.real_cluster.servers import ApiServer

NAME: Final = "lbcontroller"
NAMESPACE: Final = "kube-system"
USER: Final = f"system:serviceaccount:{NAMESPACE}:{NAME}"
LEASE: Final = "aws-load-balancer-controller-leader"
_RBAC: Final = "rbac.authorization.k8s.io"
_SUBJECT: Final = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
CERTIFICATE: Final = "lbcontroller-webhook-certificate"
CONFIGURATIONS: Final = "lbcontroller"
_NAMES: Final[Mapping[OwnObject, str]] = {
    OwnObject.LEASE: LEASE,
    OwnObject.WEBHOOK_CERTIFICATE: CERTIFICATE,
    OwnObject.WEBHOOK_CONFIGURATIONS: CONFIGURATIONS,
}


def grant(apply: Callable[[JsonObject], object], permissions: Iterable[Permission] = PERMISSIONS) -> None:
    """Make the account, and bind it to roles for these permissions and no others."""
    listed = tuple(permissions)
    apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME, "namespace": NAMESPACE}})
    everywhere = [
        rule
        for place in (Place.CLUSTER, Place.TRUST, Place.WATCHED, Place.CHOSEN)
        for rule in rules(place, _NAMES, listed)
    ]
    own = [rule for place in (Place.OWN, Place.CERTIFICATE) for rule in rules(place, _NAMES, listed)]
    for metadata, prefix, given in (
        ({"name": NAME}, "Cluster", everywhere),
        ({"name": NAME, "namespace": NAMESPACE}, "", own),
    ):
        role: dict[str, Any] = {"apiVersion": f"{_RBAC}/v1", "kind": f"{prefix}Role", "metadata": metadata}
        apply(role | {"rules": given})
        reference = {"apiGroup": _RBAC, "kind": f"{prefix}Role", "name": NAME}
        apply(role | {"kind": f"{prefix}RoleBinding", "roleRef": reference, "subjects": [_SUBJECT]})


def login(requests: Requests) -> str:
    """Return a token of the account, as a kubelet gets it for a pod."""
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 24 * 3600},
    }
    path = f"api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
    token: str = requests.send("POST", path, asked)["status"]["token"]
    return token


def write_kubeconfig(path: Path, server: ApiServer, token: str) -> None:
    """Write the kubeconfig of a token's owner where only the owner of the file can read it."""
    authority = path.parent / f"{path.name}.crt"
    authority.write_text(server.authority)
    path.touch(mode=0o600)
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "real",
                "clusters": [
                    {
                        "name": "real",
                        "cluster": {"server": server.url, "certificate-authority": str(authority)},
                    }
                ],
                "users": [{"name": NAME, "user": {"token": token}}],
                "contexts": [
                    {"name": "real", "context": {"cluster": "real", "user": NAME, "namespace": NAMESPACE}}
                ],
            }
        )
    )

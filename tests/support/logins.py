"""Ingresses whose clients log in, and the Secrets they do it with."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.support.sites import a_site

PROVIDER = {
    "issuer": "https://login.example.com",
    "authorizationEndpoint": "https://login.example.com/authorize",
    "tokenEndpoint": "https://login.example.com/token",
    "userInfoEndpoint": "https://login.example.com/userinfo",
    "secretName": "login",
}


def a_secret(name: str = "login", *, key: str = "s3cr3t", **labels: str) -> dict[str, Any]:
    data = {"clientID": "client", "clientSecret": key}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name} | ({"labels": labels} if labels else {}),
        "data": {entry: base64.b64encode(text.encode()).decode() for entry, text in data.items()},
    }


def a_login(name: str = "www", *, key_in: str = "login", group: str | None = None) -> dict[str, Any]:
    """Return an Ingress on HTTPS whose clients log in."""
    return a_site(
        name,
        group=group,
        annotated={
            "listen-ports": '[{"HTTPS": 443}]',
            "auth-type": "oidc",
            "auth-idp-oidc": json.dumps(PROVIDER | {"secretName": key_in}),
        },
    )

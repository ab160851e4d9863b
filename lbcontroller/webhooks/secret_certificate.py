"""A certificate that the replicas share in a Secret: whoever finds none makes it, and renews it in time.

    1. the authority of a new certificate is added to those that the webhook configurations trust
    2. the certificate is written into the Secret, unless another replica was faster: then its one counts
    3. the configurations trust what the Secret says, which only now is shown to anybody

So nobody is ever shown a certificate that the API server does not trust yet. Every write names the version
that it was made from. Standbys write, too: they are asked as well as the leader, and on an installation
beside another controller there may be no leader of ours.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lbcontroller.cluster.key_pairs import CERTIFICATE_ENTRY, KEY_ENTRY
from lbcontroller.cluster.objects import mapping, sequence
from lbcontroller.cluster.secret import Secret
from lbcontroller.errors import LbControllerError
from lbcontroller.keys import ObjectName
from lbcontroller.kube.client import Client, Json
from lbcontroller.kube.errors import Conflict, Rejected
from lbcontroller.kube.resources import ResourceType
from lbcontroller.telemetry.logs import event
from lbcontroller.webhooks.certificate import Shown, Unusable
from lbcontroller.webhooks.own_certificates import Issued, issue, names_of, trusted, why_renew

LOGGER: Final = logging.getLogger(__name__)
AUTHORITIES_ENTRY: Final = "ca.crt"
OWNER_LABEL: Final = "app.kubernetes.io/managed-by"
OWNER: Final = "lbcontroller"
CONFIGURATIONS: Final = (
    ResourceType.MUTATING_WEBHOOK_CONFIGURATIONS,
    ResourceType.VALIDATING_WEBHOOK_CONFIGURATIONS,
)
_ATTEMPTS: Final = 5
"""More than there are replicas that could write at the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where the certificate is kept, and who has to trust it."""

    secret: ObjectName
    service: ObjectName
    """The Service in front of the webhooks, whose names the certificate is for."""
    configurations: str
    """Name of the webhook configurations whose `caBundle` is written."""


class SecretCertificate:
    """Reads the certificate, and makes it when there is none that could be used."""

    def __init__(self, client: Client, kept: Kept, now: Callable[[], datetime]) -> None:
        """Read and write with `client`, whether this replica leads or not."""
        self._client = client
        self._kept = kept
        self._now = now

    def read(self) -> Shown:
        """Return the certificate that every replica shows, trusted by the API server.

        Raises:
            Unusable: it can be neither read nor made, or the API server cannot be told whom to trust.
        """
        try:
            for _ in range(_ATTEMPTS):
                try:
                    issued = self._agreed()
                except Conflict:
                    continue
                return Shown(certificate=issued.certificate, key=issued.key)
        except (LbControllerError, Rejected) as error:
            raise Unusable(f"{self}: {error}") from error
        raise Unusable(f"{self}: others keep writing it")

    def __str__(self) -> str:
        """Return the Secret, as messages name it."""
        return f"Secret {self._kept.secret}"

    def _agreed(self) -> Issued:
        """Return what the Secret says, after making it say what can be used.

        Raises:
            Conflict: another replica wrote something first.
        """
        found = self._client.get(ResourceType.SECRETS, self._kept.secret)
        issued = None if found is None else self._issued(found)
        names, now = names_of(self._kept.service), self._now()
        reason = "does not exist" if issued is None else why_renew(issued, names, now)
        if reason:
            issued = issue(names, now, before=b"" if issued is None else issued.authorities)
            self._trust(issued.authorities, beside_others=True)
            self._store(issued, found)
            event(LOGGER, logging.INFO, "webhook_certificate_made", subject=self, reason=reason)
        assert issued is not None  # noqa: S101 - its absence is a reason
        self._trust(issued.authorities)
        return issued

    def _issued(self, found: Json) -> Issued:
        """Return what a Secret holds, be it damaged or not.

        Raises:
            Unusable: it is the Secret of somebody else.
        """
        secret = Secret.from_object(found)
        if secret.labels.get(OWNER_LABEL) != OWNER:
            raise Unusable(
                f"{self} is not ours, because it lacks the label {OWNER_LABEL}={OWNER}: "
                "delete it, or name another one by --webhook-secret"
            )
        return Issued(
            authorities=secret.data.get(AUTHORITIES_ENTRY, b""),
            certificate=secret.data.get(CERTIFICATE_ENTRY, b""),
            key=secret.data.get(KEY_ENTRY, b""),
        )

    def _store(self, issued: Issued, found: Json | None) -> None:
        data = {
            AUTHORITIES_ENTRY: _encoded(issued.authorities),
            CERTIFICATE_ENTRY: _encoded(issued.certificate),
            KEY_ENTRY: _encoded(issued.key),
        }
        if found is not None:
            version = {"resourceVersion": found["metadata"]["resourceVersion"]}
            self._client.patch(ResourceType.SECRETS, self._kept.secret, {"metadata": version, "data": data})
            return
        metadata = {
            "namespace": self._kept.secret.namespace,
            "name": self._kept.secret.name,
            "labels": {OWNER_LABEL: OWNER},
        }
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "type": "kubernetes.io/tls",
            "data": data,
        }
        self._client.create(ResourceType.SECRETS, secret)

    def _trust(self, authorities: bytes, *, beside_others: bool = False) -> None:
        """Write the authorities into the webhooks that lead to our Service; what is not registered waits."""
        name = ObjectName("", self._kept.configurations)
        for resource in CONFIGURATIONS:
            found = self._client.get(resource, name)
            if found is None:
                continue
            before = list(sequence(found, "webhooks"))
            webhooks = [self._trusting(webhook, authorities, beside_others) for webhook in before]
            if webhooks != before:
                version = {"resourceVersion": found["metadata"]["resourceVersion"]}
                self._client.patch(resource, name, {"metadata": version, "webhooks": webhooks})
                event(
                    LOGGER,
                    logging.INFO,
                    "webhook_authorities_written",
                    subject=f"{resource.kind} {name.name}",
                )

    def _trusting(self, webhook: Json, authorities: bytes, beside_others: bool) -> Json:  # noqa: FBT001 - passed on
        config = mapping(webhook, "clientConfig")
        service = mapping(config, "service")
        if ObjectName(service.get("namespace") or "", service.get("name") or "") != self._kept.service:
            return webhook
        others = base64.b64decode(config.get("caBundle") or "") if beside_others else b""
        bundle = trusted((authorities, others), self._now())
        return {**webhook, "clientConfig": {**config, "caBundle": _encoded(bundle)}}


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")

"""Certificates of Secrets in ACM: imported, imported again in place, deleted when nobody uses them.

Private keys are asked for at the moment of the call and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.certificates import KEY_TYPES
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.identity import Identification
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import (
    ADD_TAGS_TO_CERTIFICATE,
    DELETE_CERTIFICATE,
    IMPORT_CERTIFICATE,
    LIST_CERTIFICATES,
)
from lbcontroller.aws.presence import require
from lbcontroller.aws.tagged_certificates import FINGERPRINT_TAG, read_certificate_tags, tracked_certificate
from lbcontroller.aws.tagging import change_certificate_tags
from lbcontroller.aws.wire import Changes, known, tag_list, without_nones
from lbcontroller.cluster.key_pairs import KeyPair
from lbcontroller.errors import NotReady
from lbcontroller.keys import ObjectName
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedCertificate
from lbcontroller.model.resources import Certificate

SecretSource = Callable[[ObjectName], KeyPair | None]
"""Reads a Secret now; None when it is gone or holds no key pair."""

_SECRET_SECONDS: Final = 60.0
_RECENT: Final = timedelta(hours=1)
"""How old an import may be that was ours although its reply got lost: what is older the bulk read found."""


def no_secrets(_name: ObjectName) -> None:
    """Read no Secret: for a program that imports no certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateImports:
    """Imports and deletes certificates, writing through to the mirror."""

    caller: AwsCaller
    mirror: Mirror
    identification: Identification
    secrets: SecretSource
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def create(self, desired: Certificate) -> Arn:
        """Import the certificate of a Secret, or take over the one that a lost reply left.

        Raises:
            NotReady: the Secret is gone.
            LbControllerError: as `AwsCaller.call` does.
        """
        left = self._left_behind(desired)
        if left is not None:
            self._record(left, desired, "")
            self._import_again(left, desired)
            return left
        pair = self._pair(desired)
        tags = {**known(desired.tags), FINGERPRINT_TAG: pair.fingerprint}
        answer = self.caller.call(IMPORT_CERTIFICATE, **_request(pair), Tags=tag_list(tags))
        arn = Arn(answer["CertificateArn"])
        self._record(arn, desired, pair.fingerprint)
        return arn

    def update(self, arn: Arn, desired: Certificate, changes: Changes) -> None:
        """Make the changes: the certificate in place, so that listeners go on with the new one; tags.

        Raises:
            NotReady: the Secret or the certificate is gone.
            LbControllerError: as `AwsCaller.call` does.
        """
        observed = require(self.mirror, ObservedCertificate, arn)
        if "fingerprint" in changes.fields:
            self._import_again(arn, desired)
        change_certificate_tags(self.caller, arn, changes)
        self.mirror.amend(arn, tags=changes.applied_to_tags(observed.resource.tags))

    def delete(self, arn: Arn) -> None:
        """Delete a certificate; that it is gone already is fine.

        Raises:
            NotReady: a listener still uses it, or did a moment ago.
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            self.caller.call(DELETE_CERTIFICATE, CertificateArn=arn)
        except NotReady as error:
            if not is_not_found(error):
                raise
        self.mirror.forget(arn)

    def _import_again(self, arn: Arn, desired: Certificate) -> None:
        """Replace the certificate under its ARN, and then the tag that says which one it is."""
        pair = self._pair(desired)
        self.caller.call(IMPORT_CERTIFICATE, CertificateArn=arn, **_request(pair))
        tags = tag_list({FINGERPRINT_TAG: pair.fingerprint})
        self.caller.call(ADD_TAGS_TO_CERTIFICATE, CertificateArn=arn, Tags=tags)
        # The Secret may have changed since the plan: what was sent counts.
        self.mirror.amend(arn, fingerprint=pair.fingerprint)

    def _pair(self, desired: Certificate) -> KeyPair:
        pair = self.secrets(desired.secret)
        if pair is None:
            raise NotReady(
                f"Secret {desired.secret} is gone or has no certificate with its key",
                retry_after=_SECRET_SECONDS,
            )
        return pair

    def _record(self, arn: Arn, desired: Certificate, fingerprint: str) -> None:
        resource = replace(desired, fingerprint=fingerprint)
        stack = self.identification.stack_of(desired)
        self.mirror.record(stack, ObservedCertificate(arn=arn, resource=resource))

    def _left_behind(self, desired: Certificate) -> Arn | None:
        """Return a certificate that we imported without hearing of it."""
        wanted = tracked_certificate(self.identification.cluster, known(desired.tags))
        for arn in self._recent_imports():
            tags = read_certificate_tags(self.caller, arn)
            if tags is not None and tracked_certificate(self.identification.cluster, tags) == wanted:
                return arn
        return None

    def _recent_imports(self) -> Iterator[Arn]:
        """Yield the certificates of the last hour that the mirror does not have."""
        newest = self.caller.call(
            LIST_CERTIFICATES,
            Includes={"keyTypes": list(KEY_TYPES)},
            SortBy="CREATED_AT",
            SortOrder="DESCENDING",
            MaxItems=LIST_CERTIFICATES.paging.size if LIST_CERTIFICATES.paging else None,
        )
        for item in newest["CertificateSummaryList"]:
            imported = item.get("ImportedAt")
            if item.get("Type") != "IMPORTED" or imported is None or self.now() - imported > _RECENT:
                continue
            if self.mirror.find(Arn(item["CertificateArn"])) is None:
                yield Arn(item["CertificateArn"])


def _request(pair: KeyPair) -> dict[str, bytes]:
    return without_nones(
        {"Certificate": pair.certificate, "CertificateChain": pair.chain or None, "PrivateKey": pair.key}
    )

"""The certificates of controllers, by their tags.

ACM tells neither what was imported nor a digest of it, so a tag says which certificate and chain it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import LIST_TAGS_FOR_CERTIFICATE
from lbcontroller.aws.tagging import read_tagged
from lbcontroller.aws.wire import decode_tags
from lbcontroller.errors import NotReady
from lbcontroller.keys import ObjectName
from lbcontroller.model.fields import Tags
from lbcontroller.model.identity import CLUSTER_TAG, Tracked, identify, secret_of_certificate
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedCertificate
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import Certificate

FINGERPRINT_TAG: Final = "elbv2.k8s.aws/fingerprint"
"""Tag with the fingerprint of the imported certificate and its chain."""
CERTIFICATE_TYPE: Final = "acm:certificate"
"""Certificates, as the tagging API calls them."""
Found = Mapping[Arn, tuple[Tracked, ObservedCertificate]]


def tracked_certificate(cluster: str, tags: Tags) -> Tracked | None:
    """Return which certificate of a Secret tags name; None for any other, such as those LBC requested."""
    tracked = identify(cluster, tags)
    if tracked is None or secret_of_certificate(tracked.resource) is None:
        return None
    return tracked


def decode_certificate(arn: Arn, tracked: Tracked, tags: Tags) -> ObservedCertificate:
    """Return a certificate of ours as its tags describe it."""
    return ObservedCertificate(
        arn=arn,
        resource=Certificate(
            id=ResourceId(Kind.CERTIFICATE, tracked.resource),
            secret=secret_of_certificate(tracked.resource) or ObjectName("", tracked.resource),
            fingerprint=tags.get(FINGERPRINT_TAG, ""),
            tags={key: value for key, value in tags.items() if key != FINGERPRINT_TAG},
        ),
    )


def read_certificate_tags(caller: AwsCaller, arn: Arn) -> Tags | None:
    """Return the tags of one certificate; None when it is gone.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    try:
        return decode_tags(caller.call(LIST_TAGS_FOR_CERTIFICATE, CertificateArn=arn).get("Tags", ()))
    except NotReady as error:
        if not is_not_found(error):
            raise
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReader:
    """Finds the certificates of a cluster's stacks, for the bulk read."""

    caller: AwsCaller
    mirror: Mirror
    cluster: str

    def tagged(self) -> Mapping[Arn, Tags]:
        """Return the tags of every certificate of the cluster, as far as the tagging API knows them.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        return read_tagged(self.caller, CERTIFICATE_TYPE, [{"Key": CLUSTER_TAG, "Values": [self.cluster]}])

    def read(self, tagged: Mapping[Arn, Tags]) -> Found:
        """Return the imported certificates that are ours, of those that are `tagged`.

        The tagging API knows what is new only after a while, so those that the mirror has and it has not, or
        has otherwise, are asked about.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        found = dict(self._ours(tagged))
        doubtful = [item.arn for item in self._known() if item.arn not in found or found[item.arn][1] != item]
        present = {arn: read_certificate_tags(self.caller, arn) for arn in doubtful}
        certain = {arn: item for arn, item in found.items() if arn not in present}
        there = {arn: tags for arn, tags in present.items() if tags is not None}
        return {**certain, **dict(self._ours(there))}

    def _ours(self, tagged: Mapping[Arn, Tags]) -> Iterator[tuple[Arn, tuple[Tracked, ObservedCertificate]]]:
        for arn, tags in tagged.items():
            tracked = tracked_certificate(self.cluster, tags)
            if tracked is not None:
                yield arn, (tracked, decode_certificate(arn, tracked, tags))

    def _known(self) -> Iterator[ObservedCertificate]:
        for stack in self.mirror.stacks():
            for item in self.mirror.observed(stack):
                if isinstance(item, ObservedCertificate):
                    yield item

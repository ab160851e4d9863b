"""The certificates of controllers, by their tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.operations import GET_CERTIFICATE, GET_TAGGED_RESOURCES, LIST_TAGS_FOR_CERTIFICATE
from lbcontroller.aws.wire import decode_tags
from lbcontroller.cluster.key_pairs import fingerprint
from lbcontroller.errors import NotReady
from lbcontroller.keys import ObjectName
from lbcontroller.model.fields import UNKNOWN, Tags
from lbcontroller.model.identity import CLUSTER_TAG, Tracked, identify, secret_of_certificate
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import ObservedCertificate
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import Certificate

CERTIFICATE_TYPE: Final = "acm:certificate"
"""Certificates, as the tagging API calls them."""
Found = Mapping[Arn, tuple[Tracked, ObservedCertificate]]


def tracked_certificate(cluster: str, tags: Tags) -> Tracked | None:
    """Return which certificate of a Secret tags name; None for any other, such as those LBC requested."""
    tracked = identify(cluster, tags)
    if tracked is None or secret_of_certificate(tracked.resource) is None:
        return None
    return tracked


def read_tagged(caller: AwsCaller, filters: Sequence[Mapping[str, Any]]) -> Mapping[Arn, Tags]:
    """Return the certificates that have certain tags, with all of their tags.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    pages = caller.pages(
        GET_TAGGED_RESOURCES, ResourceTypeFilters=[CERTIFICATE_TYPE], TagFilters=list(filters)
    )
    return {
        Arn(item["ResourceARN"]): decode_tags(item["Tags"])
        for page in pages
        for item in page["ResourceTagMappingList"]
    }


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


def read_fingerprint(caller: AwsCaller, arn: Arn) -> str:
    """Return what tells a certificate from others.

    Raises:
        LbControllerError: as `AwsCaller.call` does.
    """
    answer = caller.call(GET_CERTIFICATE, CertificateArn=arn)
    return fingerprint(answer["Certificate"].encode(), (answer.get("CertificateChain") or "").encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateReader:
    """Finds the certificates of a cluster's stacks, for the bulk read."""

    caller: AwsCaller
    mirror: Mirror
    cluster: str

    def read(self) -> Found:
        """Return the imported certificates that are ours.

        The tagging API knows what is new only after a while, so those that the mirror has are asked about.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        tagged = read_tagged(self.caller, [{"Key": CLUSTER_TAG, "Values": [self.cluster]}])
        found = dict(self._ours(tagged))
        missing = [item.arn for item in self._known() if item.arn not in found]
        present = {arn: read_certificate_tags(self.caller, arn) for arn in missing}
        there = {arn: tags for arn, tags in present.items() if tags is not None}
        return {**found, **dict(self._ours(there))}

    def _ours(self, tagged: Mapping[Arn, Tags]) -> Iterator[tuple[Arn, tuple[Tracked, ObservedCertificate]]]:
        for arn, tags in tagged.items():
            tracked = tracked_certificate(self.cluster, tags)
            if tracked is not None:
                yield arn, (tracked, self._decode(arn, tracked, tags))

    def _decode(self, arn: Arn, tracked: Tracked, tags: Tags) -> ObservedCertificate:
        before = self.mirror.find(arn)
        resource = Certificate(
            id=ResourceId(Kind.CERTIFICATE, tracked.resource),
            secret=secret_of_certificate(tracked.resource) or ObjectName("", tracked.resource),
            fingerprint=before.resource.fingerprint if isinstance(before, ObservedCertificate) else UNKNOWN,
            tags=tags,
        )
        return ObservedCertificate(arn=arn, resource=resource)

    def _known(self) -> Iterator[ObservedCertificate]:
        for stack in self.mirror.stacks():
            for item in self.mirror.observed(stack):
                if isinstance(item, ObservedCertificate):
                    yield item

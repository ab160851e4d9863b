"""The certificates that listeners may use."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import is_not_found
from lbcontroller.aws.operations import DESCRIBE_CERTIFICATE, LIST_CERTIFICATES
from lbcontroller.aws.tagged_certificates import CERTIFICATE_TYPE
from lbcontroller.aws.tagging import read_tagged
from lbcontroller.errors import Denied, NotReady
from lbcontroller.model.fields import UNKNOWN, Known
from lbcontroller.model.identity import CLUSTER_TAG, TagFamily
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.inventory import CertificateFact

KEY_TYPES: Final = (
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
)
"""Without this list ACM leaves out all but small RSA keys (ACM API reference, ListCertificates)."""
LIST_SECONDS: Final = 600.0
"""For how long the list of certificates is good enough to find those of hosts in. A host for which there is
none has it read again at once, so that this is only about further ones."""
IMPORTED_SECONDS: Final = 300.0
ISSUED_SECONDS: Final = 36_000.0
"""For how long the names of a certificate are remembered: an imported one may be imported again."""
_OF_CONTROLLERS: Final = [{"Key": CLUSTER_TAG}, {"Key": f"{TagFamily.INGRESS}/stack"}]
"""Tags of the certificates that this program imports and LBC requests, for whichever cluster."""

Summary = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What no list of certificates tells."""

    domains: frozenset[str]
    authority: str | None
    at: float
    """When it was read."""


@dataclass(slots=True, kw_only=True)
class CertificateFacts:
    """Reads the certificates of ACM. Not for several threads at a time."""

    caller: AwsCaller
    authorities: Collection[str] = ()
    """Private authorities to which the choice of certificates is limited; empty for no limit."""
    is_ours: Callable[[Arn], bool] = lambda _arn: False
    """Whether this program is known to have imported a certificate."""
    clock: Callable[[], float] = time.monotonic
    _details: dict[CertificateArn, Details] = field(default_factory=dict)

    def read(self, *, to_discover: bool) -> Known[Mapping[CertificateArn, CertificateFact]]:
        """Return the issued certificates of ACM; `UNKNOWN` when we may not list them.

        Args:
            to_discover: whether some are looked for by the names of hosts, for which all of their own names
                must be known, and whose they are.

        Raises:
            LbControllerError: as `AwsCaller.call` does, but for Denied.
        """
        try:
            summaries = self._summaries()
        except Denied:
            # Then AWS has the word when a listener is made.
            return UNKNOWN
        facts = {fact.arn: fact for fact in map(_decode, summaries)}
        return self._with_details(facts, summaries) if to_discover else facts

    def _summaries(self) -> list[Summary]:
        pages = self.caller.pages(
            LIST_CERTIFICATES, CertificateStatuses=["ISSUED"], Includes={"keyTypes": list(KEY_TYPES)}
        )
        return [item for page in pages for item in page["CertificateSummaryList"]]

    def _with_details(
        self, facts: Mapping[CertificateArn, CertificateFact], summaries: Collection[Summary]
    ) -> Mapping[CertificateArn, CertificateFact]:
        made_by_controllers = self._made_by_controllers()
        found = {}
        for summary in summaries:
            fact = facts[CertificateArn(summary["CertificateArn"])]
            details = self._details_of(summary) if self._needs_details(summary) else None
            if details is not None:
                fact = replace(fact, domains=details.domains, authority=details.authority)
            arn = Arn(fact.arn)
            found[fact.arn] = replace(fact, ours=arn in made_by_controllers or self.is_ours(arn))
        self._details = {arn: details for arn, details in self._details.items() if arn in found}
        return found

    def _made_by_controllers(self) -> Collection[Arn]:
        try:
            return read_tagged(self.caller, CERTIFICATE_TYPE, _OF_CONTROLLERS).keys()
        except Denied:
            return ()

    def _needs_details(self, summary: Summary) -> bool:
        """Whether the list leaves names out, or the authority decides."""
        by_authority = bool(self.authorities) and summary.get("Type") == "PRIVATE"
        return by_authority or bool(summary.get("HasAdditionalSubjectAlternativeNames"))

    def _details_of(self, summary: Summary) -> Details | None:
        arn = CertificateArn(summary["CertificateArn"])
        seconds = IMPORTED_SECONDS if summary.get("Type") == "IMPORTED" else ISSUED_SECONDS
        known = self._details.get(arn)
        if known is not None and self.clock() - known.at < seconds:
            return known
        try:
            answer = self.caller.call(DESCRIBE_CERTIFICATE, CertificateArn=arn)["Certificate"]
        except NotReady as error:
            if not is_not_found(error):
                raise
            return None
        except Denied:
            return None
        self._details[arn] = Details(
            domains=frozenset((answer["DomainName"], *answer.get("SubjectAlternativeNames", ()))),
            authority=answer.get("CertificateAuthorityArn"),
            at=self.clock(),
        )
        return self._details[arn]


def _decode(item: Summary) -> CertificateFact:
    names = (item.get("DomainName"), *item.get("SubjectAlternativeNameSummaries", ()))
    return CertificateFact(
        arn=CertificateArn(item["CertificateArn"]), domains=frozenset(name for name in names if name)
    )

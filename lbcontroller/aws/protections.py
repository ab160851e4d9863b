"""What guards a load balancer and is kept by other services: web ACLs of WAF and WAF Classic, Shield."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from lbcontroller.aws.attributes import UndocumentedRefused
from lbcontroller.aws.caller import AwsCaller
from lbcontroller.aws.errors import as_refusal
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.shield import Shield
from lbcontroller.aws.web_acls import WebAcls
from lbcontroller.aws.web_acls_classic import ClassicWebAcls
from lbcontroller.aws.wire import given, wanted
from lbcontroller.errors import Denied, Refused
from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind
from lbcontroller.model.resources import LoadBalancer

PROTECTIONS: Final = ("web_acl", "web_acl_classic", "shield_protection")
"""Fields of a load balancer that are protections, in the order in which they are set."""


def asked_for_of_new(desired: LoadBalancer) -> frozenset[str]:
    """Return the protections to set on a load balancer that has none."""
    return frozenset(field for field in PROTECTIONS if given(getattr(desired, field)))


class ProtectionRefused(UndocumentedRefused):
    """A service refuses to guard a load balancer, or to say whether it does; nothing else is affected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protections:
    """Reads and changes what guards load balancers, writing through to the mirror."""

    mirror: Mirror
    web_acls: WebAcls
    classic: ClassicWebAcls
    shield: Shield

    @classmethod
    def of(cls, caller: AwsCaller, mirror: Mirror) -> Protections:
        """Return those that call with `caller`."""
        return cls(
            mirror=mirror,
            web_acls=WebAcls(caller=caller),
            classic=ClassicWebAcls(caller=caller),
            shield=Shield(caller=caller),
        )

    def read(self, arn: Arn, desired: LoadBalancer, field: str) -> None:
        """Note which protection a load balancer has.

        Raises:
            ProtectionRefused: a permission is missing, so that it stays unknown and as it is.
            LbControllerError: as `AwsCaller.call` does.
        """
        try:
            present = self._present(arn, desired, field)
        except Denied as error:
            raise _refusal(arn, desired, field, error) from error
        self.mirror.amend(arn, **{field: present})

    def write(self, arn: Arn, desired: LoadBalancer, fields: Collection[str]) -> ProtectionRefused | None:
        """Set the protections that `fields` names among its other names.

        Returns:
            The first refusal, to be raised when everything else is done: one group's wrong web ACL is no
            reason to leave the rest undone.

        Raises:
            LbControllerError: as `AwsCaller.call` does, but for what AWS refuses or denies.
        """
        refusals: list[ProtectionRefused] = []
        for field in PROTECTIONS:
            value = wanted(Kind.LOAD_BALANCER, field, getattr(desired, field))
            if field not in fields or value is None:
                continue
            try:
                self._set(arn, field, value)
            except (Refused, Denied) as error:
                refusals.append(_refusal(arn, desired, field, error))
            else:
                self.mirror.amend(arn, **{field: value})
        return next(iter(refusals), None)

    def remove_with(self, arn: Arn, present: LoadBalancer) -> None:
        """Take the Shield protection of a deleted load balancer away: unlike web ACLs it would stay.

        Raises:
            LbControllerError: as `AwsCaller.call` does.
        """
        if present.shield_protection is True:
            self.shield.set(arn, wanted=False)

    def _present(self, arn: Arn, desired: LoadBalancer, field: str) -> str | bool:
        match field:
            case "web_acl":
                return self.web_acls.of(arn)
            case "web_acl_classic":
                return self.classic.of(arn)
            case _:
                return self.shield.protects(arn, wanted=desired.shield_protection is True)

    def _set(self, arn: Arn, field: str, value: Any) -> None:
        match field:
            case "web_acl":
                self.web_acls.set(arn, value)
            case "web_acl_classic":
                self.classic.set(arn, value)
            case _:
                self.shield.set(arn, wanted=value)


def _refusal(arn: Arn, desired: LoadBalancer, field: str, error: Refused | Denied) -> ProtectionRefused:
    refused = as_refusal(error) if isinstance(error, Denied) else error
    refusal = ProtectionRefused(desired.id, arn, {field: str(getattr(desired, field))}, refused)
    refusal.__cause__ = error.__cause__
    return refusal

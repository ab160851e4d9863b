"""IngressClassParams: refused for what LBC refuses, and warned of everything else that cannot be used. Pure.

The schema of the CustomResourceDefinition has checked types and enumerations before. An update is refused
only for what it makes wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from ipaddress import ip_interface
from typing import Final

from lbcontroller.annotations.class_params import ClassParams
from lbcontroller.cluster.ingress_class import IngressClassParams
from lbcontroller.cluster.objects import sequence
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.webhooks.objections import Objection, told, verdict
from lbcontroller.webhooks.review import Admitted, Verdict

_CIDRS: Final = "spec.inboundCIDRs"
_SUBNETS: Final = "spec.subnets"


class Check(StrEnum):
    """What parameters are refused for; the words of LBC, as the label of its metric."""

    INBOUND_CIDRS = "checkInboundCIDRs"
    SUBNETS = "checkSubnetSelectors"


_CHECK_OF_FIELD: Final = {_CIDRS: Check.INBOUND_CIDRS, _SUBNETS: Check.SUBNETS}


def check_class_params(params: IngressClassParams, before: IngressClassParams | None) -> Verdict:
    """Return what is answered about the parameters of a class, with everything that is wrong with them.

    Args:
        params: as they are to be stored.
        before: as they are stored; None when they are being created.
    """
    if params.meta.deleting or (before is not None and before.spec == params.spec):
        return Admitted()
    had = frozenset() if before is None else frozenset(_problems(before))
    problems = tuple(_problems(params))
    objections = (
        Objection(check, problem)
        for problem in problems
        for field, check in _CHECK_OF_FIELD.items()
        if problem.field.startswith(field) and problem not in had
    )
    return verdict(objections, map(told, problems))


def _problems(params: IngressClassParams) -> Iterator[Problem]:
    try:
        ClassParams.parse(params.subject, params.spec)
    except InvalidConfig as error:
        yield from error.problems
    yield from _loose_ranges(params)


def _loose_ranges(params: IngressClassParams) -> Iterator[Problem]:
    """Yield a problem for each range that is empty or names a host: in annotations it may, as with LBC."""
    for index, text in enumerate(sequence(params.spec, "inboundCIDRs")):
        field = f"{_CIDRS}[{index}]"
        if not text:
            yield Problem(subject=params.subject, field=field, value=text, expected="must not be empty")
            continue
        try:
            interface = ip_interface(text)
        except ValueError:
            continue  # the model has told that
        if interface.ip != interface.network.network_address:
            yield Problem(
                subject=params.subject,
                field=field,
                value=text,
                expected="must not have bits behind its prefix",
                hint=f"write {interface.network}",
            )

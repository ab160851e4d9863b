"""Which subnets are meant for which load balancers, as their tags say it.

Source: EKS user guide, "Subnet requirements for load balancers": a role tag counts with the value `1` or
without one. With any other value it is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lbcontroller.model.enums import Scheme
from lbcontroller.model.fields import Tags

ROLE_TAGS: Final[Mapping[Scheme, str]] = MappingProxyType(
    {Scheme.INTERNAL: "kubernetes.io/role/internal-elb", Scheme.INTERNET_FACING: "kubernetes.io/role/elb"}
)
"""Tag of the subnets that are meant for load balancers of a scheme."""
_ROLE_VALUES: Final = frozenset({"", "1"})


def has_role(tags: Tags, scheme: Scheme) -> bool:
    """Return whether a subnet with `tags` is meant for load balancers of `scheme`."""
    return tags.get(ROLE_TAGS[scheme]) in _ROLE_VALUES

"""Names in DNS, as far as certificates need them: hosted zones, and the records that validate a domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WILDCARD: Final = "*."
"""How the name of a wildcard certificate begins; it is validated by the record of the name behind it."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class HostedZone:
    """A public hosted zone of Route 53."""

    name: str
    """In lower case and without a dot at its end."""
    id: str


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class ValidationRecord:
    """A CNAME by which ACM sees that a domain is ours."""

    name: str
    """With a dot at its end, as ACM says it."""
    value: str

    def __str__(self) -> str:
        """Return what plans show."""
        return f"CNAME {self.name} {self.value}"


def zone_of(name: str, zones: Iterable[HostedZone]) -> HostedZone | None:
    """Return the zone that the records of a name belong into: the one with the most labels of its end.

    Of several zones of the same name it is always the same one.
    """
    plain = plain_name(name)
    fitting = [zone for zone in zones if plain == zone.name or plain.endswith(f".{zone.name}")]
    return max(fitting, key=lambda zone: (zone.name.count("."), zone.id), default=None)


def plain_name(name: str) -> str:
    """Return a name in lower case, without a wildcard before it and a dot behind it."""
    return name.removeprefix(WILDCARD).removesuffix(".").lower()

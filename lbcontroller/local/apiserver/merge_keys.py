"""How lists of built-in kinds merge: by which members their entries are told apart.

The strategic merge patch and server-side apply share most of it; where the two differ (ports), both are
named.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ListKeys:
    """How the entries of one list are told apart."""

    strategic: str = ""
    """The member that tells entries apart in a strategic merge patch; empty for lists of plain values."""
    apply: tuple[str, ...] = ()
    """The members that together tell entries apart in server-side apply; empty for lists of plain values."""


def _by(name: str) -> ListKeys:
    return ListKeys(strategic=name, apply=(name,))


SET = ListKeys()
"""Plain values, merged as a set."""

_NAMED = _by("name")
_ANYWHERE = {
    "conditions": _by("type"),
    "containers": _NAMED,
    "initContainers": _NAMED,
    "ephemeralContainers": _NAMED,
    "env": _NAMED,
    "volumeMounts": _by("mountPath"),
    "volumes": _NAMED,
    "imagePullSecrets": _NAMED,
    "hostAliases": _by("ip"),
    "finalizers": SET,
    "ownerReferences": _by("uid"),
    "podIPs": _by("ip"),
    "hostIPs": _by("ip"),
    "topologySpreadConstraints": ListKeys(
        strategic="topologyKey", apply=("topologyKey", "whenUnsatisfiable")
    ),
    "webhooks": _NAMED,
}
_BELOW: dict[tuple[str, ...], ListKeys] = {
    ("containers", "ports"): ListKeys(strategic="containerPort", apply=("containerPort", "protocol")),
    ("initContainers", "ports"): ListKeys(strategic="containerPort", apply=("containerPort", "protocol")),
    ("spec", "ports"): ListKeys(strategic="port", apply=("port", "protocol")),
    ("status", "addresses"): _by("type"),
    ("spec", "taints"): ListKeys(strategic="key", apply=()),
    ("spec", "podCIDRs"): SET,
}
_ONLY_STRATEGIC = frozenset({("spec", "taints")})


def strategic_keys(path: tuple[str, ...]) -> ListKeys | None:
    """Return how a strategic merge patch merges the list at a path of member names; None replaces it."""
    return _BELOW.get(path[-2:]) or _ANYWHERE.get(path[-1])


def apply_keys(path: tuple[str, ...]) -> ListKeys | None:
    """Return how server-side apply merges the list at a path of member names; None replaces it."""
    return None if path[-2:] in _ONLY_STRATEGIC else strategic_keys(path)

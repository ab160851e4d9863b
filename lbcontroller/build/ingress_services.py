"""Which Services and Secrets an Ingress names, told without judging anything else it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from lbcontroller.cluster.ingress import Ingress, ServiceBackend

_ACTIONS: Final = "alb.ingress.kubernetes.io/actions."


def services_named(ingress: Ingress) -> frozenset[str]:
    """Return the names of all Services that an Ingress may send to; some may be names of something else."""
    return frozenset(_services_named(ingress))


def _services_named(ingress: Ingress) -> Iterator[str]:
    for backend in ingress.backends():
        if isinstance(backend, ServiceBackend):
            yield backend.service
    for key, text in ingress.meta.annotations.items():
        if key.startswith(_ACTIONS):
            yield from _texts_in(text)


def _texts_in(text: str) -> Iterator[str]:
    """Yield every text in a JSON document; none in what is no JSON, which names no Service either."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    waiting: list[object] = [document]
    while waiting:
        match waiting.pop():
            case str() as found:
                yield found
            case dict() as members:
                waiting.extend(members.values())
            case list() as items:
                waiting.extend(items)

"""Server ids of QUIC targets, and what to tell about pods that have none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lbcontroller.build.left_out_targets import left_out, listed
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.endpoints import Endpoint
from lbcontroller.cluster.quic import CONTAINERS_ANNOTATION, SERVER_ID_BYTES, server_id_of_port
from lbcontroller.cluster.snapshot import Snapshot
from lbcontroller.model.enums import Protocol
from lbcontroller.model.findings import Finding

QUIC_PROTOCOLS: Final = frozenset({Protocol.QUIC, Protocol.TCP_QUIC})


def quic_server_id(endpoint: Endpoint, port: int, snapshot: Snapshot) -> str | None:
    """Return the id of the QUIC server behind an endpoint; None when it has none, or its pod is not known."""
    pod = snapshot.pods.get(endpoint.pod) if endpoint.pod is not None else None
    return server_id_of_port(pod.quic_servers, port) if pod is not None else None


def without_server_id(
    binding: Binding, endpoints: Iterable[Endpoint], snapshot: Snapshot
) -> tuple[Finding, ...]:
    """Return what to tell about ready endpoints that are left out.

    Nothing about pods that are not known yet: slices and pods come by different watches.
    """
    names = sorted(
        {
            str(endpoint.pod or endpoint.address)
            for endpoint in endpoints
            if endpoint.pod is None or endpoint.pod in snapshot.pods
        }
    )
    if not names:
        return ()
    message = (
        f"{len(names)} endpoints without a QUIC server id are not registered: {listed(names)}; their pods "
        f"need annotation {CONTAINERS_ANNOTATION} with the names of the containers that serve QUIC, "
        "and these the variable named by --quic-environment-variable-name, whose value is standard "
        f"base64 of {SERVER_ID_BYTES} bytes that no other pod has"
    )
    return (left_out(binding, message),)

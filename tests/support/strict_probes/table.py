"""All probes."""

from __future__ import annotations

from tests.support.strict_probes import (
    actions,
    frontends,
    guards,
    imports,
    listeners,
    load_balancers,
    network,
    rules,
    tags,
    target_groups,
    validation,
)

PROBES = [
    probe
    for topic in (
        load_balancers,
        listeners,
        rules,
        actions,
        target_groups,
        tags,
        network,
        frontends,
        guards,
        imports,
        validation,
    )
    for probe in topic.probe.table
]

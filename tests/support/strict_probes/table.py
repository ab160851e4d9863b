"""All probes."""

from __future__ import annotations

from tests.support.strict_probes import listeners, load_balancers, network, rules, tags, target_groups

PROBES = [
    probe
    for topic in (load_balancers, listeners, rules, target_groups, tags, network)
    for probe in topic.probe.table
]

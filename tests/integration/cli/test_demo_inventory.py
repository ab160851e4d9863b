from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lbcontroller.cli.inventory_file import read_inventory
from lbcontroller.cli.stage import open_stage
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.identity import CLUSTER_TAG_PREFIX, SHARED_STACK
from lbcontroller.model.inventory import Inventory


def test_the_inventory_that_plan_takes_by_default_is_that_of_the_demo() -> None:
    with open_stage() as stage:
        read = stage.controller.parts.aws.access.inventory.for_stack(SHARED_STACK)

    assert comparable(read_inventory(None)) == comparable(read)


def comparable(inventory: Inventory) -> Inventory:
    """Leave out the cluster's tags, and what the controller reads only when a build misses it."""
    return replace(
        inventory,
        subnets={
            name: replace(subnet, tags=without_cluster(subnet.tags), public=UNKNOWN)
            for name, subnet in inventory.subnets.items()
        },
        security_groups={
            name: replace(group, tags=without_cluster(group.tags))
            for name, group in inventory.security_groups.items()
            if group.tags
        },
        certificates=UNKNOWN,
    )


def without_cluster(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if not key.startswith(CLUSTER_TAG_PREFIX)}

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lbcontroller.build.targets import TargetsResult
from lbcontroller.cluster.binding import Binding
from lbcontroller.controller.target_quotas import TargetQuotas
from lbcontroller.keys import ObjectName
from lbcontroller.model.identity import binding_labels
from lbcontroller.model.observed import Target
from tests.support.cluster_objects import a_binding, a_node, a_snapshot
from tests.support.nlb_stacks import STACK

ZONE = "us-west-2a"
SNAPSHOT = a_snapshot(a_node(labels={"topology.kubernetes.io/zone": ZONE}))


def a_binding_called(name: str, *, port: int = 80, of_stack: bool = True) -> Binding:
    binding = a_binding(serviceRef={"name": "web", "port": port})
    labels = binding_labels(STACK) if of_stack else {}
    return replace(binding, meta=replace(binding.meta, name=ObjectName("shop", name), labels=labels))


def some_targets(count: int) -> TargetsResult:
    targets = [Target(id=f"10.0.{number // 250}.{number % 250}", port=80) for number in range(count)]
    return TargetsResult(targets=frozenset(targets), nodes=dict.fromkeys(targets, "node-0"))


def zones_told(quotas: TargetQuotas, *bindings: tuple[Binding, int]) -> list[int]:
    return [len(quotas.check(binding, some_targets(count), SNAPSHOT)) for binding, count in bindings]


def quotas_for(across: Iterable[object] = ()) -> TargetQuotas:
    return TargetQuotas(balances_across_zones=lambda stack: stack in set(across))


def test_the_target_groups_of_a_load_balancer_count_together() -> None:
    quotas = quotas_for()
    first, second = a_binding_called("first"), a_binding_called("second", port=443)

    assert zones_told(quotas, (first, 300), (second, 200), (second, 201)) == [0, 0, 1]
    (finding,) = quotas.check(first, some_targets(300), SNAPSHOT)
    assert finding.subject == "TargetGroupBinding shop/first"
    assert f"500 targets in {ZONE}" in finding.message


def test_targets_of_a_target_group_and_of_its_successor_count_once() -> None:
    quotas = quotas_for()
    old, new = a_binding_called("web"), a_binding_called("web-1")

    assert zones_told(quotas, (old, 300), (new, 300), (new, 501)) == [0, 0, 1]


def test_what_is_gone_counts_no_more() -> None:
    quotas = quotas_for()
    first, second = a_binding_called("first"), a_binding_called("second", port=443)
    assert zones_told(quotas, (first, 300), (second, 300)) == [0, 1]
    quotas.forget(first.meta.name)
    quotas.forget(first.meta.name)

    assert zones_told(quotas, (second, 300)) == [0]


def test_bindings_of_users_count_each_for_itself() -> None:
    quotas = quotas_for()
    first, second = (
        a_binding_called(name, port=port, of_stack=False) for name, port in (("a", 80), ("b", 81))
    )

    assert zones_told(quotas, (first, 300), (second, 300), (second, 501)) == [0, 0, 1]


def test_a_load_balancer_that_balances_across_zones_takes_fewer() -> None:
    (finding,) = quotas_for([STACK]).check(a_binding_called("web"), some_targets(501), SNAPSHOT)
    assert "balances across zones" in finding.message

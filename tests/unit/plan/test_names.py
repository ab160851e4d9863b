from __future__ import annotations

import pytest

from lbcontroller.plan.names import free_name, replacement_name


def test_a_generated_name_gets_another_hash() -> None:
    assert replacement_name("k8s-shop-web-0000000050", {"k8s-shop-web-0000000050"}) == (
        "k8s-shop-web-2e10d3632c"
    )


def test_each_replacement_that_is_taken_too_leads_to_another_one() -> None:
    taken = {"k8s-shop-web-0000000050"}
    for _ in range(3):
        taken.add(replacement_name("k8s-shop-web-0000000050", taken))
    assert len(taken) == 4


@pytest.mark.parametrize("name", ["a", "a-name-that-is-as-long-as-can-be-32", "twenty-one-characters-"])
def test_a_chosen_name_stays_recognisable_and_within_limits(name: str) -> None:
    replaced = replacement_name(name[:32], {name[:32]})
    assert len(replaced) <= 32
    assert replaced.startswith(name[:1])
    assert "--" not in replaced


def test_a_free_name_is_left_as_it_is() -> None:
    assert free_name("web", {"api"}) == "web"

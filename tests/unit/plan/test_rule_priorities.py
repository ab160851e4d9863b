from __future__ import annotations

import pytest

from lbcontroller.model.ids import Arn
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.plan.rule_priorities import (
    LAST_PRIORITY,
    Arrangement,
    Present,
    Priorities,
    arrange,
    in_this_order,
)

A, B, C, F, X, Y = (Arn(name) for name in "abcfxy")
N, M = (ResourceId(Kind.LISTENER_RULE, f"80:{name}") for name in "nm")


def present(rules: Priorities, *, fixed: str = "", leaving: str = "") -> Present:
    return Present(
        priorities=rules,
        fixed=frozenset(Arn(name) for name in fixed),
        leaving=tuple(Arn(name) for name in leaving),
    )


@pytest.mark.parametrize(
    ("there", "target", "expected"),
    [
        pytest.param(present({A: 1}), {A: 1}, Arrangement(), id="nothing to do"),
        pytest.param(present({}), {Ref(N): 1}, Arrangement(created={N: 1}), id="the first rule"),
        pytest.param(present({A: 1}), {A: 1, Ref(N): 2}, Arrangement(created={N: 2}), id="one at the end"),
        pytest.param(
            present({A: 1, B: 2}),
            {A: 1, Ref(N): 2, B: 3},
            Arrangement(created={N: 3}, order={Ref(N): 2, B: 3}),
            id="one in between is made at the end",
        ),
        pytest.param(
            present({A: 1, B: 3}), {A: 1, Ref(N): 2, B: 3}, Arrangement(created={N: 2}), id="one in a gap"
        ),
        pytest.param(
            present({A: 3, B: 1}),
            {A: 1, Ref(N): 2, B: 3},
            Arrangement(created={N: 4}, order={A: 1, Ref(N): 2, B: 3}),
            id="not in a gap while the others are not in their order",
        ),
        pytest.param(
            present({A: 1, B: 2}), {B: 1, A: 2}, Arrangement(order={B: 1, A: 2}), id="two change places"
        ),
        pytest.param(
            present({A: 1, X: 2}, leaving="x"), {A: 1}, Arrangement(), id="what goes at the end stays there"
        ),
        pytest.param(
            present({X: 1, Y: 2, A: 3}, leaving="xy"),
            {A: 1},
            Arrangement(order={A: 1, X: LAST_PRIORITY - 1, Y: LAST_PRIORITY}),
            id="what goes is put out of the way in its order",
        ),
        pytest.param(
            present({X: 1, F: LAST_PRIORITY, A: 2}, fixed="f", leaving="x"),
            {A: 1},
            Arrangement(order={A: 1, X: LAST_PRIORITY - 1}),
            id="not where a fixed rule is",
        ),
        pytest.param(
            present({A: 1, X: LAST_PRIORITY}, leaving="x"),
            {Ref(N): 1, A: 2},
            Arrangement(created={N: 2}, order={Ref(N): 1, A: 2}),
            id="what was put out of the way earlier is no hindrance",
        ),
        pytest.param(
            present({A: 1, F: LAST_PRIORITY}, fixed="f"),
            {Ref(N): 1, A: 2},
            Arrangement(created={N: 2}, order={Ref(N): 1, A: 2}),
            id="nor is a fixed rule at the very end",
        ),
        pytest.param(
            present({A: 1, F: 2, B: 3}, fixed="f"),
            {A: 1, B: 3, Ref(N): 4},
            Arrangement(created={N: 4}),
            id="behind a fixed rule",
        ),
        pytest.param(
            present({A: 1, B: LAST_PRIORITY}),
            {Ref(N): 1, A: 2, B: 3},
            Arrangement(room={B: 2}, created={N: 3}, order={Ref(N): 1, A: 2, B: 3}),
            id="room is made where none is left at the end",
        ),
        pytest.param(
            present({A: LAST_PRIORITY, F: LAST_PRIORITY - 1}, fixed="f"),
            {Ref(N): 1, A: 2},
            Arrangement(created={N: LAST_PRIORITY - 2}, order={Ref(N): 1, A: 2}),
            id="before fixed rules where they leave none",
        ),
        pytest.param(
            present({A: 1}),
            {Ref(N): 1, Ref(M): 2, A: 3},
            Arrangement(created={N: 2, M: 3}, order={Ref(N): 1, Ref(M): 2, A: 3}),
            id="several are made in their order",
        ),
    ],
)
def test_rules_get_their_priorities(there: Present, target: Priorities, expected: Arrangement) -> None:
    assert arrange(there, target) == expected


@pytest.mark.parametrize(
    ("rules", "fixed", "expected"),
    [
        pytest.param([A, B], {}, {A: 1, B: 2}, id="dense"),
        pytest.param([A, F, B], {F: 5}, {A: 1, B: 6}, id="around a fixed one"),
        pytest.param([A, B, F], {F: 2}, None, id="no room before a fixed one"),
        pytest.param([F, A], {F: LAST_PRIORITY}, None, id="no room behind a fixed one"),
    ],
)
def test_an_order_with_fixed_rules_may_have_no_room(
    rules: list[Arn], fixed: Priorities, expected: Priorities | None
) -> None:
    assert in_this_order(rules, fixed) == expected

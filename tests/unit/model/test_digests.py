from __future__ import annotations

import subprocess
import sys

from lbcontroller.model.actions import ClientSecret
from lbcontroller.model.digests import stack_digest, targets_digest
from lbcontroller.model.ids import Arn
from lbcontroller.model.resources import ListenerRule, Stack
from tests.support.alb_stacks import AlbGroup, Rule, an_oidc_login, forward
from tests.support.nlb_stacks import Port, a_stack

DIGEST_OF_A_STACK = (
    "from tests.support.nlb_stacks import a_stack; from lbcontroller.model.digests import stack_digest;"
    "print(stack_digest(a_stack()))"
)


def test_a_digest_is_the_same_in_every_process() -> None:
    printed = {
        subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-c", DIGEST_OF_A_STACK],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert printed == {stack_digest(a_stack())}


def test_anything_that_is_wanted_otherwise_makes_another_digest() -> None:
    digests = [
        stack_digest(stack)
        for stack in (
            a_stack(),
            a_stack(attributes={"load_balancing.cross_zone.enabled": "true"}),
            a_stack(tags={"team": "shop"}),
            a_stack(ports=(Port(number=81),)),
            Stack(a_stack().id),
        )
    ]

    assert len(set(digests)) == len(digests)


def test_no_secret_enters_a_digest() -> None:
    one, other = (
        AlbGroup(rules=(Rule(actions=(an_oidc_login(ClientSecret(secret)), forward("web"))),)).stack()
        for secret in ("one", "other")
    )

    assert [item for item in one.resources if isinstance(item, ListenerRule)]
    assert one != other
    assert stack_digest(one) == stack_digest(other)


def test_targets_have_no_order_but_a_target_group() -> None:
    assert targets_digest(Arn("tg"), ["a:1", "b:1"]) == targets_digest(Arn("tg"), ["b:1", "a:1"])
    assert targets_digest(Arn("tg"), ["a:1"]) != targets_digest(Arn("other"), ["a:1"])
    assert targets_digest(Arn("tg"), ["a:1"]) != targets_digest(Arn("tg"), ["a:1", "b:1"])

from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.build.ingress_quotas import Need, beyond_quota, over_quotas
from lbcontroller.build.names import IngressNames
from lbcontroller.build.result import BuildContext
from lbcontroller.keys import ObjectName
from lbcontroller.model.findings import FindingReason
from lbcontroller.model.ids import Arn, CertificateArn
from lbcontroller.model.resources import Listener, MutualAuthentication, MutualAuthenticationMode, Stack
from lbcontroller.settings import Settings
from tests.support.alb_stacks import GROUP, AlbGroup, Backend, listener_id
from tests.support.inventories import an_inventory

VERIFY = MutualAuthentication(mode=MutualAuthenticationMode.VERIFY, trust_store=Arn("arn:store"))


def findings(stack: Stack) -> list[str]:
    context = BuildContext(
        subject="Ingress shop/site",
        names=IngressNames(cluster="yard", group=ObjectName("shop", "site")),
        stack=GROUP,
        inventory=an_inventory(),
        settings=Settings(cluster_name="yard"),
    )
    found = over_quotas(stack, context)
    assert {(finding.subject, finding.reason) for finding in found} <= {
        ("Ingress shop/site", FindingReason.OVER_DEFAULT_QUOTA)
    }
    return [finding.message for finding in found]


def with_listeners(count: int, group: AlbGroup) -> Stack:
    """Return a stack with as many listeners, all like that of the group."""
    stack = group.stack()
    (listener,) = (item for item in stack.resources if isinstance(item, Listener))
    others = (replace(listener, id=listener_id(port), port=port) for port in range(1000, 999 + count))
    return Stack(stack.id, (*stack.resources, *others))


def certificates(count: int) -> tuple[CertificateArn, ...]:
    return tuple(CertificateArn(f"arn:certificate/{number}") for number in range(count))


def test_a_small_group_is_within_every_quota() -> None:
    assert findings(AlbGroup(certificates=certificates(2), frontend=True).stack()) == []


@pytest.mark.parametrize(
    ("count", "expected"),
    [(100, []), (101, ["the load balancer has 101 target groups, and AWS takes at most 100"])],
)
def test_target_groups_are_counted(count: int, expected: list[str]) -> None:
    backends = tuple(Backend(name=f"web-{number}") for number in range(count))
    assert findings(AlbGroup(backends=backends).stack()) == expected


def test_the_target_group_of_a_load_balancer_in_front_does_not_count() -> None:
    backends = tuple(Backend(name=f"web-{number}") for number in range(100))
    assert findings(AlbGroup(backends=backends, frontend=True).stack()) == []


def test_listeners_are_counted() -> None:
    assert findings(with_listeners(50, AlbGroup())) == []
    assert findings(with_listeners(51, AlbGroup())) == [
        "the load balancer has 51 listeners, and without a raised quota AWS takes 50"
    ]


def test_certificates_beside_the_default_one_are_counted() -> None:
    assert findings(AlbGroup(certificates=certificates(26)).stack()) == []
    (message,) = findings(AlbGroup(certificates=certificates(27)).stack())
    assert message == (
        "the load balancer has 26 certificates beside the default ones of its listeners, and without a "
        "raised quota AWS takes 25"
    )
    repeated = (*certificates(26), certificates(1)[0])
    assert findings(AlbGroup(certificates=repeated).stack()) == []


def test_listeners_that_verify_clients_are_counted() -> None:
    verifying = AlbGroup(port=443, certificates=certificates(1), mutual_authentication=VERIFY)
    assert findings(with_listeners(2, verifying)) == []
    assert findings(with_listeners(3, verifying)) == [
        "the load balancer has 3 listeners that verify client certificates, and AWS takes at most 2"
    ]
    passing = replace(verifying, mutual_authentication=replace(VERIFY, mode=MutualAuthenticationMode.OFF))
    assert findings(with_listeners(3, passing)) == []


def need(had: str = "", wanted: str = "") -> Need:
    """Return the need of a member whose target groups have names of one letter."""
    return Need(had=frozenset(had), wanted=frozenset(wanted))


A, B, C = (ObjectName("shop", name) for name in "abc")


@pytest.mark.parametrize(
    ("needs", "kept", "refused"),
    [
        pytest.param({A: need(wanted="abc"), B: need(wanted="de")}, "", set(), id="all fit"),
        pytest.param(
            {A: need(wanted="abcd"), B: need(wanted="ef"), C: need(wanted="g")}, "", {B}, id="order"
        ),
        pytest.param({A: need(wanted="ab"), B: need("cde", "cde")}, "f", {A}, id="what is there stays"),
        pytest.param({A: need(wanted="ab"), B: need("cde", "c")}, "f", set(), id="what goes makes room"),
        pytest.param({A: need("abcde", "fghij")}, "", set(), id="others in place of one's own"),
        pytest.param({A: need("abcdefg", "abcdefg")}, "", set(), id="more than there should be already"),
    ],
)
def test_who_has_no_room_for_target_groups(
    needs: dict[ObjectName, Need], kept: str, refused: set[ObjectName]
) -> None:
    assert set(beyond_quota(needs, kept, most=5)) == refused


def test_who_has_no_room_is_told_the_numbers() -> None:
    needs = {A: need(wanted="abc"), B: need(wanted="def")}
    assert beyond_quota(needs, "", most=5) == {
        B: "needs 3 target groups, and there are 3 of others: AWS takes at most 5 behind a load balancer"
    }

from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.model.ingress_rules import SHARED_RULE_DESCRIPTION, IngressRule, Peer, PeerKind
from lbcontroller.plan.backend_rules import RuleChanges, plan_backend_rules

PEER = Peer(PeerKind.SECURITY_GROUP, "sg-front")
OTHER_PEER = Peer(PeerKind.SECURITY_GROUP, "sg-other")


def ours(first: int, last: int | None = None, *, peer: Peer = PEER, protocol: str = "tcp") -> IngressRule:
    return IngressRule(
        protocol=protocol,
        from_port=first,
        to_port=first if last is None else last,
        peer=peer,
        description=SHARED_RULE_DESCRIPTION,
    )


def foreign(first: int, last: int | None = None) -> IngressRule:
    return replace(ours(first, last), description="by hand")


EVERYTHING = ours(-1, protocol="-1")


@pytest.mark.parametrize(
    ("desired", "observed", "authorize", "revoke"),
    [
        pytest.param({ours(80)}, set(), [ours(80)], [], id="missing"),
        pytest.param({ours(80)}, {ours(80)}, [], [], id="equal"),
        pytest.param({ours(80), ours(443)}, {ours(80, 443)}, [], [], id="a wider rule is left as it is"),
        pytest.param({ours(80)}, {EVERYTHING}, [], [], id="a rule for everything covers all"),
        pytest.param(
            {ours(80), ours(8080)},
            {ours(80, 443)},
            [ours(80), ours(8080)],
            [ours(80, 443)],
            id="a wider rule is tightened with the next change",
        ),
        pytest.param(
            {ours(80)}, {ours(80, 90), ours(443)}, [ours(80)], [ours(80, 90), ours(443)], id="unneeded"
        ),
        pytest.param(set(), {ours(80), foreign(443)}, [], [ours(80)], id="rules of others stay"),
        pytest.param({ours(80)}, {foreign(80)}, [], [], id="an equal rule of others does"),
        pytest.param({ours(80)}, {foreign(80, 90)}, [ours(80)], [], id="a wider rule of others does not"),
        pytest.param(
            {ours(80, peer=OTHER_PEER)},
            {ours(80)},
            [ours(80, peer=OTHER_PEER)],
            [ours(80)],
            id="another peer is another rule",
        ),
        pytest.param(
            {ours(3, 4, protocol="icmp")},
            {ours(0, 8, protocol="icmp")},
            [ours(3, 4, protocol="icmp")],
            [ours(0, 8, protocol="icmp")],
            id="types and codes of ICMP are no range",
        ),
    ],
)
def test_complete_rules_are_brought_about(
    desired: set[IngressRule],
    observed: set[IngressRule],
    authorize: list[IngressRule],
    revoke: list[IngressRule],
) -> None:
    assert plan_backend_rules(frozenset(desired), frozenset(observed)) == RuleChanges(
        authorize=tuple(authorize), revoke=tuple(revoke)
    )


@pytest.mark.parametrize(
    ("possible", "changes"),
    [
        pytest.param({ours(443)}, RuleChanges(held=(ours(443),)), id="a rule that somebody may need stays"),
        pytest.param(
            {ours(0, 65535)}, RuleChanges(held=(ours(443),)), id="as does one of a port given by name"
        ),
        pytest.param(
            {ours(443, peer=OTHER_PEER), ours(444), ours(443, protocol="udp")},
            RuleChanges(revoke=(ours(443),)),
            id="what lets in something else goes",
        ),
    ],
)
def test_of_rules_that_nobody_is_known_to_need_those_stay_that_somebody_may_need(
    possible: set[IngressRule], changes: RuleChanges
) -> None:
    observed = frozenset({ours(80), ours(443)})

    assert plan_backend_rules(frozenset({ours(80)}), observed, possible=frozenset(possible)) == changes


def test_a_wide_rule_that_stays_for_somebody_is_not_doubled_by_narrow_ones() -> None:
    desired, possible = frozenset({ours(80), ours(8080)}), frozenset({ours(85)})

    changes = plan_backend_rules(desired, frozenset({ours(80, 90), ours(443)}), possible=possible)

    assert changes == RuleChanges(authorize=(ours(8080),), revoke=(ours(443),))


def test_what_is_needed_is_added_whoever_else_may_need_something() -> None:
    changes = plan_backend_rules(frozenset({ours(80)}), frozenset(), possible=frozenset({ours(0, 65535)}))

    assert changes == RuleChanges(authorize=(ours(80),))


def test_rules_that_were_brought_about_need_nothing_more() -> None:
    desired = frozenset({ours(80), ours(8080), ours(53, protocol="udp")})
    observed = frozenset({ours(80, 443), foreign(22)})
    changes = plan_backend_rules(desired, observed)
    after = (observed | set(changes.authorize)) - set(changes.revoke)
    assert plan_backend_rules(desired, frozenset(after)) == RuleChanges()

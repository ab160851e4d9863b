"""A binding counts as reconciled only when the rules that it needs are in place."""

from __future__ import annotations

import pytest

from lbcontroller.controller.backend_rules import RuleLedger
from lbcontroller.keys import ObjectName
from lbcontroller.model.ids import SecurityGroupId

WEB, API = ObjectName("shop", "web"), ObjectName("shop", "api")
NODES, PODS = SecurityGroupId("sg-nodes"), SecurityGroupId("sg-pods")


@pytest.fixture
def ledger() -> RuleLedger:
    found = RuleLedger()
    found.enter(WEB, {NODES: frozenset()})
    found.enter(API, {PODS: frozenset()})
    return found


def test_rules_are_outstanding_until_they_were_brought_about(ledger: RuleLedger) -> None:
    assert (ledger.is_outstanding(WEB), ledger.is_outstanding(API)) == (True, True)
    assert ledger.settle(ledger.outstanding(), ()) == {WEB, API}
    assert ledger.outstanding() == {}
    assert not ledger.enter(WEB, {NODES: frozenset()})
    assert not ledger.is_outstanding(WEB)


def test_they_stay_outstanding_where_a_group_could_not_be_changed(ledger: RuleLedger) -> None:
    assert ledger.settle(ledger.outstanding(), [NODES]) == {API}
    assert ledger.is_outstanding(WEB)


def test_what_was_entered_meanwhile_is_not_in_place(ledger: RuleLedger) -> None:
    begun = ledger.outstanding()
    ledger.enter(WEB, {NODES: frozenset(), PODS: frozenset()})
    assert ledger.settle(begun, ()) == {API}
    assert ledger.is_outstanding(WEB)


def test_a_binding_without_rules_waits_for_none(ledger: RuleLedger) -> None:
    assert ledger.enter(WEB, {})
    assert not ledger.is_outstanding(WEB)


def test_a_binding_that_is_gone_needs_nothing(ledger: RuleLedger) -> None:
    begun = ledger.outstanding()
    ledger.strike(WEB)
    assert ledger.settle(begun, ()) == {API}
    assert not ledger.is_outstanding(WEB)

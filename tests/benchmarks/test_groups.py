"""What a rule more costs in a group, in small."""

from __future__ import annotations

from tests.benchmarks import groups


def test_a_rule_more_is_made_without_reads() -> None:
    result = groups.one_rule_more(ingresses=3)
    assert result["at_the_end"]["by_operation"] == {"elbv2:CreateRule": 1}
    assert result["at_the_beginning"]["by_operation"] == {"elbv2:CreateRule": 1, "elbv2:SetRulePriorities": 1}


def test_a_rule_more_is_one_step() -> None:
    assert groups.build_and_plan(ingresses=3)["steps"] == 1

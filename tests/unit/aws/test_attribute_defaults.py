from __future__ import annotations

from dataclasses import replace

import pytest

from lbcontroller.aws.attribute_defaults import target_group_defaults
from lbcontroller.model.enums import Protocol
from lbcontroller.model.resources import TargetGroup
from tests.support.nlb_stacks import a_stack

TERMINATION = "deregistration_delay.connection_termination.enabled"
UNHEALTHY_TERMINATION = "target_health_state.unhealthy.connection_termination.enabled"


@pytest.mark.parametrize(
    ("protocol", "termination", "unhealthy_termination"),
    [
        (Protocol.TCP, "false", "true"),
        (Protocol.TLS, "false", "true"),
        (Protocol.UDP, "true", None),
        (Protocol.TCP_UDP, "true", None),
        (Protocol.QUIC, None, None),
    ],
)
def test_whether_connections_are_ended_by_default_depends_on_the_protocol(
    protocol: Protocol, termination: str | None, unhealthy_termination: str | None
) -> None:
    [target_group] = [item for item in a_stack().resources if isinstance(item, TargetGroup)]

    defaults = target_group_defaults(replace(target_group, protocol=protocol))

    assert defaults.get(TERMINATION) == termination
    assert defaults.get(UNHEALTHY_TERMINATION) == unhealthy_termination

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lbcontroller.aws.caller import AwsCaller, Timing
from lbcontroller.aws.operations import AwsService
from lbcontroller.aws.roles import Role, RoleClients, session_name
from lbcontroller.aws.session import AwsClients, open_session
from lbcontroller.aws.throttle import Throttle

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LIFETIME = timedelta(hours=1)


class TokenService:
    """An STS whose credentials live for an hour, and the clock of its world."""

    def __init__(self) -> None:
        self.now = NOON
        self.requests: list[dict[str, Any]] = []

    def client(self, service: AwsService) -> TokenService:
        assert service is AwsService.STS
        return self

    def assume_role(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return {
            "Credentials": {
                "AccessKeyId": f"ASIA{len(self.requests):016}",
                "SecretAccessKey": "secret",
                "SessionToken": "token",
                "Expiration": self.now + LIFETIME,
            }
        }


def a_role(sts: TokenService, external_id: str | None = None) -> RoleClients:
    return RoleClients(
        Role("arn:aws:iam::210987654321:role/targets", external_id),
        caller=AwsCaller(sts, throttle=Throttle(), may_write=lambda: True, timing=Timing()),
        clients=AwsClients(open_session(), region="us-west-2", endpoints={}),
        session_name=session_name("shop"),
        now=lambda: sts.now,
    )


def test_nothing_is_assumed_before_it_is_needed_and_then_once() -> None:
    sts = TokenService()
    clients = a_role(sts)
    assert sts.requests == []

    first = clients.client(AwsService.ELBV2)
    assert clients.client(AwsService.ELBV2) is first
    assert len(sts.requests) == 1


def test_credentials_are_renewed_half_a_minute_before_they_expire() -> None:
    sts = TokenService()
    clients = a_role(sts)
    first = clients.client(AwsService.ELBV2)

    sts.now = NOON + LIFETIME - timedelta(seconds=31)
    assert clients.client(AwsService.ELBV2) is first
    sts.now = NOON + LIFETIME - timedelta(seconds=30)
    assert clients.client(AwsService.ELBV2) is not first
    assert len(sts.requests) == 2


def test_the_external_id_is_sent_only_when_there_is_one() -> None:
    for external_id, expected in (("shop", "shop"), (None, None), ("", None)):
        sts = TokenService()
        a_role(sts, external_id).client(AwsService.ELBV2)
        assert sts.requests[0].get("ExternalId") == expected


def test_the_session_is_named_for_the_cluster_in_the_characters_and_length_that_sts_takes() -> None:
    assert session_name("shop") == "AWS-LBC-shop"
    assert session_name("my cluster/1") == "AWS-LBC-mycluster1"
    assert len(session_name("x" * 100)) == 64

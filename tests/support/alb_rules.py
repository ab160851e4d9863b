"""Groups of Ingresses with rules in an account, and the rules that we know to be there."""

from __future__ import annotations

from typing import Any

from lbcontroller.model.actions import ClientSecret, RedirectAction
from lbcontroller.model.resources import ListenerRule, Stack
from tests.support.alb_stacks import GROUP, AlbGroup, certificates_of
from tests.support.aws_access import AwsUnderTest

REDIRECT = RedirectAction(status="HTTP_301", protocol="HTTPS", port="443")
SECRET = ClientSecret("s3cret")


def an_https_group(account: AwsUnderTest, **changes: Any) -> Stack:
    """Return a group whose listener is an HTTPS one, in this account."""
    certificates = certificates_of(account.world.ids, "www.example.com")
    return account.here(AlbGroup(port=443, certificates=certificates, **changes).stack())


def a_group(account: AwsUnderTest, **changes: Any) -> Stack:
    """Return a group in this account."""
    return account.here(AlbGroup(**changes).stack())


def rules_of(account: AwsUnderTest) -> list[ListenerRule]:
    """Return the rules that the mirror has, by priority."""
    found = [item.resource for item in account.mirror.observed(GROUP)]
    rules = [resource for resource in found if isinstance(resource, ListenerRule)]
    return sorted(rules, key=lambda rule: rule.priority)

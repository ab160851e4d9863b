"""Certificates that we make ourselves: what clients take them for, and when they are replaced."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from lbcontroller.keys import ObjectName
from lbcontroller.webhooks.own_certificates import (
    LIFETIME,
    MOST_AUTHORITIES,
    RENEWED_BEFORE,
    issue,
    names_of,
    trusted,
    why_renew,
)
from tests.support.handshakes import is_trusted

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = names_of(ObjectName("kube-system", "webhooks"))
FIRST = issue(NAMES, NOW)


def authorities(pem: bytes) -> int:
    return len(x509.load_pem_x509_certificates(pem)) if pem else 0


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_the_authority_trusts_the_certificate_of_each_name(name: str) -> None:
    assert is_trusted(FIRST, by=FIRST.authorities, name=name)


def test_nobody_else_is_trusted() -> None:
    other = issue(NAMES, NOW)

    assert not is_trusted(FIRST, by=other.authorities, name=NAMES[0])
    assert not is_trusted(FIRST, by=FIRST.authorities, name="webhooks.other.svc")


def test_the_name_that_api_servers_use_comes_first() -> None:
    assert NAMES[0] == "webhooks.kube-system.svc"


def test_both_are_trusted_while_one_replaces_the_other() -> None:
    second = issue(NAMES, NOW + LIFETIME - RENEWED_BEFORE, before=FIRST.authorities)

    assert authorities(second.authorities) == 2
    assert is_trusted(FIRST, by=second.authorities, name=NAMES[0])


def test_authorities_go_when_they_end_and_never_become_many() -> None:
    later = issue(NAMES, NOW + LIFETIME + timedelta(seconds=1), before=FIRST.authorities)
    many = b""
    for _ in range(MOST_AUTHORITIES + 2):
        many = issue(NAMES, NOW, before=many).authorities

    assert authorities(later.authorities) == 1
    assert authorities(many) == MOST_AUTHORITIES
    assert trusted((FIRST.authorities, b"no certificate", FIRST.authorities), NOW) == FIRST.authorities


def test_a_certificate_is_replaced_a_third_of_its_life_before_its_end() -> None:
    due = NOW + LIFETIME - RENEWED_BEFORE

    assert why_renew(FIRST, NAMES, NOW) == ""
    assert why_renew(FIRST, NAMES, due) == ""
    assert why_renew(FIRST, NAMES, due + timedelta(seconds=1)).startswith("ends at ")


def test_what_cannot_be_shown_is_replaced() -> None:
    other = issue(NAMES, NOW)

    assert why_renew(replace(FIRST, certificate=b""), NAMES, NOW) == "is damaged"
    assert why_renew(replace(FIRST, key=b"key"), NAMES, NOW) == "is damaged"
    assert why_renew(replace(FIRST, authorities=b""), NAMES, NOW) == "is damaged"
    assert why_renew(replace(FIRST, authorities=other.authorities), NAMES, NOW) == "is damaged"
    assert why_renew(replace(FIRST, key=other.key), NAMES, NOW) == "does not fit its key"
    assert why_renew(FIRST, (*NAMES, "new"), NOW) == "is not for new"


def test_nothing_shows_the_key() -> None:
    assert "PRIVATE" not in repr(FIRST)

from __future__ import annotations

import pytest

from lbcontroller.cluster.key_pairs import KeyPair, fingerprint
from lbcontroller.cluster.secret import Secret
from lbcontroller.keys import ObjectName
from tests.support.key_pairs import a_key_pair

PAIR, AUTHORITY = a_key_pair("www.example.com"), a_key_pair("authority.example.com")


def a_secret(**data: bytes) -> Secret:
    entries = {name.replace("_", "."): value for name, value in data.items()}
    return Secret(name=ObjectName("shop", "site-tls"), type="kubernetes.io/tls", labels={}, data=entries)


def test_the_leaf_is_told_from_its_chain() -> None:
    bundle = b"\n# comment\n".join((PAIR.certificate, AUTHORITY.certificate, AUTHORITY.certificate))

    pair = KeyPair.of(a_secret(tls_crt=bundle, tls_key=PAIR.key))

    assert pair is not None
    assert pair.certificate == PAIR.certificate.strip()
    assert pair.chain.count(b"BEGIN CERTIFICATE") == 2
    assert pair.key == PAIR.key.strip()


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"tls_crt": PAIR.certificate},
        {"tls_key": PAIR.key},
        {"tls_crt": b"nonsense", "tls_key": PAIR.key},
        {"tls_crt": PAIR.certificate, "tls_key": b" \n"},
    ],
    ids=["nothing", "no key", "no certificate", "no PEM", "an empty key"],
)
def test_half_a_pair_is_none(data: dict[str, bytes]) -> None:
    assert KeyPair.of(a_secret(**data)) is None


def test_line_breaks_do_not_change_a_fingerprint() -> None:
    other_breaks = PAIR.certificate.replace(b"\n", b"\r\n") + b"\n\n"

    assert fingerprint(other_breaks, b"") == PAIR.fingerprint


def test_another_chain_is_another_fingerprint() -> None:
    assert fingerprint(PAIR.certificate, AUTHORITY.certificate) != PAIR.fingerprint
    assert fingerprint(AUTHORITY.certificate, b"") != PAIR.fingerprint


def test_no_representation_shows_the_key() -> None:
    assert PAIR.key.decode().splitlines()[1] not in repr(PAIR)

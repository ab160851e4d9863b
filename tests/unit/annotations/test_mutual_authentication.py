from __future__ import annotations

import json

import pytest

from lbcontroller.annotations.codecs import Unreadable
from lbcontroller.annotations.mutual_authentication import MUTUAL_AUTHENTICATION, PortMutualAuthentication
from lbcontroller.model.enums import OnOff
from lbcontroller.model.resources import MutualAuthenticationMode

ARN = "arn:aws:elasticloadbalancing:us-west-2:123456789012:truststore/mine/0123456789abcdef"


def faults(*entries: object) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        MUTUAL_AUTHENTICATION.decode(json.dumps(entries))
    return [f"{fault.expected} | {fault.hint}".removesuffix(" | ") for fault in caught.value.faults]


def test_ports_are_read() -> None:
    raw = json.dumps(
        [
            {"port": 80, "mode": "off"},
            {"port": 443, "mode": "passthrough"},
            {"port": 8443, "mode": "verify", "trustStore": ARN},
            {
                "port": 9443,
                "mode": "verify",
                "trustStore": "mine",
                "ignoreClientCertificateExpiry": True,
                "advertiseTrustStoreCaNames": "on",
            },
        ]
    )
    read = (
        PortMutualAuthentication(port=80, mode=MutualAuthenticationMode.OFF),
        PortMutualAuthentication(port=443, mode=MutualAuthenticationMode.PASSTHROUGH),
        PortMutualAuthentication(port=8443, mode=MutualAuthenticationMode.VERIFY, trust_store=ARN),
        PortMutualAuthentication(
            port=9443,
            mode=MutualAuthenticationMode.VERIFY,
            trust_store="mine",
            ignore_expiry=True,
            advertise_ca_names=OnOff.ON,
        ),
    )
    assert MUTUAL_AUTHENTICATION.decode(raw) == read
    assert MUTUAL_AUTHENTICATION.decode(MUTUAL_AUTHENTICATION.encode(read)) == read


def test_no_port_at_all_is_refused() -> None:
    assert faults() == ["must not be empty"]


def test_a_port_named_twice_is_refused() -> None:
    assert faults({"port": 443, "mode": "off"}, {"port": 443, "mode": "passthrough"}) == [
        "must have each port once, and has 443 several times"
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"mode": "off"}, "[0].port is required"),
        ({"port": 0, "mode": "off"}, "[0].port must be 1 or more"),
        ({"port": 65536, "mode": "off"}, "[0].port must be 65535 or less"),
        ({"port": "443", "mode": "off"}, "[0].port must be a valid integer"),
        ({"port": 443}, "[0].mode is required"),
        ({"port": 443, "mode": ""}, "[0].mode must be off, passthrough or verify, not ''"),
        (
            {"port": 443, "mode": "verfy"},
            "[0].mode must be off, passthrough or verify, not 'verfy' | did you mean 'verify'?",
        ),
        ({"port": 443, "mode": "verify"}, "[0] must have trustStore with mode verify"),
        (
            {"port": 443, "mode": "verify", "trustStore": "-"},
            "[0].trustStore must be the ARN or the name of a trust store, not '-'",
        ),
        (
            {"port": 443, "mode": "verify", "trustStore": "arn:aws:s3:::mine"},
            "[0].trustStore must be the ARN or the name of a trust store, not 'arn:aws:s3:::mine'",
        ),
        (
            {"port": 443, "mode": "off", "trustStore": "mine"},
            "[0] must leave out trustStore, which belongs to mode verify only",
        ),
        (
            {"port": 443, "mode": "passthrough", "ignoreClientCertificateExpiry": False},
            "[0] must leave out ignoreClientCertificateExpiry, which belongs to mode verify only",
        ),
        (
            {"port": 443, "mode": "off", "advertiseTrustStoreCaNames": "off"},
            "[0] must leave out advertiseTrustStoreCaNames, which belongs to mode verify only",
        ),
        (
            {"port": 443, "mode": "verify", "trustStore": "mine", "advertiseTrustStoreCaNames": True},
            "[0].advertiseTrustStoreCaNames must be a valid string",
        ),
        (
            {"port": 443, "mode": "verify", "trustStore": "mine", "advertiseTrustStoreCaNames": "yes"},
            "[0].advertiseTrustStoreCaNames must be on or off, not 'yes'",
        ),
        (
            {"port": 443, "mode": "verify", "truststorearn": ARN, "trustStore": "mine"},
            "[0].truststorearn is not known here | did you mean 'trustStore'?",
        ),
    ],
)
def test_wrong_entries_are_refused(entry: object, expected: str) -> None:
    assert faults(entry) == [expected]

from __future__ import annotations

import pytest

from lbcontroller.annotations.codecs import Unreadable
from lbcontroller.annotations.listen_ports import LISTEN_PORTS, ListenPort
from lbcontroller.model.enums import Protocol

HTTP = ListenPort(protocol=Protocol.HTTP, port=80)
HTTPS = ListenPort(protocol=Protocol.HTTPS, port=443)


def faults(raw: str) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        LISTEN_PORTS.decode(raw)
    return [f"{fault.expected} | {fault.hint}".removesuffix(" | ") for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("raw", "ports"),
    [
        ('[{"HTTP": 80}]', (HTTP,)),
        ('[{"HTTPS":443},{"HTTP":80}]', (HTTPS, HTTP)),
        ('[{"HTTP": 80, "HTTPS": 443}]', (HTTP, HTTPS)),
        ('[{"HTTP": 80}, {}, {"HTTP": 80}]', (HTTP,)),
        (
            '[{"HTTPS": 1}, {"HTTPS": 65535}]',
            tuple(ListenPort(protocol=Protocol.HTTPS, port=p) for p in (1, 65535)),
        ),
    ],
)
def test_ports_are_read_in_their_order_and_each_once(raw: str, ports: tuple[ListenPort, ...]) -> None:
    assert LISTEN_PORTS.decode(raw) == ports
    assert LISTEN_PORTS.decode(LISTEN_PORTS.encode(ports)) == ports


@pytest.mark.parametrize("raw", ["[]", "[{}]"])
def test_no_port_at_all_is_refused(raw: str) -> None:
    assert faults(raw) == ['must not be empty | write [{"HTTP": 80}, {"HTTPS": 443}]']


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ('[{"HTTP": "80"}]', ["[0].HTTP must be a number from 1 to 65535, not '80'"]),
        (
            '[{"HTTP": 0}, {"HTTPS": 65536}]',
            [
                "[0].HTTP must be a number from 1 to 65535, not 0",
                "[1].HTTPS must be a number from 1 to 65535, not 65536",
            ],
        ),
        ('[{"HTTP": true}]', ["[0].HTTP must be a number from 1 to 65535, not true"]),
        ('[{"HTTP": 80.5}]', ["[0].HTTP must be a number from 1 to 65535, not 80.5"]),
        ('[{"HTTP": null}]', ["[0].HTTP must be a number from 1 to 65535, not null"]),
        ('[{"http": 80}]', ["[0].http must be HTTP or HTTPS | did you mean 'HTTP'?"]),
        ('[{"TCP": 80}]', ["[0].TCP must be HTTP or HTTPS"]),
        ('[{"HTTP": 80}, {"HTTPS": 80}]', ["[1].HTTPS must be another port: 80 is HTTP already"]),
        ('{"HTTP": 80}', ["must be a JSON array"]),
        ("[80]", ["[0] must be a JSON object"]),
        ("null", ["must be a JSON array"]),
    ],
)
def test_other_ports_are_refused(raw: str, expected: list[str]) -> None:
    assert faults(raw) == expected


@pytest.mark.parametrize("raw", ["", "80", "HTTP:80", "[{HTTP: 80}]"])
def test_what_is_no_array_of_json_is_refused(raw: str) -> None:
    assert faults(raw)[0].startswith("must be ")

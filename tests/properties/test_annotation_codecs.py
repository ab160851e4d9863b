"""Laws of the codecs: what is encoded decodes to the same value, and every text is read or refused."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.annotations.actions import ForwardAction, ForwardConfig, Stickiness, WeightedTarget
from lbcontroller.annotations.codecs import (
    BOOLEAN,
    INT32_MAX,
    INT32_MIN,
    Codec,
    Unreadable,
    enumeration,
    integer,
    list_of,
    string_map,
)
from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.formats import (
    CAPACITY,
    CIDR,
    HEALTH_CHECK_PORT,
    IPV4,
    IPV6,
    LISTENER_PARAMETER,
    PORT,
    TAGS,
    ListenerKey,
)
from lbcontroller.annotations.json_objects import json_object
from lbcontroller.annotations.service import ServiceAnnotations
from lbcontroller.errors import InvalidConfig
from lbcontroller.model.enums import Protocol, Scheme
from lbcontroller.model.ids import Arn

PORTS = st.integers(1, 65535)
WEIGHTS = st.integers(0, 999)
VALUES = st.text(st.characters(codec="utf-8")).map(str.strip)
KEYS = VALUES.filter(lambda key: key != "" and "=" not in key)
DECLARED = declarations(ServiceAnnotations)


def round_trip(codec: Codec[Any], value: object) -> None:
    text = codec.encode(value)
    assert codec.decode(text) == value
    assert re.fullmatch(codec.pattern, text)


@given(st.booleans())
def test_booleans(value: bool) -> None:
    round_trip(BOOLEAN, value)


@given(st.integers(INT32_MIN, INT32_MAX))
def test_integers(value: int) -> None:
    round_trip(integer(), value)


@given(st.sampled_from(Scheme))
def test_words(value: Scheme) -> None:
    round_trip(enumeration(Scheme), value)


@given(st.lists(PORTS).map(tuple))
def test_lists(value: tuple[int, ...]) -> None:
    round_trip(list_of(PORT), value)


@given(st.dictionaries(KEYS, VALUES))
def test_maps(value: dict[str, str]) -> None:
    round_trip(string_map(lambda _key, _text: ()), value)


@given(st.dictionaries(st.from_regex(r"[A-Za-z0-9.:/+@_-]{1,128}", fullmatch=True), st.just("é x")))
def test_tags(value: dict[str, str]) -> None:
    try:
        round_trip(TAGS, value)
    except Unreadable:
        assert any(key.lower().startswith("aws:") for key in value)


@given(st.ip_addresses(v=4), st.ip_addresses(v=6))
def test_addresses(four: object, six: object) -> None:
    round_trip(IPV4, str(four))
    round_trip(IPV6, str(six))


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_cidrs(address: object, length: int) -> None:
    round_trip(CIDR, f"{address}/{length}")


@given(PORTS | st.just("traffic-port") | st.from_regex(r"[a-z][a-z0-9]{0,14}", fullmatch=True))
def test_health_check_ports(value: int | str) -> None:
    round_trip(HEALTH_CHECK_PORT, value)


@given(st.sampled_from([Protocol.TCP, Protocol.TLS, Protocol.TCP_UDP, Protocol.TCP_QUIC]), PORTS)
def test_listener_parameters(protocol: Protocol, port: int) -> None:
    round_trip(LISTENER_PARAMETER, ListenerKey(protocol, port))


@given(st.integers(0, INT32_MAX))
def test_capacity(value: int) -> None:
    round_trip(CAPACITY, value)


TARGETS = st.builds(
    WeightedTarget,
    serviceName=st.text(st.characters(codec="utf-8"), min_size=1),
    servicePort=PORTS,
    weight=WEIGHTS,
    decrypt=st.booleans(),
) | st.builds(
    WeightedTarget, targetGroupARN=st.text(st.characters(codec="utf-8"), min_size=1).map(Arn), weight=WEIGHTS
)
ACTIONS = st.builds(
    ForwardAction,
    type=st.just("forward"),
    forwardConfig=st.builds(
        ForwardConfig,
        baseServiceWeight=WEIGHTS | st.none(),
        targetGroups=st.lists(TARGETS, min_size=1, max_size=4).map(tuple),
        targetGroupStickinessConfig=st.builds(Stickiness, enabled=st.booleans()) | st.none(),
    ),
)


@given(ACTIONS)
def test_actions(value: ForwardAction) -> None:
    round_trip(json_object(ForwardAction), value)


MEMBERS = ["type", "forwardConfig", "targetGroups", "serviceName", "servicePort", "weight", "forward"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(MEMBERS) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(MEMBERS) | st.text(), inner),
)


@given(JSON_VALUES)
def test_any_json_is_read_or_refused(value: object) -> None:
    with suppress(Unreadable):
        json_object(ForwardAction).decode(json.dumps(value))


@given(st.sampled_from(DECLARED), st.text() | st.from_regex(r"[\w=,.:/-]{0,20}", fullmatch=True))
def test_any_text_is_read_or_refused(declaration: Any, raw: str) -> None:
    with suppress(Unreadable):
        value = declaration.codec.decode(raw)
        assert re.fullmatch(declaration.codec.pattern, raw)
        assert declaration.codec.decode(declaration.codec.encode(value)) == value


@given(
    st.dictionaries(st.sampled_from([d.name for d in DECLARED]) | st.text(), st.text()), st.text(max_size=8)
)
def test_any_annotations_are_read_or_refused_with_all_problems(
    annotations: dict[str, str], suffix: str
) -> None:
    keys = {key + suffix if key.endswith("attributes") else key: value for key, value in annotations.items()}
    try:
        ServiceAnnotations.parse("Service shop/web", keys)
    except InvalidConfig as error:
        wrong = {problem.field for problem in error.problems}
        rest = {key: value for key, value in keys.items() if key not in wrong}
        ServiceAnnotations.parse("Service shop/web", rest)

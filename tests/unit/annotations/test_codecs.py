from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.annotations.codecs import (
    BOOLEAN,
    Codec,
    Fault,
    Unreadable,
    enumeration,
    form,
    integer,
    list_of,
    string_map,
)
from lbcontroller.model.enums import HealthCheckProtocol, IpAddressType, Scheme

MAP = string_map(lambda _key, _value: ())


def faults(codec: Codec[Any], raw: str) -> tuple[Fault, ...]:
    with pytest.raises(Unreadable) as caught:
        codec.decode(raw)
    return caught.value.faults


@pytest.mark.parametrize("raw", ["1", "t", "T", "TRUE", "true", "True"])
def test_these_are_true(raw: str) -> None:
    assert BOOLEAN.decode(raw) is True


@pytest.mark.parametrize("raw", ["0", "f", "F", "FALSE", "false", "False"])
def test_these_are_false(raw: str) -> None:
    assert BOOLEAN.decode(raw) is False


@pytest.mark.parametrize("raw", ["", " true", "tRue", "yes", "on", "2"])
def test_nothing_else_is_boolean(raw: str) -> None:
    assert faults(BOOLEAN, raw) == (Fault("must be true or false"),)


@pytest.mark.parametrize(
    ("raw", "value"), [("0", 0), ("-5", -5), ("+7", 7), ("007", 7), ("2147483647", 2147483647)]
)
def test_integers_are_decimal(raw: str, value: int) -> None:
    assert integer().decode(raw) == value


@pytest.mark.parametrize("raw", ["", " 1", "1 ", "1.0", "0x10", "1_000", "2147483648", "٣", "9" * 5000])
def test_other_numbers_are_refused(raw: str) -> None:
    assert faults(integer(), raw) == (Fault("must be a whole number from -2147483648 to 2147483647"),)


@pytest.mark.parametrize(("raw", "allowed"), [("4", False), ("5", True), ("300", True), ("301", False)])
def test_limits_of_integers_are_inclusive(raw: str, allowed: bool) -> None:
    if allowed:
        assert integer(5, 300).decode(raw) == int(raw)
    else:
        assert faults(integer(5, 300), raw) == (Fault("must be a whole number from 5 to 300"),)


def test_words_are_spelled_exactly() -> None:
    assert enumeration(Scheme).decode("internal") is Scheme.INTERNAL
    assert faults(enumeration(Scheme), "Internal") == (
        Fault("must be internal or internet-facing", "did you mean 'internal'?"),
    )
    assert faults(enumeration(Scheme), "") == (Fault("must be internal or internet-facing"),)


def test_words_may_be_in_any_case_where_that_is_declared() -> None:
    codec = enumeration(HealthCheckProtocol, fold_case=True)
    assert codec.decode("hTTp") is HealthCheckProtocol.HTTP
    assert faults(codec, "htp") == (Fault("must be TCP, HTTP or HTTPS", "did you mean 'HTTP'?"),)


def test_members_that_are_not_offered_are_refused() -> None:
    codec = enumeration(IpAddressType, only=(IpAddressType.IPV4, IpAddressType.DUALSTACK))
    assert faults(codec, "dualstack-without-public-ipv4")[0].expected == "must be ipv4 or dualstack"


@pytest.mark.parametrize(
    ("raw", "items"), [("", ()), (" , ,", ()), ("1", (1,)), (" 1 ,2,, 3 ", (1, 2, 3)), ("2,2", (2, 2))]
)
def test_lists_are_split_and_trimmed(raw: str, items: tuple[int, ...]) -> None:
    assert list_of(integer()).decode(raw) == items


def test_every_wrong_item_of_a_list_is_named() -> None:
    assert faults(list_of(integer(1, 9)), "1,x,10") == (
        Fault("item 'x' must be a whole number from 1 to 9"),
        Fault("item '10' must be a whole number from 1 to 9"),
    )


@pytest.mark.parametrize(
    ("raw", "entries"),
    [
        ("", {}),
        ("   ", {}),
        ("a=b", {"a": "b"}),
        ("a=b,c=d", {"a": "b", "c": "d"}),
        (" a = b , c = d ", {"a": "b", "c": "d"}),
        ("a=b,", {"a": "b,"}),
        ("a=b=c", {"a": "b=c"}),
        (r"a=1\,2,b=3", {"a": "1,2", "b": "3"}),
        (r"a=1\\,b=2", {"a": "1\\", "b": "2"}),
        ("a=1\\", {"a": "1\\"}),
        ("a=", {"a": ""}),
        ("a=1,a=2", {"a": "2"}),
    ],
)
def test_maps_are_read_with_their_escapes(raw: str, entries: dict[str, str]) -> None:
    assert MAP.decode(raw) == entries


@pytest.mark.parametrize(
    ("raw", "item"), [(",a=1", ""), ("a=1,,b=2", ""), ("a=1,x,b=2", "x"), ("a=1,x,y", "x,y"), ("=1", "=1")]
)
def test_an_item_without_key_or_equals_sign_is_named(raw: str, item: str) -> None:
    assert faults(MAP, raw) == (Fault(f"item {item!r} must be key=value", r"write a comma in a value as \,"),)


def test_every_wrong_entry_of_a_map_is_named() -> None:
    codec = string_map(lambda key, value: [Fault(f"{key} must not be {value}")] if value == "bad" else [])
    assert faults(codec, "a=bad,b=good,c=bad") == (Fault("a must not be bad"), Fault("c must not be bad"))


def test_a_form_says_what_is_allowed_whatever_the_reason() -> None:
    codec = form("even number", "an even digit", "[0-9]", read=lambda raw: [0, 2, 4, 6, 8].index(int(raw)))
    assert codec.decode("4") == 2
    assert faults(codec, "x") == faults(codec, "3") == (Fault("must be an even digit"),)

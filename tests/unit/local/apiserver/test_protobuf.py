from __future__ import annotations

import pytest

from lbcontroller.local.apiserver import ApiError, Reason
from lbcontroller.local.apiserver.protobuf import decode


def a_field(number: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2, len(data)]) + data


def a_body(api_version: str, kind: str, raw: bytes) -> bytes:
    return b"k8s\x00" + a_field(1, a_field(1, api_version) + a_field(2, kind)) + a_field(2, raw)


def test_a_namespace_is_read() -> None:
    labels = a_field(11, a_field(1, "a") + a_field(2, "b"))
    body = a_body(
        "v1",
        "Namespace",
        a_field(1, a_field(1, "shop") + labels) + a_field(2, b"") + a_field(3, a_field(1, "")),
    )
    assert decode(body) == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"a": "b"}},
    }


def test_a_grace_of_zero_is_not_an_absent_one() -> None:
    assert decode(a_body("v1", "DeleteOptions", b"\x08\x00"))["gracePeriodSeconds"] == 0


def test_a_field_that_is_not_known_is_refused_rather_than_lost() -> None:
    with pytest.raises(ApiError, match="Namespace, field 9") as refused:
        decode(a_body("v1", "Namespace", a_field(9, "x")))
    assert refused.value.reason is Reason.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("body", [b"", b"k8s\x00", b"k8s\x00\x0a\x7f", b"{}"])
def test_a_broken_message_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError):
        decode(body)

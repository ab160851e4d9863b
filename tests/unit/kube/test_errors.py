from __future__ import annotations

import orjson
import pytest

from lbcontroller.errors import Denied, NotReady, Transient
from lbcontroller.kube.errors import Conflict, Failure, NotFound, Rejected, error_of


def refusal(status: int, message: str = "no", *causes: str) -> Exception:
    body = {
        "kind": "Status",
        "message": message,
        "details": {"causes": [{"reason": cause} for cause in causes]},
    }
    return error_of(Failure.from_answer(status, orjson.dumps(body)), "patch services/status")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, Rejected),
        (401, Denied),
        (403, Denied),
        (404, NotFound),
        (405, Rejected),
        (408, Transient),
        (409, Conflict),
        (410, Transient),
        (422, Rejected),
        (429, Transient),
        (500, Transient),
        (503, Transient),
        (301, Rejected),
    ],
)
def test_each_answer_names_who_acts_next(status: int, expected: type[Exception]) -> None:
    assert type(refusal(status)) is expected


def test_a_denial_names_the_permission_the_administrator_has_to_grant() -> None:
    denied = refusal(403, 'services "web" is forbidden')

    assert isinstance(denied, Denied)
    assert denied.action == "patch services/status"
    assert str(denied) == 'patch services/status: services "web" is forbidden'


def test_a_terminating_namespace_is_waited_for_although_the_server_says_forbidden() -> None:
    assert isinstance(refusal(403, "being terminated", "NamespaceTerminating"), NotReady)


@pytest.mark.parametrize("status", [400, 403, 422])
def test_an_admission_webhook_is_the_administrators_business_whatever_its_status(status: int) -> None:
    assert isinstance(refusal(status, 'admission webhook "policy.example" denied the request: no'), Denied)


def test_nobody_needs_to_know_not_found_and_conflict_to_try_again() -> None:
    assert isinstance(refusal(404), Transient)
    assert isinstance(refusal(409), Transient)


@pytest.mark.parametrize("body", [b"<html>bad gateway</html>", b"[]", b"\xff\xfe", b""])
def test_an_answer_of_something_else_than_the_api_server_is_shown_as_it_is(body: bytes) -> None:
    error = error_of(Failure.from_answer(502, body), "get services")

    assert isinstance(error, Transient)
    assert str(error).startswith("get services: 502 ")


def test_an_error_page_is_not_shown_in_full() -> None:
    assert len(Failure.from_answer(502, b"x" * 100_000).message) == 500

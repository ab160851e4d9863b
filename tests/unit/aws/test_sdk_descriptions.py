from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lbcontroller.aws.operations import OPERATIONS, AwsService
from lbcontroller.aws.sdk_descriptions import reduced
from lbcontroller.aws.session import open_session

SCHOOL: Mapping[str, Any] = {
    "metadata": {"serviceId": "School"},
    "operations": {
        "Enrol": {"input": {"shape": "Pupil"}, "errors": [{"shape": "Full"}]},
        "Expel": {"input": {"shape": "Reason"}},
    },
    "shapes": {
        "Pupil": {
            "type": "structure",
            "members": {"name": {"shape": "Text"}, "friends": {"shape": "Pupils"}},
        },
        "Pupils": {"type": "list", "member": {"shape": "Pupil"}},
        "Text": {"type": "string"},
        "Full": {"type": "structure", "members": {}},
        "Reason": {"type": "string"},
    },
}


def operations_of(service: AwsService) -> set[str]:
    session = open_session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-west-2")
    client = session.client(service.value)
    return set(client.meta.service_model.operation_names)


def test_a_description_keeps_what_the_operations_refer_to_at_any_depth() -> None:
    kept = reduced(SCHOOL, {"Enrol"})

    assert kept["metadata"] == SCHOOL["metadata"]
    assert list(kept["operations"]) == ["Enrol"]
    assert kept["shapes"] == {name: shape for name, shape in SCHOOL["shapes"].items() if name != "Reason"}


@pytest.mark.parametrize("service", [service for service in AwsService if service is not AwsService.STS])
def test_clients_know_the_operations_that_are_called(service: AwsService) -> None:
    called = {operation.name for operation in OPERATIONS if operation.service is service}

    assert operations_of(service) == called


def test_credentials_come_from_any_operation_of_sts() -> None:
    assert "AssumeRoleWithWebIdentity" in operations_of(AwsService.STS)

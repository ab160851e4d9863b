from __future__ import annotations

import pytest

from lbcontroller.aws.operations import OPERATIONS, Operation
from lbcontroller.local.aws.wire import sdk

IN_WORDS_ONLY = {"GetResources": 100, "ListHostedZones": "100"}
"""Largest pages that only the text of the API reference tells."""


@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.paging is not None],
    ids=lambda operation: operation.name,
)
def test_pages_are_as_large_as_aws_allows(operation: Operation) -> None:
    assert operation.paging is not None
    service = sdk().get_service_model(operation.service.value)
    request = service.operation_model(operation.name).input_shape
    assert request is not None
    size = request.members[operation.paging.size_parameter]

    assert operation.paging.size == size.metadata.get("max", IN_WORDS_ONLY.get(operation.name))

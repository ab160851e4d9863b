from __future__ import annotations

from collections.abc import Iterator

import pytest

from lbcontroller.local.aws import LocalAws
from tests.support import iam_policies
from tests.support.aws_access import AwsUnderTest


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAws]:
    """An account whose callers are held to our IAM policy."""
    with LocalAws(policy=iam_policies.ours()) as aws, aws.called_in_process():
        yield aws


@pytest.fixture
def account(local_aws: LocalAws) -> AwsUnderTest:
    return AwsUnderTest(local_aws)

from __future__ import annotations

from typing import get_args

import pytest

from lbcontroller.aws.presence import not_there
from lbcontroller.model.ids import Arn
from lbcontroller.model.observed import InAws


@pytest.mark.parametrize("kind", get_args(InAws))
def test_whatever_there_is_in_aws_is_named_when_it_is_gone(kind: type[InAws]) -> None:
    assert str(not_there(kind, Arn("arn"))).endswith(" arn is gone")

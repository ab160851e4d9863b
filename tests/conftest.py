from __future__ import annotations

import pytest
from hypothesis import settings


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-cases",
        action="store_true",
        help="rewrite the golden files of tests/cases with what is built now",
    )


settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

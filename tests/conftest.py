from __future__ import annotations

import gc
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.support.clusters import ApiServerKind, choose, is_real
from tests.support.laws import law
from tests.support.real_cluster.exceptions import why_not


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-cases",
        action="store_true",
        help="rewrite the golden files of tests/cases with what is built now",
    )
    parser.addoption("--nightly", action="store_true", help="run also what takes too long for every change")
    parser.addoption(
        "--api-server",
        choices=list(ApiServerKind),
        default=ApiServerKind.EMBEDDED,
        help="run clusters on this API server; a real one as `make test-apiserver` does it",
    )


def pytest_configure(config: pytest.Config) -> None:
    choose(ApiServerKind(config.getoption("--api-server")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items if is_real() else ():
        if why := why_not(item.nodeid):
            item.add_marker(pytest.mark.skip(reason=why))


settings.register_profile("untimed", law())
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector what stays to the end; else it takes a sixth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()

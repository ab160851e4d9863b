"""What is missing may just not have been reported."""

from __future__ import annotations

from lbcontroller.controller.news import UNREPORTED_SECONDS, MissingServices, News
from lbcontroller.keys import ObjectName, StackKey, StackKind
from lbcontroller.plan.deregistration import NEWS_SECONDS
from tests.support.manual_clock import ManualClock

WEB, API = ObjectName("shop", "web"), ObjectName("shop", "api")
SITES = StackKey(StackKind.INGRESS, ObjectName("", "sites"))


class Scene:
    """A cluster with the Services that `existing` has, whatever the watches say."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.existing: set[ObjectName] = set()
        self.asked: list[ObjectName] = []
        self.missing = MissingServices(self._exists, self.clock)

    def _exists(self, service: ObjectName) -> bool:
        self.asked.append(service)
        return service in self.existing

    def unsure(self, *missing: ObjectName) -> dict[ObjectName, float]:
        return dict(self.missing.unsure(SITES, frozenset(missing)))


def test_what_is_missing_counts_only_when_it_stays_so_for_a_moment() -> None:
    clock = ManualClock()
    news = News[ObjectName](clock)
    assert news.wait(WEB) == NEWS_SECONDS
    clock.advance(0.75)
    assert news.wait(WEB) == NEWS_SECONDS - 0.75
    clock.advance(NEWS_SECONDS - 0.75)
    assert news.wait(WEB) == 0.0

    news.forget(WEB)
    assert news.wait(WEB) == NEWS_SECONDS


def test_a_service_that_the_api_server_has_is_waited_for() -> None:
    scene = Scene()
    scene.existing = {WEB}
    assert scene.unsure(WEB) == {WEB: NEWS_SECONDS}
    assert scene.asked == []
    scene.clock.advance(NEWS_SECONDS)
    assert scene.unsure(WEB) == {WEB: UNREPORTED_SECONDS}

    scene.existing = set()
    assert scene.unsure(WEB) == {}


def test_the_api_server_is_asked_once_for_a_service_that_it_does_not_have() -> None:
    scene = Scene()
    scene.unsure(WEB)
    scene.clock.advance(NEWS_SECONDS)
    assert scene.unsure(WEB) == scene.unsure(WEB) == {}
    assert scene.asked == [WEB]


def test_each_missing_service_has_a_moment_of_its_own() -> None:
    scene = Scene()
    scene.unsure(WEB)
    scene.clock.advance(NEWS_SECONDS)
    assert scene.unsure(WEB, API) == {API: NEWS_SECONDS}


def test_a_service_that_is_missing_again_has_its_moment_again() -> None:
    scene = Scene()
    for _ in range(2):
        assert scene.unsure(WEB) == {WEB: NEWS_SECONDS}
        scene.clock.advance(NEWS_SECONDS)
        assert scene.unsure(WEB) == {}
        scene.unsure()
    scene.unsure(WEB)
    scene.missing.forget(SITES)
    scene.clock.advance(NEWS_SECONDS)
    assert scene.unsure(WEB) == {WEB: NEWS_SECONDS}

"""What is missing may just not have been reported."""

from __future__ import annotations

from lbcontroller.controller.news import News
from lbcontroller.keys import ObjectName
from lbcontroller.plan.deregistration import NEWS_SECONDS
from tests.support.manual_clock import ManualClock

WEB, API = ObjectName("shop", "web"), ObjectName("shop", "api")


def test_what_is_missing_counts_only_when_it_stays_so_for_a_moment() -> None:
    clock = ManualClock()
    news = News(clock)
    assert news.wait(WEB) == NEWS_SECONDS
    clock.advance(0.75)
    assert news.wait(WEB) == NEWS_SECONDS - 0.75
    assert news.wait(API) == NEWS_SECONDS
    clock.advance(NEWS_SECONDS - 0.75)
    assert news.wait(WEB) == 0.0

    news.forget(WEB)
    assert news.wait(WEB) == NEWS_SECONDS

from __future__ import annotations

from lbcontroller.kube.informer import Rhythm


def test_pauses_grow_to_a_cap_and_are_spread() -> None:
    shortest = Rhythm(chance=lambda: 0.0)
    longest = Rhythm(chance=lambda: 1.0)

    assert [shortest.backoff(failures, away=False) for failures in (1, 2, 3)] == [0.25, 0.5, 1.0]
    assert longest.backoff(1, away=False) == 0.75
    assert longest.backoff(10_000, away=False) == 45.0


def test_a_server_that_was_away_is_asked_again_within_five_seconds() -> None:
    assert Rhythm(chance=lambda: 1.0).backoff(10_000, away=True) <= 5.0

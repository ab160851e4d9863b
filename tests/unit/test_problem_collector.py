from __future__ import annotations

import pytest

from lbcontroller.errors import LONGEST_VALUE, InvalidConfig, NotReady, Problem, ProblemCollector, Transient


def a_problem(field: str) -> Problem:
    return Problem(subject="Service shop/web", field=field, value="", expected="must be mended")


def fail(error: Exception) -> None:
    raise error


def test_nothing_is_raised_when_nothing_is_wrong() -> None:
    problems, attempted = ProblemCollector(), False
    with problems.attempt():
        attempted = True

    problems.raise_if_any()
    assert attempted


def test_problems_of_all_parts_are_raised_once_each_in_order() -> None:
    problems = ProblemCollector()
    problems.add(a_problem("b"))
    for fields in (("a", "b"), ("c",)):
        with problems.attempt():
            fail(InvalidConfig(*map(a_problem, fields)))

    with pytest.raises(InvalidConfig) as raised:
        problems.raise_if_any()

    assert [problem.field for problem in raised.value.problems] == ["b", "a", "c"]


def test_waiting_does_not_hide_a_problem() -> None:
    problems = ProblemCollector()
    with problems.attempt():
        fail(NotReady("a group is made", retry_after=1))
    with problems.attempt():
        fail(InvalidConfig(a_problem("a")))

    with pytest.raises(InvalidConfig):
        problems.raise_if_any()


def test_the_first_reason_to_wait_is_raised_when_there_is_no_problem() -> None:
    problems = ProblemCollector()
    for reason in ("first", "second"):
        with problems.attempt():
            fail(NotReady(reason, retry_after=1))

    with pytest.raises(NotReady, match=r"^first$"):
        problems.raise_if_any()


def test_other_errors_are_not_held_back() -> None:
    with pytest.raises(Transient), ProblemCollector().attempt():
        raise Transient


def test_a_long_value_leaves_room_for_what_is_wrong_with_it() -> None:
    problem = Problem(subject="Service shop/web", field="key", value="x" * 1000, expected="must be shorter")

    assert str(problem) == f"key: '{'x' * LONGEST_VALUE}…': must be shorter"

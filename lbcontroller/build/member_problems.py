"""What is wrong with the members of a group, and which of them is told what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from lbcontroller.build.ingress_members import GroupReading
from lbcontroller.errors import Problem
from lbcontroller.keys import ObjectName

MemberProblems: TypeAlias = Mapping[ObjectName, tuple[Problem, ...]]
"""Problems by member."""


def joined(*found: MemberProblems) -> MemberProblems:
    """Return everything that is wrong with each member, in the order in which it was found."""
    together: dict[ObjectName, tuple[Problem, ...]] = {}
    for problems in found:
        for name, given in problems.items():
            together[name] = (*together.get(name, ()), *given)
    return together


def told_to_members(
    reading: GroupReading, held: MemberProblems, problems: Iterable[Problem]
) -> MemberProblems:
    """Return the problems of each member; those of nobody in particular are everybody's.

    What only follows from something else that is malformed is left out: one mistake, one message.

    Args:
        reading: what the members say.
        held: why members are held.
        problems: those that do not hold anybody: what was asked for and is not had.
    """
    names = {f"Ingress {member.name}": member.name for member in reading.members}
    told: dict[ObjectName, list[Problem]] = {name: list(given) for name, given in held.items()}
    for problem in problems:
        owners = [names[problem.subject]] if problem.subject in names else list(names.values())
        for owner in owners:
            told.setdefault(owner, []).append(problem)
    return {
        name: tuple(
            dict.fromkeys(one for one in given if not one.rests_on & reading.unsure_of.get(name, frozenset()))
        )
        for name, given in told.items()
    }

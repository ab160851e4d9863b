"""Subnets that are named: by the user, or by the load balancer that has them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from lbcontroller.build.result import BuildContext
from lbcontroller.config.load_balancer import NamedSubnets
from lbcontroller.errors import InvalidConfig, Problem, did_you_mean
from lbcontroller.model.inventory import ExistingLoadBalancer, Subnet

_ID_PREFIX = "subnet-"


def named_subnets(selection: NamedSubnets, context: BuildContext) -> tuple[Subnet, ...]:
    """Return the subnets a user names, in that order.

    Several subnets may have one `Name`: each time it is written it stands for the next of them, by their ids.

    Raises:
        InvalidConfig: when one is not found, or named too often.
    """
    if not selection.names:
        raise InvalidConfig(context.problem(selection.field, "must name at least one subnet"))
    known = _by_name(context)
    found: list[Subnet] = []
    taken: Counter[str] = Counter()
    for name in selection.names:
        matches = known.get(name, [])
        if taken[name] < len(matches):
            found.append(matches[taken[name]])
        taken[name] += 1
    problems = [
        *_not_found(selection, context, taken.keys() - known.keys()),
        *_named_too_often(selection, context, taken, known),
    ]
    if problems:
        raise InvalidConfig(*problems)
    return tuple(found)


def existing_subnets(existing: ExistingLoadBalancer, field: str, context: BuildContext) -> tuple[Subnet, ...]:
    """Return the subnets that a load balancer has.

    Raises:
        InvalidConfig: when one of them is not in the VPC any more.
    """
    known = context.inventory.subnets
    if gone := [subnet for subnet in existing.subnets if subnet not in known]:
        raise InvalidConfig(
            context.problem(
                field,
                f"the load balancer has subnets that {context.inventory.vpc_id} has no more",
                value=", ".join(gone),
                hint=f"name the subnets it should have in {field}",
            )
        )
    return tuple(known[subnet] for subnet in existing.subnets)


def _by_name(context: BuildContext) -> dict[str, list[Subnet]]:
    """Return the subnets that each id and each value of the tag `Name` stands for, by their ids."""
    known: defaultdict[str, list[Subnet]] = defaultdict(list)
    for id_, subnet in sorted(context.inventory.subnets.items()):
        known[id_].append(subnet)
        # What looks like an id is one, so a tag cannot stand in for it.
        if (name := subnet.tags.get("Name", "")) and not name.startswith(_ID_PREFIX):
            known[name].append(subnet)
    return dict(known)


def _not_found(selection: NamedSubnets, context: BuildContext, missing: Iterable[str]) -> Iterable[Problem]:
    names = set(missing)
    found = [name for name in dict.fromkeys(selection.names) if name not in names]
    for name in (name for name in dict.fromkeys(selection.names) if name in names):
        what = "id" if name.startswith(_ID_PREFIX) else "Name tag"
        yield context.problem(
            selection.field,
            f"no subnet of {context.inventory.vpc_id} has this {what}"
            + (f"; the others named are found: {', '.join(found)}" if found else ""),
            value=name,
            hint=did_you_mean(name, _by_name(context)),
        )


def _named_too_often(
    selection: NamedSubnets, context: BuildContext, taken: Counter[str], known: dict[str, list[Subnet]]
) -> Iterable[Problem]:
    for name in dict.fromkeys(selection.names):
        matches = known.get(name)
        if matches is None or taken[name] <= len(matches):
            continue
        ids = ", ".join(subnet.id for subnet in matches)
        expected = (
            "must be named once"
            if name.startswith(_ID_PREFIX)
            else f"is named {taken[name]} times, and only these subnets have this Name tag: {ids}"
        )
        yield context.problem(selection.field, expected, value=name)

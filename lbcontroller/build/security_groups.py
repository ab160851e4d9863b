"""Which security groups a load balancer has, and by which of them its targets know it.

The first line that fits decides:

| existing load balancer | wanted                | backend group | attached          | source for targets |
|------------------------|-----------------------|---------------|-------------------|--------------------|
| is to be replaced      | any                   | any           | as if there were no existing one       |
| has none               | any                   | any           | none              | none               |
| has some               | none                  | any           | a problem         |                    |
| none                   | none                  | any           | none              | none               |
| any                    | managed               | enabled       | managed + backend | backend            |
| any                    | managed               | disabled      | managed           | managed            |
| any                    | given                 | any           | given             | none               |
| any                    | given, rules managed  | enabled       | given + backend   | backend            |
| any                    | given, rules managed  | disabled      | a problem         |                    |
| any                    | those it has          | any           | those             | backend, if it is  |

A network load balancer is made with security groups or without, and AWS never changes which. Another one
takes its place only where that is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, assert_never

from lbcontroller.build.inbound_rules import inbound_rules
from lbcontroller.build.result import BuildContext
from lbcontroller.build.tags import resource_tags
from lbcontroller.config.load_balancer import (
    GivenSecurityGroups,
    KeptSecurityGroups,
    LoadBalancerConfig,
    ManagedSecurityGroup,
    NoSecurityGroups,
    SecurityGroupChoice,
)
from lbcontroller.errors import InvalidConfig, NotReady, Problem, ProblemCollector, did_you_mean
from lbcontroller.model.findings import Finding, FindingReason
from lbcontroller.model.ids import SecurityGroupId
from lbcontroller.model.limits import (
    MOST_SECURITY_GROUPS_PER_NETWORK_INTERFACE,
    SECURITY_GROUPS_PER_NETWORK_INTERFACE,
)
from lbcontroller.model.references import Kind, Ref, ResourceId
from lbcontroller.model.resources import SecurityGroup, SecurityGroupRef
from lbcontroller.settings import REPLACEMENT_FLAG

MANAGED_SECURITY_GROUP_ID: Final = ResourceId(Kind.SECURITY_GROUP, "ManagedLBSecurityGroup")
BACKEND_GROUP_RETRY_SECONDS: Final = 1.0
"""How long to wait for the shared backend security group: its own reconcile is one call to AWS."""
_DESCRIPTION: Final = "[k8s] Managed SecurityGroup for LoadBalancer"
"""What LBC writes: AWS never changes the description of a group, so either controller meets the other's."""
_ID_PREFIX: Final = "sg-"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupDecision:
    """The security groups of a load balancer."""

    attached: tuple[SecurityGroupRef, ...]
    """Empty: none, for a network load balancer that was or is to be made without."""
    managed: SecurityGroup | None
    """The one of `attached` that is ours to make."""
    backend_source: SecurityGroupRef | None
    """The one of `attached` that the targets' security groups let in; None: they are not ours to open."""
    findings: tuple[Finding, ...] = ()


def decide_security_groups(config: LoadBalancerConfig, context: BuildContext) -> SecurityGroupDecision:
    """Return the security groups of a load balancer.

    Raises:
        InvalidConfig: with all problems.
        NotReady: when the shared backend security group is needed and does not exist yet.
    """
    existing, choice = context.inventory.existing, config.security_groups
    replaced = existing is not None and _is_replaced(choice, config, context)
    if existing is not None and not existing.has_security_groups and not replaced:
        return _none(_stays_without(config, context))
    match choice:
        case NoSecurityGroups():
            if existing is not None and existing.has_security_groups and not replaced:
                raise InvalidConfig(_cannot_lose_groups(choice, config, context))
            return _none(())
        case ManagedSecurityGroup():
            return _managed(choice, config, context)
        case GivenSecurityGroups():
            return _given(choice, config, context)
        case KeptSecurityGroups():
            return _kept(context)
        case _:
            assert_never(choice)


def _is_replaced(choice: SecurityGroupChoice, config: LoadBalancerConfig, context: BuildContext) -> bool:
    """Return whether another load balancer takes the place of one that differs in whether it has groups.

    What is only a default moves no load balancer that exists, unless its owner allows it.
    """
    if not _can_have_a_successor(config):
        return False
    match choice:
        case ManagedSecurityGroup() | NoSecurityGroups(by_default=True):
            return config.may_be_replaced is True
        case GivenSecurityGroups() | NoSecurityGroups():
            allowed = config.may_be_replaced
            return context.settings.allow_load_balancer_replacement if allowed is None else allowed
        case KeptSecurityGroups():
            return False


def _can_have_a_successor(config: LoadBalancerConfig) -> bool:
    """Return whether another load balancer can be there beside it, needing nothing that this one holds."""
    addresses = (config.addresses.allocations, config.addresses.private_ipv4, config.addresses.ipv6)
    return all(given is None for given in addresses) and not config.has_target_groups_of_others


def _way_out(config: LoadBalancerConfig, *, by_flag: bool) -> str:
    """Say how a user gets the load balancer that is asked for."""
    own = f"{config.fields.may_be_replaced}: true" if config.fields.may_be_replaced else ""
    setting = ", or ".join(filter(None, (own, REPLACEMENT_FLAG if by_flag else "")))
    if not setting or not _can_have_a_successor(config):
        return "to have that, delete it"
    return f"another one, with another hostname, takes its place with {setting}"


def _none(findings: tuple[Finding, ...]) -> SecurityGroupDecision:
    return SecurityGroupDecision(attached=(), managed=None, backend_source=None, findings=findings)


def _stays_without(config: LoadBalancerConfig, context: BuildContext) -> tuple[Finding, ...]:
    match config.security_groups:
        case NoSecurityGroups() | KeptSecurityGroups():
            return ()
        case ManagedSecurityGroup():
            return (
                context.remark(
                    FindingReason.KEPT_AS_IS,
                    "the load balancer was made without security groups and stays without: "
                    f"AWS gives it none later; {_way_out(config, by_flag=False)}",
                ),
            )
        case GivenSecurityGroups(field=field, names=names):
            return (
                context.warning(
                    FindingReason.NEEDS_REPLACEMENT,
                    f"{field}: {', '.join(names)!r} has no effect: the load balancer was made without "
                    f"security groups, and AWS gives it none later; {_way_out(config, by_flag=True)}",
                ),
            )


def _cannot_lose_groups(
    choice: NoSecurityGroups, config: LoadBalancerConfig, context: BuildContext
) -> Problem:
    return context.problem(
        choice.field,
        "the load balancer was made with security groups, and AWS does not take them away",
        hint=_way_out(config, by_flag=not choice.by_default),
    )


def _managed(
    choice: ManagedSecurityGroup, config: LoadBalancerConfig, context: BuildContext
) -> SecurityGroupDecision:
    problems = ProblemCollector()
    with problems.attempt():
        inbound = inbound_rules(choice.inbound, config.ip_address_type, context)
    with problems.attempt():
        tags = resource_tags(context, MANAGED_SECURITY_GROUP_ID, config.tags)
    with problems.attempt():
        backend = _backend_group(context) if context.settings.enable_backend_security_group else None
    problems.raise_if_any()
    managed = SecurityGroup(
        id=MANAGED_SECURITY_GROUP_ID,
        name=context.names.managed_security_group(),
        description=_DESCRIPTION,
        vpc_id=context.inventory.vpc_id,
        ingress=inbound.rules | choice.kept,
        tags=tags,
    )
    own = Ref(managed.id)
    return SecurityGroupDecision(
        attached=(own,) if backend is None else (own, backend),
        managed=managed,
        backend_source=own if backend is None else backend,
        findings=inbound.findings,
    )


def _given(
    choice: GivenSecurityGroups, config: LoadBalancerConfig, context: BuildContext
) -> SecurityGroupDecision:
    problems = ProblemCollector()
    backend: SecurityGroupId | None = None
    with problems.attempt():
        groups = _resolve(choice, context)
    with problems.attempt():
        if choice.manage_backend_rules:
            _check_backend_enabled(config, context)
            backend = _backend_group(context)
    problems.raise_if_any()
    attached = tuple(dict.fromkeys(groups if backend is None else (*groups, backend)))
    return SecurityGroupDecision(
        attached=attached,
        managed=None,
        backend_source=backend,
        findings=_check_quota(choice, len(attached), context),
    )


def _kept(context: BuildContext) -> SecurityGroupDecision:
    existing, backend = context.inventory.existing, context.inventory.backend_security_group
    attached = existing.security_groups if existing is not None else ()
    return SecurityGroupDecision(
        attached=attached, managed=None, backend_source=backend if backend in attached else None
    )


def _check_quota(choice: GivenSecurityGroups, count: int, context: BuildContext) -> tuple[Finding, ...]:
    most, usual = MOST_SECURITY_GROUPS_PER_NETWORK_INTERFACE, SECURITY_GROUPS_PER_NETWORK_INTERFACE
    if count > most:
        raise InvalidConfig(
            context.problem(
                choice.field,
                f"AWS takes at most {most} security groups for a load balancer, and with the shared one "
                f"these are {count}",
                value=", ".join(choice.names),
            )
        )
    if count <= usual:
        return ()
    return (
        context.warning(
            FindingReason.OVER_DEFAULT_QUOTA,
            f"{choice.field}: the load balancer has {count} security groups, and without a raised quota "
            f"AWS takes {usual}",
        ),
    )


def _check_backend_enabled(config: LoadBalancerConfig, context: BuildContext) -> None:
    if not context.settings.enable_backend_security_group:
        raise InvalidConfig(
            context.problem(
                config.fields.manage_backend_rules,
                "needs the shared backend security group, and --enable-backend-security-group is false",
                value="true",
            )
        )


def _backend_group(context: BuildContext) -> SecurityGroupId:
    if context.settings.backend_security_group:
        return SecurityGroupId(context.settings.backend_security_group)
    if context.inventory.backend_security_group is None:
        raise NotReady(
            "the shared backend security group does not exist yet", retry_after=BACKEND_GROUP_RETRY_SECONDS
        )
    return context.inventory.backend_security_group


def _resolve(choice: GivenSecurityGroups, context: BuildContext) -> tuple[SecurityGroupId, ...]:
    """Return the groups a user names; a name stands for every group that has it."""
    facts = sorted(context.inventory.security_groups.values(), key=lambda group: group.id)
    known: dict[str, list[SecurityGroupId]] = {group.id: [group.id] for group in facts}
    for group in facts:
        # What looks like an id is one, so a tag cannot stand in for it.
        if group.name and not group.name.startswith(_ID_PREFIX):
            known.setdefault(group.name, []).append(group.id)
    names = tuple(dict.fromkeys(choice.names))
    found = [name for name in names if name in known]
    if missing := [name for name in names if name not in known]:
        raise InvalidConfig(*_not_found(choice, context, (missing, found), known))
    return tuple(dict.fromkeys(id_ for name in names for id_ in known[name]))


def _not_found(
    choice: GivenSecurityGroups,
    context: BuildContext,
    sorted_out: tuple[list[str], list[str]],
    known: Iterable[str],
) -> Iterable[Problem]:
    missing, found = sorted_out
    for name in missing:
        what = "id" if name.startswith(_ID_PREFIX) else "Name tag"
        yield context.problem(
            choice.field,
            f"no security group of {context.inventory.vpc_id} has this {what}"
            + (f"; the others named are found: {', '.join(found)}" if found else ""),
            value=name,
            hint=did_you_mean(name, known),
        )

"""What a TargetGroupBinding means for the target group it names, and whether the two fit together. Pure.

LBC completes and checks bindings in admission webhooks. Here the same rules run with every reconcile, so they
hold without any webhook: a field that is absent is taken from AWS, one that is there must agree with AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from lbcontroller.build.quic import QUIC_PROTOCOLS
from lbcontroller.cluster.binding import Binding
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.enums import Protocol, TargetType
from lbcontroller.model.findings import Finding, FindingReason, Severity
from lbcontroller.model.ids import Arn, VpcId
from lbcontroller.model.observed import TargetGroupFact
from lbcontroller.model.resources import BindingSpec

_VPC_ID: Final = re.compile(r"vpc-([0-9a-f]{8}|[0-9a-f]{17}|[0-9a-f]{32})")


def complete_spec(binding: Binding, fact: TargetGroupFact) -> BindingSpec:
    """Return the spec with every absent field as its target group has it.

    Raises:
        InvalidConfig: with everything in which binding and target group contradict each other.
    """
    spec = binding.spec
    problems = (*_own_problems(binding, spec.target_type or fact.target_type), *_disagreements(binding, fact))
    if problems:
        raise InvalidConfig(*problems)
    return replace(
        spec,
        target_group=fact.arn,
        target_type=TargetType(fact.target_type),
        protocol=spec.protocol or _protocol(fact),
        ip_address_type=spec.ip_address_type or fact.ip_address_type,
        vpc_id=spec.vpc_id or fact.vpc_id,
    )


def check_alone(binding: Binding) -> None:
    """Check what needs no fact of AWS.

    Raises:
        InvalidConfig: with everything in which the binding contradicts itself.
    """
    problems = tuple(_own_problems(binding, binding.spec.target_type or ""))
    if not target_group_name(binding.spec) and not binding.spec.target_group:
        problems = (_without_target_group(binding), *problems)
    if problems:
        raise InvalidConfig(*problems)


def _without_target_group(binding: Binding) -> Problem:
    return _problem(
        binding,
        "targetGroupARN",
        "",
        "expected the ARN of a target group, or its name as spec.targetGroupName",
    )


def target_group_missing(binding: Binding) -> InvalidConfig:
    """Return what to raise for a binding whose target group AWS does not know."""
    arn, name = binding.spec.target_group, binding.spec.target_group_name
    return InvalidConfig(
        Problem(
            subject=binding.subject,
            field="spec.targetGroupARN" if arn else "spec.targetGroupName",
            value=str(arn or name or ""),
            expected="AWS knows no such target group in this region and account",
            hint="create it again, or delete the binding",
        )
    )


def older_rival(binding: Binding, others: Iterable[Binding]) -> Binding | None:
    """Return the binding that has the target group of `binding` instead of it, if there is one.

    Several bindings may share a target group when every one of them says that it is shared. Otherwise the
    oldest one has it; one that is being deleted has given it up.
    """
    rivals = [other for other in others if is_rival(binding, other) and not other.meta.deleting]
    if all(each.spec.multi_cluster for each in (binding, *rivals)):
        return None
    older = [other for other in rivals if _age(other) < _age(binding)]
    return min(older, key=_age, default=None)


def is_rival(binding: Binding, other: Binding) -> bool:
    """Return whether another binding names the same target group.

    Names are compared where one of the two gives no ARN: a name is unique in its region and account.
    """
    mine, theirs = binding.spec, other.spec
    if binding.meta.uid == other.meta.uid:
        return False
    if mine.target_group and theirs.target_group:
        return mine.target_group == theirs.target_group
    return (
        bool(target_group_name(mine))
        and target_group_name(mine) == target_group_name(theirs)
        and mine.role_arn == theirs.role_arn
    )


def taken(binding: Binding, holder: Binding) -> InvalidConfig:
    """Return what to raise for a binding whose target group another one has."""
    field, value = (
        ("spec.targetGroupARN", str(binding.spec.target_group))
        if binding.spec.target_group
        else ("spec.targetGroupName", binding.spec.target_group_name or "")
    )
    return InvalidConfig(
        Problem(
            subject=binding.subject,
            field=field,
            value=value,
            expected=f"{holder.subject} has this target group already, and is older",
            hint="delete one of the two, or set spec.multiClusterTargetGroup: true in all of them",
        )
    )


def moved(binding: Binding, former: Arn) -> Finding:
    """Return what to tell when a binding names another target group than before."""
    arn, name = binding.spec.target_group, binding.spec.target_group_name
    field, value = ("targetGroupARN", arn) if arn else ("targetGroupName", name)
    return Finding(
        severity=Severity.WARNING,
        subject=binding.subject,
        reason=FindingReason.TARGET_GROUP_CHANGED,
        message=(
            f"spec.{field}: {str(value)!r}: the binding had {former} before; its targets are registered in "
            "the new target group and not in the former one any more (make a new binding instead: the "
            "admission webhooks refuse this change)"
        ),
    )


def target_group_name(spec: BindingSpec) -> str:
    """Return the name of the target group that a spec names by ARN or name; empty for none."""
    parts = str(spec.target_group or "").split("/")
    return parts[1] if len(parts) > 1 else spec.target_group_name or ""


def arn_of(spec: BindingSpec) -> Arn:
    """Return the ARN of a completed spec's target group."""
    return Arn(str(spec.target_group))


def _age(binding: Binding) -> tuple[object, ...]:
    return binding.meta.created_at, binding.meta.name


def _own_problems(binding: Binding, target_type: str) -> Iterator[Problem]:
    spec = binding.spec
    if spec.node_selector is not None and target_type == TargetType.IP:
        yield _problem(
            binding, "nodeSelector", "", "selects nodes, but pods are registered with target type ip"
        )
    if spec.role_arn and target_type == TargetType.INSTANCE:
        yield _problem(
            binding,
            "iamRoleArnToAssume",
            spec.role_arn,
            "only target type ip works with target groups of another account",
        )
    if spec.protocol in QUIC_PROTOCOLS and target_type == TargetType.INSTANCE:
        yield _problem(binding, "targetGroupProtocol", str(spec.protocol), "needs target type ip")


def _disagreements(binding: Binding, fact: TargetGroupFact) -> Iterator[Problem]:
    spec = binding.spec
    if fact.target_type not in {TargetType.INSTANCE, TargetType.IP}:
        yield _problem(
            binding,
            "targetType",
            fact.target_type,
            "the target group's type cannot be bound to a Service",
            hint="use a target group of type ip or instance",
        )
    elif spec.target_type is not None and spec.target_type != fact.target_type:
        yield _differs(binding, "targetType", spec.target_type, fact.target_type)
    if spec.ip_address_type is not None and spec.ip_address_type is not fact.ip_address_type:
        yield _differs(binding, "ipAddressType", spec.ip_address_type, fact.ip_address_type)
    if spec.protocol is not None and spec.protocol != fact.protocol:
        yield _differs(binding, "targetGroupProtocol", spec.protocol, fact.protocol)
    if spec.vpc_id is not None:
        yield from _vpc_problems(binding, spec.vpc_id, fact)


def _vpc_problems(binding: Binding, vpc_id: VpcId, fact: TargetGroupFact) -> Iterator[Problem]:
    if not _VPC_ID.fullmatch(vpc_id):
        yield _problem(
            binding, "vpcID", vpc_id, "expected vpc- and 8, 17 or 32 lower-case hexadecimal digits"
        )
    elif vpc_id != fact.vpc_id:
        yield _differs(binding, "vpcID", vpc_id, fact.vpc_id or "none")


def _differs(binding: Binding, field: str, value: str, observed: str) -> Problem:
    return _problem(
        binding,
        field,
        value,
        f"the target group has {str(observed)!r}",
        hint="leave the field out to follow AWS",
    )


def _problem(binding: Binding, field: str, value: str, expected: str, *, hint: str = "") -> Problem:
    return Problem(
        subject=binding.subject, field=f"spec.{field}", value=str(value), expected=expected, hint=hint
    )


def _protocol(fact: TargetGroupFact) -> Protocol | None:
    return Protocol(fact.protocol) if fact.protocol in set(Protocol) else None

"""TargetGroupBindings: absent fields are filled in, and what cannot work or must not change is refused. Pure.

The same rules hold at every reconcile (`build.target_group_facts`), so a binding that came past the webhooks
is safe, too; here its author learns of them before it is stored. What only AWS can tell is left to the
reconcile when AWS does not answer.

What an update may do to a field, after absent ones were filled in:

| field           | absent → given               | given → absent | changed                       |
|-----------------|------------------------------|----------------|-------------------------------|
| targetGroupARN  | of the target group it names | refused        | refused                       |
| targetGroupName | allowed                      | allowed        | refused while there is no ARN |
| targetType      | what AWS has                 | refused        | to what AWS has               |
| ipAddressType   | what AWS has, else `ipv4`    | refused        | to what AWS has               |
| vpcID           | what AWS has, else our own   | refused        | to what AWS has               |
| anything else   | allowed                      | allowed        | allowed                       |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from lbcontroller.build.target_group_facts import (
    check_alone,
    complete_spec,
    is_rival,
    target_group_missing,
    target_group_name,
)
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.objects import JsonObject
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.enums import BACKEND_TARGET_TYPES, TargetIpAddressType
from lbcontroller.model.fields import Known
from lbcontroller.model.ids import VpcId
from lbcontroller.model.observed import TargetGroupFact
from lbcontroller.model.resources import BindingSpec
from lbcontroller.webhooks.objections import Objection

Fact: TypeAlias = Known[TargetGroupFact | None]
"""What AWS says about a target group: None that there is none; `UNKNOWN` when it has not answered."""


class Check(StrEnum):
    """What a binding is refused for; the words of LBC, as the label of its metric."""

    REQUIRED = "checkRequiredFields"
    IMMUTABLE = "checkImmutableFields"
    NODE_SELECTOR = "checkNodeSelector"
    ROLE = "checkAssumeRoleConfig"
    TAKEN = "checkExistingTargetGroups"
    IP_ADDRESS_TYPE = "checkTargetGroupIPAddressType"
    VPC = "checkTargetGroupVpcID"
    PROTOCOL = "checkTargetGroupProtocol"


_CHECK_OF_FIELD: Final = {
    "spec.nodeSelector": Check.NODE_SELECTOR,
    "spec.iamRoleArnToAssume": Check.ROLE,
    "spec.ipAddressType": Check.IP_ADDRESS_TYPE,
    "spec.vpcID": Check.VPC,
    "spec.targetGroupProtocol": Check.PROTOCOL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """The target group that a binding names, and with whose permissions it is looked for."""

    arn: str
    name: str
    role_arn: str
    external_id: str


def sought(spec: JsonObject) -> Sought | None:
    """Return which target group a spec that nobody has validated yet is about; None when it names none."""
    texts = {
        key: value
        for key in ("targetGroupARN", "targetGroupName", "iamRoleArnToAssume", "assumeRoleExternalId")
        if isinstance(value := spec.get(key), str)
    }
    found = Sought(
        arn=texts.get("targetGroupARN", ""),
        name=texts.get("targetGroupName", ""),
        role_arn=texts.get("iamRoleArnToAssume", ""),
        external_id=texts.get("assumeRoleExternalId", ""),
    )
    return found if found.arn or found.name else None


def is_complete(spec: JsonObject) -> bool:
    """Whether there is nothing to fill in, as in all bindings that this controller or LBC writes."""
    keys = ("targetGroupARN", "targetType", "ipAddressType", "vpcID", "targetGroupProtocol")
    return all(spec.get(key) for key in keys)


def completed(spec: JsonObject, fact: TargetGroupFact) -> Mapping[str, Any]:
    """Return a spec in which absent fields say what AWS has; those that are there stay as they are."""
    known = {
        "targetGroupARN": fact.arn,
        "targetType": fact.target_type if fact.target_type in BACKEND_TARGET_TYPES else None,
        "ipAddressType": fact.ip_address_type.value,
        "vpcID": fact.vpc_id,
        "targetGroupProtocol": fact.protocol or None,
    }
    return {**spec, **{key: value for key, value in known.items() if value and not spec.get(key)}}


def objections_to_creation(binding: Binding, others: Iterable[Binding], fact: Fact) -> tuple[Objection, ...]:
    """Return everything that keeps a new binding from working.

    Args:
        binding: the binding.
        others: those that name the same target group.
        fact: what AWS says about it.
    """
    problems = list(_alone(binding))
    if fact is None and not problems:
        problems += target_group_missing(binding).problems
    elif isinstance(fact, TargetGroupFact):
        try:
            complete_spec(binding, fact)
        except InvalidConfig as error:
            problems += error.problems
    found = [
        Objection(_CHECK_OF_FIELD.get(problem.field, Check.REQUIRED), problem)
        for problem in dict.fromkeys(problems)
    ]
    return (*found, *_taken(binding, others))


def objections_to_update(
    before: Binding, binding: Binding, others: Iterable[Binding], fact: Fact, own_vpc: VpcId
) -> tuple[Objection, ...]:
    """Return everything that an update changes and must not, or breaks.

    An update that leaves the spec alone, or an object that is being deleted, is never objected to: who takes
    a finalizer off did not write the spec.

    Args:
        before: the binding as it is stored.
        binding: as it is to be.
        others: those that name the same target group.
        fact: what AWS says about it.
        own_vpc: the VPC of the cluster.
    """
    if binding.meta.deleting or before.spec == binding.spec:
        return ()
    changes = (
        *_changed_target_group(before.spec, binding),
        *_changed_kind(before.spec, binding, fact, own_vpc),
    )
    found = [
        *(Objection(Check.IMMUTABLE, problem) for problem in changes),
        *(
            Objection(_CHECK_OF_FIELD.get(problem.field, Check.REQUIRED), problem)
            for problem in _alone(binding)
        ),
    ]
    if _claim(before.spec) != _claim(binding.spec):
        found += _taken(binding, others)
    return tuple(found)


def needs_fact(before: Binding, binding: Binding) -> bool:
    """Whether what AWS says decides about an update."""
    return _kind(before.spec) != _kind(binding.spec)


def _alone(binding: Binding) -> tuple[Problem, ...]:
    try:
        check_alone(binding)
    except InvalidConfig as error:
        return error.problems
    return ()


def _taken(binding: Binding, others: Iterable[Binding]) -> Iterator[Objection]:
    """Yield an objection when another binding has the target group, and not both say that it is shared."""
    rivals = [other for other in others if is_rival(binding, other) and not other.meta.deleting]
    if rivals and not all(each.spec.multi_cluster for each in (binding, *rivals)):
        names = ", ".join(sorted(other.subject for other in rivals))
        spec = binding.spec
        problem = _problem(
            binding,
            "targetGroupARN" if spec.target_group else "targetGroupName",
            str(spec.target_group or spec.target_group_name),
            f"belongs to {names} already",
            hint="delete one of them, or set spec.multiClusterTargetGroup: true in all of them",
        )
        yield Objection(Check.TAKEN, problem)


def _claim(spec: BindingSpec) -> tuple[object, ...]:
    return spec.target_group, spec.target_group_name, spec.multi_cluster


def _kind(spec: BindingSpec) -> Mapping[str, str]:
    """Return the fields that say what kind of target group it is; absent ones are empty."""
    return {
        "targetType": spec.target_type or "",
        "ipAddressType": spec.ip_address_type or "",
        "vpcID": spec.vpc_id or "",
    }


def _changed_target_group(before: BindingSpec, binding: Binding) -> Iterator[Problem]:
    """Yield a problem when the binding would leave its targets behind and take another target group."""
    spec = binding.spec
    if before.target_group:
        if spec.target_group != before.target_group:
            yield _unchangeable(
                binding, "targetGroupARN", str(spec.target_group or ""), str(before.target_group)
            )
    elif target_group_name(spec) != (before.target_group_name or ""):
        field = "targetGroupARN" if spec.target_group else "targetGroupName"
        value = str(spec.target_group or spec.target_group_name or "")
        yield _unchangeable(binding, field, value, f"target group {before.target_group_name}")


def _changed_kind(before: BindingSpec, binding: Binding, fact: Fact, own_vpc: VpcId) -> Iterator[Problem]:
    in_aws = (
        {"targetType": fact.target_type, "ipAddressType": fact.ip_address_type, "vpcID": fact.vpc_id}
        if isinstance(fact, TargetGroupFact)
        else {}
    )
    without_aws = {"ipAddressType": TargetIpAddressType.IPV4, "vpcID": own_vpc}
    had = _kind(before)
    for field, value in _kind(binding.spec).items():
        may_become = in_aws.get(field) if in_aws else None if had[field] else without_aws.get(field)
        if value not in (had[field], may_become):
            yield _unchangeable(binding, field, value, had[field] or "absent")


def _unchangeable(binding: Binding, field: str, value: str, before: str) -> Problem:
    return _problem(
        binding,
        field,
        value,
        f"cannot be changed; it was {before}" if value else f"cannot be left out; it was {before}",
        hint="delete the binding and create another one",
    )


def _problem(binding: Binding, field: str, value: str, expected: str, *, hint: str) -> Problem:
    return Problem(
        subject=binding.subject, field=f"spec.{field}", value=str(value), expected=expected, hint=hint
    )

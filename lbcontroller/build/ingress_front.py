"""The load balancers of a group: a setting that cannot be had is left out, and who asked for it is told.

What exists already keeps what it has where a setting is left out. A new load balancer of an Ingress by itself
is not made without a setting that its owner asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from lbcontroller.annotations.declare import declarations
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.build.ingress_load_balancer import (
    WEB_ACL_FIELDS,
    GroupRequest,
    check_load_balancer,
    load_balancer_config,
)
from lbcontroller.build.load_balancer import LoadBalancerParts, build_load_balancer
from lbcontroller.config.load_balancer import KeptSecurityGroups, LoadBalancerConfig
from lbcontroller.errors import InvalidConfig, NotReady, Problem
from lbcontroller.model.findings import Finding

T = TypeVar("T")

_SECURITY: Final = frozenset({"security_groups", "manage_backend_security_group_rules"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A load balancer, and what could not be had for it."""

    parts: LoadBalancerParts
    asked: IngressAnnotations
    """Without what could not be had."""
    problems: tuple[Problem, ...]
    """Each with the member that asked for it."""
    findings: tuple[Finding, ...]
    waits: tuple[NotReady, ...] = ()
    """For what is not known yet, and stays as it is until then."""


def build_front(request: GroupRequest) -> Outcome:
    """Return the load balancer of a group.

    Raises:
        InvalidConfig: when there is no load balancer without the setting that cannot be had.
        NotReady: when something it needs is not there yet.
    """
    problems: list[Problem] = []
    waits: list[NotReady] = []
    while True:
        try:
            findings = check_load_balancer(request)
            request, config = _config(request, waits)
            if request.keeps_security_groups:
                config = replace(config, security_groups=KeptSecurityGroups())
            parts = build_load_balancer(config, request.context)
        except InvalidConfig as error:
            attributed = tuple(
                _attributed(problem, request.speakers)
                if problem.subject == request.context.subject
                else problem
                for problem in error.problems
            )
            fields = _fields(error.problems) & _dropped_from(request.asked)
            if not fields or not request.can_do_without:
                raise InvalidConfig(*attributed) from error
            problems += attributed
            request = _without(request, fields)
        else:
            return Outcome(
                parts=parts,
                asked=request.asked,
                problems=tuple(dict.fromkeys(problems)),
                findings=(*findings, *parts.findings),
                waits=tuple(waits),
            )


def _config(request: GroupRequest, waits: list[NotReady]) -> tuple[GroupRequest, LoadBalancerConfig]:
    """Return the load balancer as it is asked for, without a web ACL whose name is still looked up."""
    try:
        return request, load_balancer_config(request)
    except NotReady as error:
        if not request.can_do_without:
            raise
        waits.append(error)
        request = _without(request, WEB_ACL_FIELDS)
        return request, load_balancer_config(request)


def attempt(build: Callable[[], T], speakers: Mapping[str, str]) -> T:
    """Return what `build` returns; its problems name the members that asked for what cannot be had.

    Raises:
        InvalidConfig: as `build` does.
    """
    try:
        return build()
    except InvalidConfig as error:
        raise InvalidConfig(*(_attributed(problem, speakers) for problem in error.problems)) from error


def _attributed(problem: Problem, speakers: Mapping[str, str]) -> Problem:
    return replace(problem, subject=speakers.get(problem.field, problem.subject))


def _fields(problems: Iterable[Problem]) -> frozenset[str]:
    by_key = {declaration.name: declaration.field for declaration in declarations(IngressAnnotations)}
    return frozenset(by_key[problem.field] for problem in problems if problem.field in by_key)


def _dropped_from(asked: IngressAnnotations) -> frozenset[str]:
    """Return the fields that something was asked for: leaving them out changes what is built."""
    return frozenset(asked.model_fields_set)


def _without(request: GroupRequest, fields: frozenset[str]) -> GroupRequest:
    left = {name: getattr(request.asked, name) for name in request.asked.model_fields_set - fields}
    return replace(
        request,
        asked=IngressAnnotations.model_validate(left),
        keeps_security_groups=request.keeps_security_groups or bool(fields & _SECURITY),
        unsure=request.unsure | fields,
    )

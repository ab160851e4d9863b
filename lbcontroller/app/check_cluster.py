"""Checks of the API server: its clock, our definitions, and what we may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import aiohttp

from lbcontroller.app.check_results import CheckResult, Verdict
from lbcontroller.app.leader import DEFAULT_NAMESPACE
from lbcontroller.kube.crd import ingress_class_params, target_group_bindings
from lbcontroller.kube.openapi import Schema
from lbcontroller.kube.permissions import PERMISSIONS, OwnObject, Permission, Place, Verb
from lbcontroller.kube.questions import Access, defined_fields, fields_of, may, time_of
from lbcontroller.kube.resources import ResourceType
from lbcontroller.settings import Settings

SKEW_WARNING_SECONDS: Final = 30.0
SKEW_FAILURE_SECONDS: Final = 300.0
"""AWS takes no request that was signed more than five minutes away (Signature Version 4, IAM User Guide)."""
_DEFINITIONS: Final[Mapping[ResourceType, Callable[[], Schema]]] = {
    ResourceType.INGRESS_CLASS_PARAMS: ingress_class_params,
    ResourceType.TARGET_GROUP_BINDINGS: target_group_bindings,
}
_FOR_CERTIFICATES: Final = frozenset({Place.CERTIFICATE, Place.TRUST})
"""Only needed where the controller makes the certificate of its webhooks."""


async def check_clock(session: aiohttp.ClientSession) -> CheckResult:
    """Compare our clock with the API server's."""
    there, here = await time_of(session), datetime.now(UTC)
    if there is None:
        return CheckResult(check="clock", verdict=Verdict.SKIPPED, message="the API server tells no time")
    return of_skew(abs((here - there).total_seconds()))


def of_skew(seconds: float) -> CheckResult:
    """Return what a difference between two clocks means."""
    message = f"differs from the API server's by {seconds:.0f} seconds"
    if seconds <= SKEW_WARNING_SECONDS:
        return CheckResult(check="clock", verdict=Verdict.PASSED, message=message)
    return CheckResult(
        check="clock",
        verdict=Verdict.WARNING if seconds <= SKEW_FAILURE_SECONDS else Verdict.FAILED,
        message=message,
        hint="set the clock: AWS refuses requests from another time",
    )


async def check_definitions(session: aiohttp.ClientSession) -> tuple[CheckResult, ...]:
    """Return whether our custom resources are defined, with every field that we use."""
    return tuple(
        [
            of_definition(resource, made(), await defined_fields(session, resource))
            for resource, made in _DEFINITIONS.items()
        ]
    )


def of_definition(resource: ResourceType, ours: Schema, defined: frozenset[str] | None) -> CheckResult:
    """Compare the fields that are defined with those of our definition."""
    check, apply_ours = f"definition of {resource.qualified}", "apply the files in helm/lbcontroller/crds"
    if defined is None:
        return CheckResult(check=check, verdict=Verdict.FAILED, message="is missing", hint=apply_ours)
    if not defined:
        message = "is there; the API server does not tell its fields"
        return CheckResult(check=check, verdict=Verdict.SKIPPED, message=message)
    used = next(
        fields_of(version["schema"]["openAPIV3Schema"])
        for version in ours["spec"]["versions"]
        if version["name"] == resource.version
    )
    if missing := sorted(used - defined):
        return CheckResult(
            check=check,
            verdict=Verdict.WARNING,
            message=f"is of another version, without {', '.join(missing)}: the API server drops these fields",
            hint=apply_ours,
        )
    return CheckResult(check=check, verdict=Verdict.PASSED, message="has every field")


async def check_permissions(
    session: aiohttp.ClientSession, settings: Settings, namespace: str
) -> tuple[CheckResult, ...]:
    """Ask for each declared permission; `namespace` is that of the controller."""
    asked = [each for each in PERMISSIONS if settings.webhook_service or each.place not in _FOR_CERTIFICATES]
    missing: list[CheckResult] = []
    for permission in asked:
        for verb in permission.verbs:
            access = access_of(permission, verb, settings, namespace)
            allowed = await may(session, access)
            if allowed is None:
                message = "the API server does not tell what is granted"
                return (CheckResult(check="permissions", verdict=Verdict.SKIPPED, message=message),)
            if not allowed:
                missing.append(_missing(permission, access))
    if missing:
        return tuple(missing)
    message = f"all {sum(len(each.verbs) for each in asked)} that the controller uses are granted"
    return (CheckResult(check="permissions", verdict=Verdict.PASSED, message=message),)


def access_of(permission: Permission, verb: Verb, settings: Settings, namespace: str) -> Access:
    """Return what to ask for."""
    match permission.place:
        case Place.CLUSTER | Place.TRUST:
            place = ""
        case Place.WATCHED | Place.CHOSEN:
            place = settings.watch_namespace
        case Place.CERTIFICATE:
            place = settings.webhook_service.rpartition("/")[0] or namespace
        case Place.OWN:
            place = settings.leader_election_namespace or namespace or DEFAULT_NAMESPACE
    named = permission.only is not None and verb is not Verb.CREATE
    return Access(
        verb=verb.value,
        resource=permission.resource,
        subresource=permission.subresource,
        namespace=place,
        name=_name_of(permission.only, settings) if named and permission.only is not None else "",
    )


def _name_of(own: OwnObject, settings: Settings) -> str:
    match own:
        case OwnObject.LEASE:
            return settings.leader_election_id
        case OwnObject.WEBHOOK_CERTIFICATE:
            return settings.webhook_secret
        case OwnObject.WEBHOOK_CONFIGURATIONS:
            return settings.webhook_configurations


def _missing(permission: Permission, access: Access) -> CheckResult:
    is_chosen = permission.place is Place.CHOSEN
    return CheckResult(
        check="permissions",
        verdict=Verdict.WARNING if is_chosen else Verdict.FAILED,
        message=f"{access}: is not granted; it is for this: {permission.why}",
        hint="enough where Ingresses name none, or with a Role in the namespaces of those that do"
        if is_chosen
        else "see docs/reference/cluster-permissions.md",
    )

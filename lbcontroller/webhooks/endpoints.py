"""What is answered at each path: the registrations tied to the decisions."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from lbcontroller.build.target_group_facts import target_group_name
from lbcontroller.cluster.binding import Binding
from lbcontroller.cluster.ingress import Ingress
from lbcontroller.cluster.ingress_class import IngressClassParams
from lbcontroller.cluster.objects import JsonObject, mapping
from lbcontroller.cluster.quic import SERVER_ID_BYTES
from lbcontroller.model.fields import UNKNOWN
from lbcontroller.model.identity import identify_labels
from lbcontroller.settings import Settings
from lbcontroller.webhooks import registration
from lbcontroller.webhooks.bindings import (
    Fact,
    completed,
    is_complete,
    needs_fact,
    objections_to_creation,
    objections_to_update,
    sought,
)
from lbcontroller.webhooks.class_params import check_class_params
from lbcontroller.webhooks.deregistration import deregistration_delays
from lbcontroller.webhooks.drain import DrainPolicy, coordinate_drain
from lbcontroller.webhooks.facts import Facts
from lbcontroller.webhooks.ingresses import check_ingress
from lbcontroller.webhooks.objections import verdict
from lbcontroller.webhooks.readiness_gates import with_readiness_gates
from lbcontroller.webhooks.registration import Registration
from lbcontroller.webhooks.review import Admitted, Operation, Review, Verdict
from lbcontroller.webhooks.selection import Selected, selected_by
from lbcontroller.webhooks.server_ids import with_server_ids
from lbcontroller.webhooks.services import with_class, with_class_kept

Answer: TypeAlias = Callable[[Review], Verdict]
ADMITTED: Final = Admitted()
_WRITES: Final = frozenset({Operation.CREATE, Operation.UPDATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the settings say."""

    readiness_gates: bool
    drain: DrainPolicy
    server_id_variable: str
    load_balancer_class: str
    settings: Settings
    """Those by which Ingresses are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A path and who answers there."""

    registration: Registration
    answer: Answer
    may_wait: bool = False
    """Whether an answer may take a while, as for a question to AWS."""


def endpoints(facts: Facts, policy: Policy) -> tuple[Endpoint, ...]:
    """Return every endpoint; another webhook is a registration, a method that answers, and a line here."""
    answers = _Answers(facts, policy)
    return (
        Endpoint(registration=registration.READINESS_GATES, answer=answers.readiness_gates),
        Endpoint(registration=registration.DRAIN, answer=answers.drain),
        Endpoint(registration=registration.SERVER_IDS, answer=answers.server_ids),
        Endpoint(registration=registration.SERVICE_CLASS, answer=answers.service_class),
        Endpoint(registration=registration.COMPLETE_BINDING, answer=answers.complete_binding, may_wait=True),
        Endpoint(registration=registration.CHECK_BINDING, answer=answers.check_binding, may_wait=True),
        Endpoint(registration=registration.CHECK_INGRESS, answer=answers.check_ingress, may_wait=True),
        Endpoint(registration=registration.CHECK_CLASS_PARAMS, answer=answers.check_class_params),
    )


class _Answers:
    """One method for each webhook. What is not asked for by its registration is admitted as it is."""

    def __init__(self, facts: Facts, policy: Policy) -> None:
        self._facts = facts
        self._policy = policy

    def readiness_gates(self, review: Review) -> Verdict:
        if review.operation is not Operation.CREATE or not self._policy.readiness_gates:
            return ADMITTED
        return Admitted(obj=with_readiness_gates(review.obj, self._selected(review)))

    def drain(self, review: Review) -> Verdict:
        if review.operation is not Operation.CREATE:
            return ADMITTED
        selected = self._selected(review)
        delays = deregistration_delays(selected, self._facts.attributes)
        coordinated = coordinate_drain(review.obj, selected, delays, self._policy.drain)
        return Admitted(obj=coordinated.pod, findings=coordinated.findings)

    def server_ids(self, review: Review) -> Verdict:
        if review.operation is not Operation.CREATE:
            return ADMITTED
        identified = with_server_ids(
            review.obj,
            subject=review.subject,
            variable=self._policy.server_id_variable,
            new_id=lambda: secrets.token_bytes(SERVER_ID_BYTES),
        )
        return Admitted(obj=identified.pod, findings=identified.findings)

    def service_class(self, review: Review) -> Verdict:
        match review.operation:
            case Operation.CREATE:
                return Admitted(obj=with_class(review.obj, self._policy.load_balancer_class))
            case Operation.UPDATE:
                return Admitted(obj=with_class_kept(review.obj, review.before))
            case _:
                return ADMITTED

    def complete_binding(self, review: Review) -> Verdict:
        spec = review.obj.get("spec")
        if not isinstance(spec, dict) or is_complete(spec) or _is_deleting(review.obj):
            return ADMITTED
        named = sought(spec)
        fact = self._facts.target_group(named) if named is not None else None
        if fact is None or fact is UNKNOWN:
            return ADMITTED
        return Admitted(obj={**review.obj, "spec": completed(spec, fact)})

    def check_binding(self, review: Review) -> Verdict:
        match review.operation:
            case Operation.CREATE:
                binding = _binding(review, review.obj)
                fact = UNKNOWN if _was_made_by_a_stack(review.obj) else self._fact(review)
                objections = objections_to_creation(binding, self._others(binding), fact)
            case Operation.UPDATE:
                before, binding = _binding(review, review.before), _binding(review, review.obj)
                fact = self._fact(review) if needs_fact(before, binding) else UNKNOWN
                own_vpc = self._facts.own_vpc
                objections = objections_to_update(before, binding, self._others(binding), fact, own_vpc)
            case _:
                objections = ()
        return verdict(objections)

    def check_ingress(self, review: Review) -> Verdict:
        if review.operation not in _WRITES:
            return ADMITTED
        ingress = Ingress.from_object(_named(review, review.obj))
        before = Ingress.from_object(_named(review, review.before)) if review.before else None
        classes = self._facts.classes(ingress, before)
        return check_ingress(ingress, before, classes, self._policy.settings)

    def check_class_params(self, review: Review) -> Verdict:
        if review.operation not in _WRITES:
            return ADMITTED
        params = IngressClassParams.from_object(_named(review, review.obj))
        before = IngressClassParams.from_object(_named(review, review.before)) if review.before else None
        return check_class_params(params, before)

    def _selected(self, review: Review) -> tuple[Selected, ...]:
        services = self._facts.services_in(review.namespace)
        return selected_by(review.obj, services, self._facts.bindings_of_service)

    def _fact(self, review: Review) -> Fact:
        named = sought(mapping(review.obj, "spec"))
        return self._facts.target_group(named) if named is not None else UNKNOWN

    def _others(self, binding: Binding) -> tuple[Binding, ...]:
        return self._facts.same_target_group(target_group_name(binding.spec))


def _binding(review: Review, obj: JsonObject) -> Binding:
    return Binding.from_object(_named(review, obj))


def _named(review: Review, obj: JsonObject) -> JsonObject:
    """Return an object whose name may not be generated yet with what there is in its place."""
    meta = mapping(obj, "metadata")
    name = meta.get("name") or review.name or f"{meta.get('generateName') or ''}…"
    return {**obj, "metadata": {**meta, "name": name, "namespace": review.namespace}}


def _is_deleting(obj: JsonObject) -> bool:
    return bool(mapping(obj, "metadata").get("deletionTimestamp"))


def _was_made_by_a_stack(obj: JsonObject) -> bool:
    """Whether a controller wrote the binding, with every field: there is nothing to ask AWS for."""
    labels = mapping(mapping(obj, "metadata"), "labels")
    return identify_labels(labels) is not None and is_complete(mapping(obj, "spec"))

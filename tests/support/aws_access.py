"""Everything of `lbcontroller.aws` wired to the embedded AWS, and what it asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from lbcontroller.aws.apply import Applier
from lbcontroller.aws.backend_rules import BackendRules
from lbcontroller.aws.caller import AwsCaller, CallRecord, Timing
from lbcontroller.aws.inventory import InventorySource
from lbcontroller.aws.load import Loader
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.observe import Observer
from lbcontroller.aws.operations import AwsService
from lbcontroller.aws.session import AwsClients, open_session
from lbcontroller.aws.targets import Targets
from lbcontroller.aws.throttle import Throttle
from lbcontroller.cluster.key_pairs import KeyPair
from lbcontroller.keys import ObjectName
from lbcontroller.local.aws import LocalAws
from lbcontroller.local.aws.recorder import mutating
from lbcontroller.local.aws.world import SeededWorld, World, seed
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import Arn, SubnetId, VpcId
from lbcontroller.model.observed import Observed
from lbcontroller.model.references import Kind, ResourceId
from lbcontroller.model.resources import (
    LoadBalancer,
    Resource,
    SecurityGroup,
    Stack,
    TargetGroup,
    TargetGroupBinding,
)
from lbcontroller.model.subnet_mappings import SubnetMapping
from lbcontroller.plan.differences import Scope, compare
from lbcontroller.plan.order import dependency_order
from lbcontroller.plan.planner import plan
from lbcontroller.plan.steps import Change, Create, Plan, Step, Update
from lbcontroller.settings import Settings
from tests.support.nlb_stacks import CLUSTER, a_policy


class AwsUnderTest:
    """One cluster's view of the embedded AWS; `restart` is a new process with an empty memory."""

    def __init__(self, aws: LocalAws, world: World | SeededWorld | None = None) -> None:
        """Use an account: an empty one with a world in it, or one that has its world already."""
        self.aws = aws
        self.world = (
            world
            if isinstance(world, SeededWorld)
            else seed(aws, world or World(cluster_name=CLUSTER, nodes=0))
        )
        self.cluster = self.world.world.cluster_name
        self.secrets: dict[ObjectName, KeyPair] = {}
        self.leading = True
        self.records: list[CallRecord] = []
        self.slept: list[float] = []
        self.restart()
        aws.clear_calls()

    def restart(self) -> None:
        """Forget everything that is kept in memory."""
        self.caller = AwsCaller(
            clients_of(self.aws),
            throttle=Throttle(),
            may_write=lambda: self.leading,
            on_call=self.records.append,
            timing=Timing(sleep=self.slept.append),
        )
        self.lost: list[StackId] = []
        self.mirror = Mirror(on_lost=self.lost.append)
        self.loader = Loader(
            caller=self.caller, mirror=self.mirror, cluster=self.cluster, vpc_id=VpcId(self.world.vpc_id)
        )
        self.observer = Observer(self.caller, self.mirror, complete=self.loader.complete)
        self.targets = Targets(self.caller, self.mirror)
        self.rules = BackendRules(self.caller, self.mirror)
        self.applier = Applier(self.caller, self.mirror, cluster=self.cluster, secrets=self.secrets.get)

    def inventory(
        self, *, flags: Mapping[str, str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> InventorySource:
        """Return a source of facts with these flags, by field name; nothing is read yet."""
        settings = self.settings(**(flags or {}))
        return InventorySource(self.caller, self.mirror, settings, VpcId(self.world.vpc_id), clock=clock)

    def settings(self, **flags: str) -> Settings:
        """Return settings with these flags, by field name."""
        return Settings.parse(
            {"cluster-name": self.cluster, **{name.replace("_", "-"): text for name, text in flags.items()}}
        )

    def calls(self, *, since: int = 0) -> list[str]:
        """Return what was called, in order: for elbv2 the operation, for others with the service in front."""
        names = [call.name for call in self.aws.calls[since:]]
        return [name.removeprefix("elbv2:") for name in names]

    def writes(self) -> list[str]:
        """Return the calls that may have changed something."""
        return [call.operation for call in mutating(self.aws.calls)]

    def params(self, operation: str) -> list[Mapping[str, Any]]:
        """Return the parameters of each call of an operation."""
        return [call.params for call in self.aws.calls if call.operation == operation]

    def called(self, act: Callable[[], object]) -> list[str]:
        """Return what was called while `act` ran."""
        before = len(self.aws.calls)
        act()
        return self.calls(since=before)

    def here(self, stack: Stack) -> Stack:
        """Return the part of a desired stack that is in AWS, with this account's VPC and private subnets."""
        return Stack(
            stack.id,
            tuple(
                self._here(resource)
                for resource in stack.resources
                if not isinstance(resource, TargetGroupBinding)
            ),
        )

    def plan(self, stack: Stack, **policy: Any) -> Plan:
        """Plan from what is observed."""
        self.observer.complete(stack.id)
        self.observer.read_unknown(stack)
        observed: tuple[Observed, ...] = self.observer.observe(stack.id)
        return plan(stack, observed, a_policy(**policy))

    def execute(self, steps: Iterable[Step], kept: Mapping[ResourceId, Arn]) -> dict[ResourceId, Arn]:
        """Take steps and return the ARNs of what exists."""
        steps, arns = tuple(steps), dict(kept)
        self.applier.prepare(steps)
        for step in steps:
            arn = self.applier.execute(step, arns)
            if hasattr(step, "resource"):
                arns[step.resource.id] = arn
        return arns

    def reconcile(self, stack: Stack, **policy: Any) -> Plan:
        """Plan and carry the plan out."""
        made = self.plan(stack, **policy)
        self.execute(made.steps, made.kept)
        return made

    def make(self, stack: Stack) -> dict[ResourceId, Arn]:
        """Create everything of a stack, without a plan, and return the ARNs."""
        steps = [
            Create(resource=resource, reason="asked for") for resource in dependency_order(stack.resources)
        ]
        return self.execute(steps, {})

    def change(self, stack: Stack, id_: ResourceId, *fields: str, **options: Any) -> None:
        """Update fields of a resource to what a stack says, without a plan; tags by `tags.<key>`."""
        arns = self.arns(stack)
        [desired] = [resource for resource in stack.resources if resource.id == id_]
        changes = tuple(
            Change(field=name, before=None, after=_value(desired, name)) for name in sorted(fields)
        )
        step = Update(resource=desired, arn=arns[id_], changes=changes, reason="asked for", **options)
        self.applier.execute(step, arns)

    def arns(self, stack: Stack) -> dict[ResourceId, Arn]:
        """Return the ARNs of what the mirror has of a stack."""
        return {item.resource.id: item.arn for item in self.observer.observe(stack.id)}

    def differences(self, stack: Stack) -> dict[ResourceId, tuple[str, ...]]:
        """Return the fields in which what a new process finds is not as a stack says; empty when all is."""
        found = self._found_again(stack)
        assert sorted(found) == sorted(resource.id for resource in stack.resources)
        compared = {resource.id: self.differences_in(found, resource) for resource in stack.resources}
        return {id_: fields for id_, fields in compared.items() if fields}

    def differences_of(self, stack: Stack, id_: ResourceId) -> tuple[str, ...]:
        """Return the fields in which a new process finds one resource not to be as a stack says."""
        [desired] = [resource for resource in stack.resources if resource.id == id_]
        return self.differences_in(self._found_again(stack), desired)

    def differences_in(self, found: Mapping[ResourceId, Observed], desired: Resource) -> tuple[str, ...]:
        """Return the fields in which what is found is not as desired."""
        arns = {id_: item.arn for id_, item in found.items()}
        scope = Scope(subject="", arns=arns, policy=a_policy(cluster=self.cluster))
        changes = compare(desired, found[desired.id].resource, scope).changes
        return tuple(change.field for change in changes)

    def _found_again(self, stack: Stack) -> Mapping[ResourceId, Observed]:
        self.restart()
        self.loader.load()
        self.observer.read_unknown(stack)
        return {item.resource.id: item for item in self.observer.observe(stack.id)}

    def observed(self, stack: Stack, kind: Kind) -> list[Any]:
        """Return what the mirror has of one kind."""
        return [item for item in self.observer.observe(stack.id) if item.resource.id.kind is kind]

    def _here(self, resource: Resource) -> Resource:
        match resource:
            case SecurityGroup() | TargetGroup():
                return replace(resource, vpc_id=VpcId(self.world.vpc_id))
            case LoadBalancer(subnets=tuple() as mappings):
                return replace(resource, subnets=tuple(self._mapping(mapping) for mapping in mappings))
            case _:
                return resource

    def _mapping(self, mapping: SubnetMapping) -> SubnetMapping:
        zone = mapping.subnet.removeprefix("subnet-")
        return replace(mapping, subnet=SubnetId(self.world.ids[f"subnet.private-{zone}"]))


def _value(desired: Resource, name: str) -> Any:
    part, _, key = name.partition(".")
    value = getattr(desired, part)
    return value.get(key) if key else value


def clients_of(aws: LocalAws) -> AwsClients:
    """Return clients that call the embedded AWS as the program would."""
    environment = aws.environment()
    session = open_session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    endpoints = dict.fromkeys(AwsService, aws.url)
    return AwsClients(session, region=aws.region, endpoints=endpoints)

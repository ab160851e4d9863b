"""Constructs everything that talks to AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from lbcontroller.app.aws_metrics import counted_by
from lbcontroller.app.leader import Fence
from lbcontroller.app.vitals import AwsVitals
from lbcontroller.aws.apply import Applier
from lbcontroller.aws.backend_rules import BackendRules
from lbcontroller.aws.caller import AwsCaller, CallRecord, Clients, Timing
from lbcontroller.aws.certificate_imports import SecretSource
from lbcontroller.aws.discovery import InstanceMetadata, find_region, find_vpc
from lbcontroller.aws.instances import GroupResolver
from lbcontroller.aws.inventory import InventorySource
from lbcontroller.aws.load import Loader
from lbcontroller.aws.mirror import Mirror
from lbcontroller.aws.observe import Observer
from lbcontroller.aws.roles import Role, RoleClients, account_of, session_name
from lbcontroller.aws.session import AwsClients, connect
from lbcontroller.aws.target_accounts import TargetAccounts
from lbcontroller.aws.throttle import Throttle
from lbcontroller.controller.access import AwsAccess
from lbcontroller.model.identity import StackId
from lbcontroller.model.ids import VpcId
from lbcontroller.settings import Settings
from lbcontroller.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccount:
    """The parts that talk to one AWS account and region."""

    access: AwsAccess
    applier: Applier
    rules: BackendRules
    loader: Loader
    vitals: AwsVitals


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the parts that talk to AWS use of the rest of the program."""

    fence: Fence
    """Whether this replica may write."""
    secrets: SecretSource
    """Reads the key pair of a certificate at the moment it is imported."""
    on_lost: Callable[[StackId], None]
    """Told of a stack of which something vanished without our doing."""


def connect_aws(
    settings: Settings,
    environment: Mapping[str, str],
    metrics: Metrics,
    surroundings: Surroundings,
    *,
    clock: Callable[[], float],
    timing: Timing,
) -> AwsAccount:
    """Find region and VPC and construct the parts; nothing of the cluster is read yet.

    Args:
        settings: the flags.
        environment: the process's variables.
        metrics: where calls are counted.
        surroundings: the rest of the program, as far as it concerns AWS.
        clock: decides when what is remembered is too old.
        timing: how calls wait, for our own limits and before they are tried again.

    Raises:
        LbControllerError: region or VPC cannot be found out.
    """
    metadata = InstanceMetadata.of(settings, environment)
    region = find_region(settings, environment, metadata)
    vitals = AwsVitals()
    callers = _Callers(
        settings=settings,
        clients=connect(settings, region),
        fence=surroundings.fence,
        on_call=counted_by(metrics, vitals),
        timing=timing,
    )
    caller = callers.own()
    vpc_id = find_vpc(settings, environment, metadata, caller)
    mirror = Mirror(on_lost=surroundings.on_lost)
    inventory = InventorySource(caller, mirror, settings, vpc_id, clock=clock)
    loader = _loader(settings, caller, mirror, vpc_id)
    return AwsAccount(
        access=AwsAccess(
            inventory=inventory,
            observer=Observer(caller, mirror, complete=loader.complete),
            target_accounts=TargetAccounts(
                caller, mirror, inventory, acting_as=callers.acting_as, clock=clock
            ),
            groups=GroupResolver(caller, inventory, settings, clock=clock),
        ),
        applier=Applier(caller, mirror, cluster=settings.cluster_name, secrets=surroundings.secrets),
        rules=BackendRules(caller, mirror),
        loader=loader,
        vitals=vitals,
    )


def _loader(settings: Settings, caller: AwsCaller, mirror: Mirror, vpc_id: VpcId) -> Loader:
    """Return what reads AWS in bulk: what there can be of ours depends on the feature gates."""
    gates = settings.feature_gates
    return Loader(
        caller=caller,
        mirror=mirror,
        cluster=settings.cluster_name,
        vpc_id=vpc_id,
        listeners_are_tagged=gates.listener_rules_tagging,
        requests_certificates=gates.enable_certificate_management,
    )


_OWN_ACCOUNT: Final = ""
"""Whichever it is; a role of the same account counts as another one's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Callers:
    """Makes callers: one for our own identity, and one for each role that bindings name."""

    settings: Settings
    clients: AwsClients
    fence: Fence
    on_call: Callable[[CallRecord], None]
    timing: Timing
    throttles: dict[str, Throttle] = field(default_factory=dict)
    """By account, because AWS limits the calls of an account, whoever makes them."""

    def own(self) -> AwsCaller:
        """Return a caller with the identity of this process."""
        return self._through(self.clients, _OWN_ACCOUNT)

    def acting_as(self, role: Role) -> AwsCaller:
        """Return a caller with the identity of a role, under the limits of the role's account."""
        clients = RoleClients(
            role,
            caller=self.own(),
            clients=self.clients,
            session_name=session_name(self.settings.cluster_name),
            now=lambda: datetime.now(UTC),
        )
        return self._through(clients, account_of(role.arn))

    def _through(self, clients: Clients, account: str) -> AwsCaller:
        fresh = Throttle(self.settings.aws_api_throttle, clock=self.timing.clock, sleep=self.timing.sleep)
        return AwsCaller(
            clients,
            throttle=self.throttles.setdefault(account, fresh),
            may_write=self.fence.may_write,
            on_call=self.on_call,
            attempts=self.settings.aws_max_retries,
            timing=self.timing,
        )

"""`LocalAws`: strict moto behind a recording and fault-injecting proxy on 127.0.0.1."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from botocore.config import Config

from lbcontroller.local.aws.faults import Fault, InjectedFault
from lbcontroller.local.aws.iam import PolicyGate
from lbcontroller.local.aws.iam_policy import Check
from lbcontroller.local.aws.in_process import answering, connect
from lbcontroller.local.aws.late_sight import LateSight
from lbcontroller.local.aws.life_cycle import LIFE_CYCLE, LifeCycle, Timing
from lbcontroller.local.aws.proxy import INSPECTOR_ACCESS_KEY, RecordingProxy
from lbcontroller.local.aws.rate_limits import RateLimit, RateLimits
from lbcontroller.local.aws.recorder import Call
from lbcontroller.local.aws.wire import sdk

if TYPE_CHECKING:
    from lbcontroller.local.aws import account

CALLER_ACCESS_KEY: Final = "AKIALBCONTROLLER0000"
"""Access key of the program under test: recorded, harmed by faults, subject to the policy."""
DEFAULT_REGION: Final = "us-west-2"
_SECRET: Final = "local"
_SHUTDOWN_POLL_SECONDS: Final = 0.02
_IN_USE: Final = threading.Lock()
_EVERYTHING: Final = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class LocalAws:
    """An AWS account on loopback, empty at the start; a context manager.

    moto keeps its state per process, so there can be one at a time.

    Args:
        region: Where clients call.
        timing: How long provisioning, health checks and draining take.
        policy: IAM policy document that the program under test is held to; None allows it everything.
    """

    def __init__(
        self,
        *,
        region: str = DEFAULT_REGION,
        timing: Timing | None = None,
        policy: Mapping[str, Any] | None = None,
    ) -> None:
        from lbcontroller.local.aws import account  # noqa: PLC0415 - moto takes half a second to import

        self.region = region
        self._timing = timing or Timing()
        self._inspectors: dict[str, Any] = {}
        self._connections = ExitStack()
        self._moto = account
        self._account = account.Account()
        self._gate = self._gate_for(_EVERYTHING if policy is None else policy)
        self._proxy = RecordingProxy(self._account, self._gate)
        self._server = account.make_loopback_server(self._proxy)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_SHUTDOWN_POLL_SECONDS,), name="local-aws", daemon=True
        )

    def __enter__(self) -> Self:
        if not _IN_USE.acquire(blocking=False):
            self._server.server_close()
            raise RuntimeError("another LocalAws is running in this process: moto has one state per process")
        self.reset()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connections.close()
        self._inspectors.clear()
        self._proxy.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        _IN_USE.release()

    @property
    def url(self) -> str:
        """Endpoint URL for every service."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def calls(self) -> tuple[Call, ...]:
        """Recorded calls in order of arrival; the inspection client's are not among them."""
        return self._proxy.calls.calls()

    @property
    def used_actions(self) -> frozenset[str]:
        """IAM actions the program under test needed and was allowed, since the server was made."""
        return self._gate.used_actions

    @property
    def denied(self) -> tuple[Check, ...]:
        """Permissions the program under test lacked, in order, since the server was made."""
        return self._gate.denied

    @property
    def life_cycle(self) -> LifeCycle:
        """Timing and dictated health of the running account."""
        return LIFE_CYCLE

    def client(self, service: str) -> Any:
        """A client to set up and inspect the account with: unrecorded, unharmed, all-powerful.

        Args:
            service: boto3's name of the service.
        """
        if service not in self._inspectors:
            client = _inspector(service, self.region)
            self._connections.callback(connect(client, self._proxy))
            self._inspectors[service] = client
        return self._inspectors[service]

    def caller_client(self, service: str) -> Any:
        """A client as the program under test would have it, without retries."""
        return _client(service, self.region, self.url, CALLER_ACCESS_KEY)

    def environment(self) -> dict[str, str]:
        """Environment variables that make an AWS SDK call this account as the program under test."""
        return {
            "AWS_ACCESS_KEY_ID": CALLER_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def inject(self, fault: Fault) -> InjectedFault:
        """Put a fault in force; the answer tells how often it struck."""
        return self._proxy.faults.inject(fault)

    @contextmanager
    def held_to(self, policy: Mapping[str, Any]) -> Iterator[PolicyGate]:
        """Hold the program under test to another IAM policy document until the block ends.

        Yields:
            What enforces it, which remembers every permission that was needed.
        """
        before, gate = self._proxy.gate, self._gate_for(policy)
        self._proxy.gate = gate
        try:
            yield gate
        finally:
            self._proxy.gate = before

    @contextmanager
    def called_in_process(self) -> Iterator[None]:
        """Have sessions that are opened in this process until the block ends call without connections."""
        with answering(self.url, self._proxy):
            yield

    @contextmanager
    def limited(self, limits: Iterable[RateLimit], clock: Callable[[], float]) -> Iterator[None]:
        """Limit the requests of the program under test until the block ends.

        Args:
            limits: for example `rate_limits.DOCUMENTED`.
            clock: what refills the buckets, in seconds.
        """
        before, self._proxy.rate_limits = self._proxy.rate_limits, RateLimits.of(limits, clock)
        try:
            yield
        finally:
            self._proxy.rate_limits = before

    @contextmanager
    def seen_late(self, looks: int) -> Iterator[None]:
        """Hide what is made from the first looks of the program under test at it, until the block ends."""
        before, self._proxy.late_sight = self._proxy.late_sight, LateSight(looks=looks)
        try:
            yield
        finally:
            self._proxy.late_sight = before

    def clear_calls(self) -> None:
        """Forget the recorded calls."""
        self._proxy.calls.clear()

    def clear_faults(self) -> None:
        """Take all faults out of force."""
        self._proxy.faults.clear()

    def reset(self) -> None:
        """Back to an empty account with the timing of the start, no calls and no faults."""
        with self._proxy.turn:
            self._account.reset()
            LIFE_CYCLE.restart(self._timing)
        self.clear_calls()
        self.clear_faults()

    def snapshot(self) -> account.Snapshot:
        """Return a copy of everything in the account."""
        with self._proxy.turn:
            return self._account.snapshot()

    def restore(self, snapshot: account.Snapshot) -> None:
        """Have in the account what was in it at that moment, as after a `reset`."""
        self.reset()
        with self._proxy.turn:
            self._account.restore(snapshot)

    def seed_ids(self, seed: int) -> None:
        """Make the ids of resources made from now on the same each time."""
        with self._proxy.turn:
            self._moto.seed_ids(seed)

    def issue_certificates(self) -> None:
        """Validate every requested certificate, as its owner would through DNS."""
        with self._proxy.turn:
            self._moto.issue_certificates(self.region)

    def _gate_for(self, policy: Mapping[str, Any]) -> PolicyGate:
        return PolicyGate(
            policy, account_id=self._moto.ACCOUNT_ID, tags_of=self._moto.tags_of, exists=self._moto.exists
        )


@cache
def _inspector(service: str, region: str) -> Any:
    """A client for any account of this process, as making one takes 40 ms; its URL is never resolved."""
    return _client(service, region, "http://local-aws", INSPECTOR_ACCESS_KEY)


def _client(service: str, region: str, url: str, access_key: str) -> Any:
    return sdk().create_client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=access_key,
        aws_secret_access_key=_SECRET,
        config=Config(
            retries={"total_max_attempts": 1},
            max_pool_connections=32,
            user_agent="lbcontroller-local-aws",  # that of botocore is put together anew for each call
        ),
    )

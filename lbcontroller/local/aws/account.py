"""The moto behind the embedded AWS: its application, its state, and what has no API.

The only module beside `strict` and `economies` that imports moto, which takes more than half a second.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.acm.models import acm_backends
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from lbcontroller.local.aws import economies, strict
from lbcontroller.local.aws.proxy import ConnectionDroppedError, RecordingProxy
from lbcontroller.local.aws.strict.classic_firewalls import TARGET_PREFIX, ClassicFirewalls

ACCOUNT_ID = DEFAULT_ACCOUNT_ID


class _Dispatcher(DomainDispatcherApplication):
    """moto's dispatcher without its 180 file look-ups per request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._known: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """The service behind a host name, remembered."""
        if host not in self._known:
            self._known[host] = super().get_backend_for_host(host)
        return self._known[host]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What an account held at one moment."""

    backends: tuple[tuple[BackendDict[Any], Mapping[str, Any]], ...]
    """The registry of each service with what was in it: backends by account."""
    random_state: tuple[Any, ...]
    """What the next ids follow from."""


class Account:
    """A WSGI application that is strict moto. Its state is the process's: `reset` before use."""

    def __init__(self) -> None:
        economies.install()
        strict.install()
        self._dispatcher = _Dispatcher()
        self._classic_firewalls = ClassicFirewalls(account_id=ACCOUNT_ID)

    def reset(self) -> None:
        """Empty the account, without moto's habit of setting all backends up once more before dropping them.

        The dispatcher goes too: it makes a service's first backend when it meets the service, and a fresh
        account must make its backends in the same order each time, for ids to be the same under one seed.
        """
        in_use = _registries()
        for backends in in_use:
            backends.clear()
        in_use.clear()
        reset_model_data()
        self._dispatcher = _Dispatcher()
        self._classic_firewalls = ClassicFirewalls(account_id=ACCOUNT_ID)

    def snapshot(self) -> Snapshot:
        """Return a copy of everything in the account, the firewalls of the classic kind aside."""
        registries = _registries()
        content = copy.deepcopy([dict(registry) for registry in registries])
        return Snapshot(
            backends=tuple(zip(registries, content, strict=True)), random_state=mock_random.getstate()
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Have in the account what was in it at that moment, and nothing else."""
        self.reset()
        content = copy.deepcopy([held for _, held in snapshot.backends])
        for (registry, _), held in zip(snapshot.backends, content, strict=True):
            registry.update(held)
            _registries().append(registry)
        mock_random.setstate(snapshot.random_state)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith(TARGET_PREFIX):
            return self._classic_firewalls(environ, start_response)
        application = self._dispatcher.get_application(environ)
        application.testing = True  # NotImplementedError is to reach the proxy, not to become an HTML page
        application.debug = False  # or each request with a form gets a class of its own
        return application(environ, start_response)


def _registries() -> list[BackendDict[Any]]:
    """Return moto's registries of backends that are in use."""
    registry: Any = BackendDict
    in_use: list[BackendDict[Any]] = registry._instances  # noqa: SLF001 - what moto's own reset goes through
    return in_use


class _Handler(MotoRequestHandler):
    """Silent, and able to close a connection without an answer."""

    def log(self, *_args: object, **_kwargs: object) -> None:
        """Log nothing; the proxy records calls."""

    def run_wsgi(self) -> None:
        """Serve a request, or close the connection."""
        try:
            super().run_wsgi()
        except ConnectionDroppedError:
            self.close_connection = True


def make_loopback_server(proxy: RecordingProxy) -> BaseWSGIServer:
    """A threaded HTTP server on a free port of 127.0.0.1."""
    server = make_server("127.0.0.1", 0, proxy, threaded=True, request_handler=_Handler)
    server.passthrough_errors = True
    return server


def seed_ids(seed: int) -> None:
    """Make the ids of resources made from now on the same each time."""
    mock_random.seed(seed)


def issue_certificates(region: str) -> None:
    """Validate every requested certificate."""
    for certificate in acm_backends[ACCOUNT_ID][region]._certificates.values():  # noqa: SLF001 - moto's store
        certificate.status = "ISSUED"


def tags_of(arn: str, region: str) -> dict[str, str]:
    """Tags of a load balancing resource or a certificate, or of an EC2 resource by the id its ARN ends in."""
    if ":elasticloadbalancing:" in arn:
        return elbv2_backends[ACCOUNT_ID][region].tagging_service.get_tag_dict_for_resource(arn)
    if ":acm:" in arn:
        certificate = acm_backends[ACCOUNT_ID][region]._certificates.get(arn)  # noqa: SLF001 - moto's store
        return {key: value or "" for key, value in certificate.tags.items()} if certificate else {}
    return dict(ec2_backends[ACCOUNT_ID][region].tags.get(arn.rsplit("/", 1)[-1], {}))


def exists(arn: str, region: str) -> bool:
    """Whether there is a load balancer or target group with an ARN."""
    backend = elbv2_backends[ACCOUNT_ID][region]
    return arn in backend.load_balancers or arn in backend.target_groups

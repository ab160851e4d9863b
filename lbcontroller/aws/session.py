"""The AWS clients: the only user of boto3."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config

from lbcontroller import __version__
from lbcontroller.aws.operations import AwsService
from lbcontroller.aws.sdk_descriptions import service_descriptions
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.settings import SUBJECT, Settings

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 30
CONNECTIONS: Final = 32
"""Connections kept per service: as many threads may call at a time without waiting."""


_REQUESTS_LOGGER: Final = "botocore.endpoint"


class _WithoutBodies(logging.Filter):
    """Drops what botocore logs of whole requests, which may hold client secrets and private keys."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is shown, whatever level somebody set."""
        return record.levelno > logging.DEBUG


_WITHOUT_BODIES: Final = _WithoutBodies()


class AwsClients:
    """Clients of one region and one identity, made on first use. Thread-safe."""

    def __init__(self, session: boto3.Session, *, region: str, endpoints: Mapping[AwsService, str]) -> None:
        """Make clients of `session` in `region`; `endpoints` has URLs to use instead of AWS's own."""
        self.region = region
        self._session = session
        self._endpoints = endpoints
        logging.getLogger(_REQUESTS_LOGGER).addFilter(_WITHOUT_BODIES)
        # Making a client is not thread-safe (boto3#1592); using one is.
        self._lock = threading.Lock()
        self._clients: dict[AwsService, Any] = {}

    def client(self, service: AwsService) -> Any:
        """Return the client of a service; the same one each time."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    def acting_as(self, credentials: Mapping[str, Any]) -> AwsClients:
        """Return clients of the same region with temporary credentials, as STS answers them."""
        session = open_session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        return AwsClients(session, region=self.region, endpoints=self._endpoints)

    def _make(self, service: AwsService) -> Any:
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=CONNECTIONS,
            tcp_keepalive=True,
            # AwsCaller retries; two layers of retries would multiply.
            retries={"total_max_attempts": 1, "mode": "standard"},
            user_agent=f"lbcontroller/{__version__}",
        )
        # The SDK's stubs name each service as a literal, which a variable is not.
        make: Any = self._session.client
        return make(
            service.value, region_name=self.region, endpoint_url=self._endpoints.get(service), config=config
        )


def open_session(**credentials: str) -> boto3.Session:
    """Return a session with these credentials, by the names boto3 has for them, or with the environment's."""
    core = botocore.session.Session()
    session = boto3.Session(botocore_session=core, **credentials)
    core.register_component("data_loader", service_descriptions())
    return session


def connect(settings: Settings, region: str) -> AwsClients:
    """Return clients with the credentials of the environment.

    Without an entry in `--aws-api-endpoints`, `AWS_ENDPOINT_URL` and its per-service forms are honoured.

    Raises:
        InvalidConfig: when `--aws-api-endpoints` names a service that does not exist.
    """
    return AwsClients(open_session(), region=region, endpoints=service_endpoints(settings.aws_api_endpoints))


def service_endpoints(flag: Mapping[str, str]) -> Mapping[AwsService, str]:
    """Return the endpoint URLs of `--aws-api-endpoints` for the services that are called.

    A service may be named by its service id or by its client's or endpoint's name, in any case. Names of
    services that exist and are not called are accepted, so that arguments written for LBC go on working.

    Raises:
        InvalidConfig: for a name that no service has.
    """
    called = {
        _folded(name): service
        for service in AwsService
        for name in (service.value, service.service_id, service.action_prefix)
    }
    unknown = [name for name in flag if _folded(name) not in called and _folded(name) not in _NOT_CALLED]
    if unknown:
        raise InvalidConfig(
            *(
                Problem(
                    subject=SUBJECT,
                    field="--aws-api-endpoints",
                    value=name,
                    expected="expected the id of an AWS service",
                    hint=f"those that are called: {', '.join(service.service_id for service in AwsService)}",
                )
                for name in unknown
            )
        )
    return {called[_folded(name)]: url for name, url in flag.items() if _folded(name) in called}


METADATA_ENDPOINT: Final = "ec2imds"
"""Name of the instance metadata service in `--aws-api-endpoints`."""
_NOT_CALLED: Final = frozenset({METADATA_ENDPOINT, "cognitoidentityprovider", "globalaccelerator"})


def _folded(name: str) -> str:
    return name.replace(" ", "").replace("-", "").lower()

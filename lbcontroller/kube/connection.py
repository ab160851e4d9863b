"""How to reach the API server, for threads and for the event loop.

The `kubernetes` package reads kubeconfig and service account, refreshes tokens and decides about proxies. Its
typed API classes are never imported: making the first one costs over a second and 140 MB.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import urllib3
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import (
    ConfigException,
    list_kube_config_contexts,
    load_incluster_config,
    load_kube_config,
)

from lbcontroller import __version__
from lbcontroller.errors import InvalidConfig, Problem

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0
POOLED_CONNECTIONS: Final = 16
"""As many as there are worker threads at most; a further thread waits for a connection of its own making."""
USER_AGENT: Final = f"lbcontroller/{__version__}"

_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class TokenSource:
    """The `Authorization` header of the moment, from any thread.

    Service account tokens are rotated on disk and those of kubeconfig plugins expire, so the header is asked
    for with every request; the `kubernetes` package reads the file or runs the plugin again when it is due.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._lock = threading.Lock()

    def header(self) -> str:
        """Return the header's value, empty when requests are not authorized by a token."""
        with self._lock:
            return self._configuration.get_api_key_with_prefix("BearerToken", "authorization") or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One API server and who we are to it; makes no request before it is used."""

    server: str
    """URL without a slash at its end; may have a path, as behind Rancher."""
    namespace: str
    """The namespace of the service account or of the kubeconfig's context."""
    tokens: TokenSource = field(repr=False)
    tls: ssl.SSLContext | None
    """None for plain HTTP."""
    tls_server_name: str
    """The name that the server's certificate must carry, when it is not that in the URL; else empty."""
    pool: urllib3.PoolManager = field(repr=False)
    """Connections for threads, with the same trust and the proxy of the environment or kubeconfig."""

    @classmethod
    def from_kubeconfig(cls, path: str) -> Connection:
        """Connect as the current context of the kubeconfig at `path` says.

        Raises:
            InvalidConfig: the file cannot be read or names no usable cluster.
        """
        configuration = Configuration()
        try:
            load_kube_config(  # type: ignore[no-untyped-call]  # published without types
                path, client_configuration=configuration, persist_config=False
            )
            _, context = list_kube_config_contexts(path)  # type: ignore[no-untyped-call]  # as above
            return cls._of(configuration, context["context"].get("namespace") or "default")
        except Exception as error:  # the loader raises whatever its reading of the file runs into
            raise _unusable(path, error) from error

    @classmethod
    def in_cluster(cls) -> Connection:
        """Connect as the service account of the pod this runs in.

        Raises:
            InvalidConfig: this is no pod, or it has no service account token.
        """
        configuration = Configuration()
        try:
            load_incluster_config(  # type: ignore[no-untyped-call]  # published without types
                client_configuration=configuration
            )
            return cls._of(configuration, _NAMESPACE_FILE.read_text().strip())
        except (ConfigException, OSError, ValueError) as error:
            raise _unusable("", error) from error

    @classmethod
    def _of(cls, configuration: Configuration, namespace: str) -> Connection:
        configuration.connection_pool_maxsize = POOLED_CONNECTIONS
        server = configuration.host.rstrip("/")
        return cls(
            server=server,
            namespace=namespace,
            tokens=TokenSource(configuration),
            tls=_tls_context(configuration) if server.startswith("https:") else None,
            tls_server_name=configuration.tls_server_name or "",
            pool=RESTClientObject(configuration).pool_manager,
        )

    def url(self, path: str) -> str:
        """Return the URL of a path as `ResourceType.path` gives it."""
        return f"{self.server}/{path}"

    def async_session(self) -> aiohttp.ClientSession:
        """Open a session for the running event loop, to be closed by the caller.

        Paths are relative to the server, without a slash in front. A watch lasts, so requests have no total
        timeout.
        """
        return aiohttp.ClientSession(
            base_url=f"{self.server}/",
            connector=aiohttp.TCPConnector(limit=0, ssl=True if self.tls is None else self.tls),
            headers={"Accept": "application/json", "User-Agent": USER_AGENT},
            middlewares=(self._authorize,),
            proxy=str(self.pool.proxy) if isinstance(self.pool, urllib3.ProxyManager) else None,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
        )

    async def _authorize(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        # A thread, because renewing a token may run a program for seconds and the loop feeds every watch.
        if header := await asyncio.to_thread(self.tokens.header):
            request.headers["Authorization"] = header
        if self.tls_server_name:
            request.server_hostname = self.tls_server_name
        return await send(request)


def _tls_context(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:  # only `insecure-skip-tls-verify` of a kubeconfig says so
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _unusable(kubeconfig: str, error: Exception) -> InvalidConfig:
    return InvalidConfig(
        Problem(
            subject="API server",
            field="--kubeconfig",
            value=kubeconfig,
            expected=f"expected a usable kubeconfig: {error}"
            if kubeconfig
            else f"expected a path outside of a pod: {error}",
        )
    )

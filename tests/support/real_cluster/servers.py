"""kube-apiserver and etcd as processes on loopback, started once for a process of tests."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import urllib3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lbcontroller.local.certificates import CERTIFICATE_FILE, KEY_FILE, LOOPBACK, write_certificate
from tests.support.committed import ROOT

ASSETS_VARIABLE: Final = "KUBEBUILDER_ASSETS"
"""Names the folder with both programs, as for other projects that test with them."""
BUILT: Final = ROOT / ".cache" / "apiserver"
"""Where `make apiserver` puts them."""
ADMIN_TOKEN: Final = "of-the-administrator"
READY_SECONDS: Final = 60.0
ISSUER: Final = "https://kubernetes.default.svc"
_AUDIT_POLICY: Final = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServer:
    """A kube-apiserver that runs until this process ends."""

    url: str
    authority: str
    """The certificate by which clients check the server, as PEM."""
    etcd_url: str
    audit_log: Path
    """Has a line for each request that was answered."""


@cache
def the_api_server() -> ApiServer:
    """Return the server of this process, which is started when it is asked for first."""
    folder = Path(tempfile.mkdtemp(prefix="lbcontroller-apiserver-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    etcd_url = _start_etcd(folder)
    server = _start_api_server(folder, etcd_url)
    _wait_until_ready(server, folder)
    return server


def _start_etcd(folder: Path) -> str:
    url = f"http://{LOOPBACK}:{_free_port()}"
    _start(
        folder,
        "etcd",
        f"--data-dir={folder / 'data'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls=http://{LOOPBACK}:{_free_port()}",
        "--unsafe-no-fsync",  # nothing of it is to outlive this process
        "--log-level=error",
    )
    return url


def _start_api_server(folder: Path, etcd_url: str) -> ApiServer:
    authority = write_certificate(folder)
    signing_key, tokens, policy = folder / "accounts.key", folder / "tokens.csv", folder / "audit.yaml"
    signing_key.touch(mode=0o600)
    signing_key.write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    tokens.write_text(f'{ADMIN_TOKEN},administrator,administrator,"system:masters"\n')
    policy.write_text(_AUDIT_POLICY)
    port, audit_log = _free_port(), folder / "audit.log"
    audit_log.touch()
    _start(
        folder,
        "kube-apiserver",
        f"--etcd-servers={etcd_url}",
        f"--secure-port={port}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        f"--tls-cert-file={folder / CERTIFICATE_FILE}",
        f"--tls-private-key-file={folder / KEY_FILE}",
        f"--cert-dir={folder}",
        # Both families, so that Services of either can be made; without a wish they have an IPv4 address.
        "--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112",
        f"--service-account-key-file={signing_key}",
        f"--service-account-signing-key-file={signing_key}",
        f"--service-account-issuer={ISSUER}",
        # It refuses pods while nobody makes the default account of their namespace.
        "--disable-admission-plugins=ServiceAccount",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={audit_log}",
    )
    return ApiServer(
        url=f"https://{LOOPBACK}:{port}", authority=authority, etcd_url=etcd_url, audit_log=audit_log
    )


def _start(folder: Path, program: str, *flags: str) -> None:
    path = Path(os.environ.get(ASSETS_VARIABLE) or BUILT) / program
    assert path.is_file(), f"there is no {path}: run `make apiserver`, or set {ASSETS_VARIABLE}"
    with (folder / f"{program}.log").open("wb") as log:
        running = subprocess.Popen([path, *flags], stdout=log, stderr=log)  # noqa: S603 - given by the caller
    # The last to be started is the first to end: the API server would complain about a store that is gone.
    atexit.register(_end, running)


def _end(running: subprocess.Popen[bytes]) -> None:
    running.kill()
    running.wait()


def _wait_until_ready(server: ApiServer, folder: Path) -> None:
    pool = urllib3.PoolManager(ca_certs=str(folder / CERTIFICATE_FILE))
    deadline = time.monotonic() + READY_SECONDS
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    while time.monotonic() < deadline:
        # The last thing that it makes for itself is the namespaces.
        for path in ("/readyz", "/api/v1/namespaces/kube-system"):
            try:
                answer = pool.request("GET", f"{server.url}{path}", headers=headers, retries=False)
            except urllib3.exceptions.HTTPError:
                break
            if answer.status != 200:
                break
        else:
            return
        time.sleep(0.05)  # between two looks at a condition that has no signal
    log = (folder / "kube-apiserver.log").read_text(errors="replace")
    raise AssertionError(f"kube-apiserver is not ready after {READY_SECONDS} s:\n{log[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port

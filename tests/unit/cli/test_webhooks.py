from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from lbcontroller import cli
from lbcontroller.local.apiserver import LocalApiServer
from lbcontroller.webhooks.registration import REGISTRATIONS


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    file = tmp_path / "ca.crt"
    file.write_text("-----BEGIN CERTIFICATE-----\n")
    return file


def printed(*arguments: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(cli.app, ["webhooks", *arguments])
    assert result.exit_code == 0, result.output
    return list(yaml.safe_load_all(result.output))


def test_the_manifests_register_every_webhook_behind_the_service(authority: Path) -> None:
    manifests = printed("--service", "kube-system/webhooks", "--ca-file", str(authority))

    entries = [entry for manifest in manifests for entry in manifest["webhooks"]]  # type: ignore[attr-defined]  # a list in YAML
    assert [entry["name"] for entry in entries] == [each.name for each in REGISTRATIONS]
    assert entries[0]["clientConfig"] == {
        "service": {
            "namespace": "kube-system",
            "name": "webhooks",
            "path": REGISTRATIONS[0].path,
            "port": 443,
        },
        "caBundle": base64.b64encode(authority.read_bytes()).decode(),
    }


def test_an_api_server_takes_the_manifests(authority: Path) -> None:
    server = LocalApiServer()

    for manifest in printed(
        "--service", "kube-system/webhooks", "--ca-file", str(authority), "--name", "own"
    ):
        server.apply(manifest)

    assert server.find("mutatingwebhookconfiguration", "own") is not None
    assert server.find("validatingwebhookconfiguration", "own") is not None


def test_services_can_keep_the_class_they_come_with(authority: Path) -> None:
    arguments = ("--service", "kube-system/webhooks", "--ca-file", str(authority), "--no-service-class")

    assert "mservice.elbv2.k8s.aws" not in str(printed(*arguments))


def test_without_an_authority_the_controller_fills_it_in() -> None:
    manifests = printed("--service", "kube-system/webhooks")

    configs = [entry["clientConfig"] for manifest in manifests for entry in manifest["webhooks"]]  # type: ignore[attr-defined]  # a list in YAML
    assert len(configs) == len(REGISTRATIONS)
    assert all("caBundle" not in config for config in configs)

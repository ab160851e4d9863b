"""The Dockerfile, by a linter and by what the chart expects of the image."""

from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from lbcontroller.settings import Settings
from tests.support.chart import pod_of, rendered
from tests.support.committed import ROOT, committed

DOCKERFILE = ROOT / "Dockerfile"
INSTALLED = {"LICENSE", "README.md", "constraints.txt", "pyproject.toml"}


def instructions(name: str) -> list[str]:
    """Return what stands behind an instruction, each time that it is there."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text("utf-8"))
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


def test_the_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(  # noqa: S603 - our own linter
        [linter, DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_the_base_is_one_release_of_python() -> None:
    (base,) = instructions("ARG")
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-\w+", base)
    assert {line.split()[0] for line in instructions("FROM")} == {"${BASE}"}


def test_versions_are_those_of_the_tests() -> None:
    (install,) = (line for line in instructions("RUN") if "pip" in line)
    assert "--constraint constraints.txt" in install


def test_nothing_that_runs_imports_what_is_left_out() -> None:
    (left_out,) = re.findall(r"rm -r \S+/site-packages/(\S+)", DOCKERFILE.read_text("utf-8"))
    script = f"import sys; sys.modules[{left_out.replace('/', '.')!r}] = None; import lbcontroller.cli.serve"
    subprocess.run([sys.executable, "-c", script], check=True)  # noqa: S603 - our own program


def test_the_user_is_that_of_the_pods() -> None:
    wanted = pod_of(rendered())["spec"]["securityContext"]
    assert instructions("USER") == [f"{wanted['runAsUser']}:{wanted['runAsGroup']}"]


def test_the_ports_are_those_of_the_settings() -> None:
    defaults = Settings(cluster_name="any")
    addresses = (defaults.metrics_bind_addr, defaults.health_probe_bind_addr)
    ports = {str(defaults.webhook_bind_port), *(address.rpartition(":")[2] for address in addresses)}
    assert set(instructions("EXPOSE")[0].split()) == ports


def test_only_what_is_installed_is_sent_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    kept = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    sent = {
        str(path.relative_to(ROOT))
        for path in committed()
        if any(fnmatch(path.relative_to(ROOT).parts[0], rule) for rule in kept)
    }
    assert {name for name in sent if not name.startswith("lbcontroller/")} == INSTALLED
    assert set(" ".join(instructions("COPY")).split()) >= {*INSTALLED, "lbcontroller"}

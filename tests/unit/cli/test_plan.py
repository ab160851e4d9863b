from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from lbcontroller import cli
from lbcontroller.cli.console import standard_console
from lbcontroller.cli.plan import ExitCode, show_plan
from lbcontroller.cli.plan_view import plan_lines
from lbcontroller.plan.render import Line, LineMark

PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
EXAMPLES = Path(__file__).parents[3] / "examples"


def a_manifest(
    name: str = "web", *, annotations: Mapping[str, object] | None = None, **spec: object
) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": "5e8b4c1e-8a49-4f37-8a43-0c6b8c0a9d11",
            "annotations": {f"{PREFIX}nlb-target-type": "ip"} if annotations is None else dict(annotations),
        },
        "spec": {
            "type": "LoadBalancer",
            "loadBalancerClass": "service.k8s.aws/nlb",
            "selector": {"app": name},
            "ports": [{"port": 80, "targetPort": 8080}],
            **spec,
        },
    }


class Shown:
    """Runs the command on manifests and keeps what it says."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._directory = directory
        self._capsys = capsys
        self.code = -1

    def plan(self, *manifests: object, inventory: str | None = None, cluster: str = "yard") -> str:
        text = "---\n".join(
            manifest if isinstance(manifest, str) else yaml.safe_dump(manifest) for manifest in manifests
        )
        return self.plan_file(self._write("manifests.yaml", text), inventory=inventory, cluster=cluster)

    def plan_file(self, *files: Path, inventory: str | None = None, cluster: str = "yard") -> str:
        facts = None if inventory is None else self._write("inventory.yaml", inventory)
        self.code = show_plan(files, facts, cluster)
        return self._capsys.readouterr().out.replace(f"{self._directory}/", "")

    def _write(self, name: str, text: str) -> Path:
        path = self._directory / name
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shown:
    return Shown(tmp_path, capsys)


def test_a_plan_names_every_resource_with_its_fields_and_the_reason(shown: Shown) -> None:
    assert shown.plan(a_manifest()) == (Path(__file__).parent / "plan-of-a-service.txt").read_text()
    assert shown.code == ExitCode.FINE


def test_the_examples_can_be_planned_without_an_account(shown: Shown) -> None:
    text = shown.plan_file(EXAMPLES, cluster="demo")

    assert shown.code == ExitCode.FINE
    assert "Service default/web\n" in text
    assert "Service default/game\n" in text
    assert "Not looked at, because only Services and Ingresses are planned: 2 Deployment." in text


def test_a_shared_group_that_exists_is_used_and_not_made(shown: Shown) -> None:
    facts = """
        vpc: {id: vpc-1, cidrs: [10.0.0.0/16]}
        subnets:
          - {id: subnet-1, zone: us-west-2a, cidr: 10.0.1.0/24, tags: {kubernetes.io/role/internal-elb: 1}}
        backendSecurityGroup: sg-shared
    """
    text = shown.plan(a_manifest(), inventory=facts)

    assert "Shared by all Services" not in text
    assert "spec.networking: TCP 8080 from sg-shared" in text


def test_all_problems_of_an_object_are_shown_and_others_are_planned(shown: Shown) -> None:
    bad = a_manifest("bad", annotations={f"{PREFIX}nlb-target-type": "pods", f"{PREFIX}scheme": "outside"})
    text = shown.plan(bad, a_manifest("good"))

    assert shown.code == ExitCode.PROBLEMS
    assert f"  problem {PREFIX}nlb-target-type: 'pods': " in text
    assert f"  problem {PREFIX}scheme: 'outside': " in text
    assert "Service shop/good\n  + create " in text
    assert "1 with problems" in text


def test_a_service_that_an_api_server_would_not_take_is_a_problem(shown: Shown) -> None:
    text = shown.plan(a_manifest(ports=[{"port": 80, "protocol": "SMTP"}]))

    assert shown.code == ExitCode.PROBLEMS
    assert "  problem spec.ports[0].protocol: Unsupported value" in text


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (
            a_manifest(annotations={f"{PREFIX}internal": True}),
            f"metadata.annotations.{PREFIX}internal: 'True': must be text (put it in quotes)",
        ),
        (a_manifest(ports=[{"port": "http"}]), "spec.ports[0].port: 'http': must be a whole number"),
        (a_manifest(ports=[80]), "spec.ports[0]: '80': must be a mapping"),
        ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}, "spec: is required"),
        (
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": ["a"]}, "spec": {}},
            "metadata.name: must be text",
        ),
    ],
)
def test_a_service_of_the_wrong_shape_is_a_problem_not_a_crash(
    shown: Shown, manifest: object, problem: str
) -> None:
    assert f"  problem {problem}\n" in shown.plan(manifest)
    assert shown.code == ExitCode.PROBLEMS


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "must be readable YAML"),
        ("just words", "document 1 must have apiVersion, kind and metadata"),
        ("apiVersion: v1\nkind: Service\n", "document 1 must have apiVersion, kind and metadata"),
    ],
)
def test_a_file_that_holds_no_objects_ends_the_command(shown: Shown, text: str, problem: str) -> None:
    assert problem in shown.plan(text)
    assert shown.code == ExitCode.BAD_USAGE


def test_a_file_that_is_not_there_ends_the_command(shown: Shown, tmp_path: Path) -> None:
    assert "Manifest absent.yaml: file: must be readable YAML" in shown.plan_file(tmp_path / "absent.yaml")
    assert shown.code == ExitCode.BAD_USAGE


def test_every_mistake_of_an_inventory_is_named(shown: Shown) -> None:
    text = shown.plan(
        a_manifest(), inventory="vpc: {id: main, cidrs: []}\nsubnets: [{zone: a, cidr: 10.0.0.0/33, size: 3}]"
    )

    assert shown.code == ExitCode.BAD_USAGE
    assert text.splitlines() == [
        "Inventory inventory.yaml: vpc.id: 'main': must begin with vpc-",
        "Inventory inventory.yaml: vpc.cidrs: must have 1 or more",
        "Inventory inventory.yaml: subnets[0].id: is required",
        "Inventory inventory.yaml: subnets[0].cidr: '10.0.0.0/33': must be a valid IPv4 network",
        "Inventory inventory.yaml: subnets[0].size: '3': is not known here",
    ]


def test_an_empty_cluster_name_ends_the_command(shown: Shown) -> None:
    assert "--cluster-name: must not be empty" in shown.plan(a_manifest(), cluster="")
    assert shown.code == ExitCode.BAD_USAGE


def test_a_service_of_somebody_else_is_ignored_and_says_why(shown: Shown) -> None:
    text = shown.plan(a_manifest(loadBalancerClass="other.example/nlb"))

    assert shown.code == ExitCode.FINE
    assert "ignored: it has neither spec.loadBalancerClass service.k8s.aws/nlb nor an annotation" in text
    assert "In all: 0 to create, 0 to change, 0 to delete, 1 ignored." in text


def test_a_claim_that_is_not_complete_is_ignored_with_what_is_missing(shown: Shown) -> None:
    manifest = a_manifest(annotations={f"{PREFIX}type": "external"}, loadBalancerClass=None)

    text = shown.plan(manifest)

    assert "ignored: its annotations are not complete" in text
    assert f"warning MissingAnnotation: {PREFIX}type: external counts only together with" in text


def test_the_services_of_a_list_are_planned(shown: Shown) -> None:
    text = shown.plan({"apiVersion": "v1", "kind": "List", "items": [a_manifest("a"), a_manifest("b")]})

    assert "Service shop/a\n" in text
    assert "Service shop/b\n" in text


def test_an_object_that_was_read_from_a_cluster_can_be_planned(shown: Shown) -> None:
    manifest = a_manifest()
    manifest["metadata"] = {
        **dict(manifest["metadata"]),  # type: ignore[call-overload]  # a mapping, as written above
        "resourceVersion": "17",
        "managedFields": [{"manager": "kubectl"}],
    }

    assert shown.plan(manifest) == shown.plan(a_manifest())


def test_users_cannot_steer_the_terminal_or_the_markup(shown: Shown) -> None:
    text = shown.plan(
        a_manifest(annotations={f"{PREFIX}additional-resource-tags": "a=[bold red]x[/],b=\x1b[31mred"})
    )

    assert "a=[bold red]x[/]" in text
    assert "\x1b" not in text


def test_a_problem_shows_control_characters_escaped(shown: Shown) -> None:
    text = shown.plan(a_manifest(annotations={f"{PREFIX}scheme": "[red]\x1b]0;mine\x07"}))

    assert r"[red]\x1b]0;mine\x07" in text
    assert "\x1b" not in text


def test_manifests_come_from_standard_input() -> None:
    result = CliRunner().invoke(cli.app, ["plan", "-f", "-"], input=yaml.safe_dump(a_manifest()))

    assert result.exit_code == ExitCode.FINE
    assert "Service shop/web\n" in result.output


def test_a_locale_without_unicode_does_not_end_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written := io.BytesIO(), encoding="ascii"))

    standard_console().print("10 → 20")
    sys.stdout.flush()

    assert written.getvalue() == b"10 ? 20\n"


def test_destructive_steps_are_marked() -> None:
    lines = [
        Line(mark=LineMark.CREATE, text="create a"),
        Line(mark=LineMark.DELETE, text="delete b", destructive=True),
    ]

    assert [str(line) for line in plan_lines(lines)] == ["  + create a", "  - delete b  ! destructive"]


def test_nothing_is_coloured_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", written := io.StringIO())

    for line in plan_lines([Line(mark=LineMark.DELETE, text="delete b", destructive=True)]):
        standard_console().print(line)

    assert written.getvalue() == "  - delete b  ! destructive\n"


def an_ingress(name: str, *, annotations: Mapping[str, str] | None = None) -> dict[str, object]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    given = {f"alb.ingress.kubernetes.io/{key}": value for key, value in (annotations or {}).items()}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": given},
        "spec": {
            "ingressClassName": "alb",
            "rules": [
                {
                    "host": f"{name}.example.com",
                    "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                }
            ],
        },
    }


BACKEND = a_manifest(type="ClusterIP", loadBalancerClass=None)


def test_the_members_of_a_group_are_planned_together(shown: Shown) -> None:
    shared = {"target-type": "ip", "group.name": "sites"}
    text = shown.plan(an_ingress("a", annotations=shared), an_ingress("b", annotations=shared), BACKEND)

    assert shown.code == ExitCode.FINE
    assert "Ingress group sites (shop/a, shop/b)\n" in text
    assert "  + create ListenerRule 80:2\n" in text
    assert "Service shop/web" not in text


def test_a_member_with_a_problem_is_told_and_the_others_are_planned(shown: Shown) -> None:
    shared = {"target-type": "ip", "group.name": "sites"}
    bad = an_ingress("b", annotations={**shared, "target-type": "pods"})
    text = shown.plan(an_ingress("a", annotations=shared), bad, BACKEND)

    assert shown.code == ExitCode.PROBLEMS
    assert "  + create ListenerRule 80:1\n" in text
    assert "Ingress shop/b\n  problem alb.ingress.kubernetes.io/target-type: 'pods': " in text


def test_an_ingress_of_another_class_is_ignored(shown: Shown) -> None:
    other = an_ingress("a")
    spec = other["spec"]
    assert isinstance(spec, dict)
    spec["ingressClassName"] = "nginx"
    nginx = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "nginx"},
        "spec": {"controller": "example.org/nginx"},
    }
    text = shown.plan(nginx, other, BACKEND)

    assert "Ingress shop/a\n  ignored: its class is that of another controller" in text


def test_what_only_aws_knows_by_name_is_taken_for_existing(shown: Shown) -> None:
    text = shown.plan(an_ingress("a", annotations={"target-type": "ip", "wafv2-acl-name": "site"}), BACKEND)

    assert shown.code == ExitCode.FINE
    assert "web_acl: the web ACL site" in text


@pytest.mark.parametrize("example", sorted((EXAMPLES / "ingress").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_of_ingresses_can_be_planned_without_an_account(shown: Shown, example: Path) -> None:
    text = shown.plan_file(example, cluster="demo")

    assert shown.code == ExitCode.FINE
    assert "warning" not in text


def test_the_class_of_the_manifests_has_its_word(shown: Shown) -> None:
    params = {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "IngressClassParams",
        "metadata": {"name": "public"},
        "spec": {"scheme": "internet-facing", "targetType": "ip"},
    }
    reference = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "public"}
    alb = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": "alb"},
        "spec": {"controller": "ingress.k8s.aws/alb", "parameters": reference},
    }
    text = shown.plan(an_ingress("a"), alb, params, BACKEND)

    assert shown.code == ExitCode.FINE
    assert "scheme: internet-facing" in text

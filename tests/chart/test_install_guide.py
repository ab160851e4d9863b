"""Every command of the guide is run as it stands there; what tools would get is held to what they take."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import hcl2
import helm_python
import moto
import pytest
import yaml
from botocore import xform_name

from tests.support import iam_policies
from tests.support.chart import chart, container_of, flags_of, of_kind, only
from tests.support.committed import ROOT
from tests.support.guide_commands import Ran, blocks, run

PAGE = ROOT / "docs" / "guide" / "install-eks.md"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/lbcontroller"
ANSWERS = {
    "get-caller-identity": ACCOUNT,
    "resourcesVpcConfig": "vpc-1",
    "oidc.issuer": "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC",
    "get-login-password": "password",
}
OF_THE_COMMAND_LINE = {("ecr", "get-login-password"), ("cloudformation", "deploy")}
"""Commands that are no operation of the API."""
EVERYWHERE = {"query", "output", "region"}
"""Options that every command has."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(PAGE, tmp_path_factory.mktemp("guide"), ANSWERS)


def of_tool(ran: Ran, name: str) -> list[Sequence[str]]:
    return [command[1:] for command in ran.commands if command[0] == name]


def options(arguments: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield each option without dashes, with the words behind it."""
    name, words = "", list[str]()
    for argument in (*arguments, "--"):
        if argument.startswith("--"):
            if name:
                yield name, words
            name, words = argument.removeprefix("--"), []
        else:
            words.append(argument)


def aws_operations(ran: Ran) -> Iterator[tuple[str, str, Mapping[str, list[str]]]]:
    for service, operation, *arguments in of_tool(ran, "aws"):
        if (service, operation) not in OF_THE_COMMAND_LINE:
            yield service, operation, dict(options(arguments))


def test_every_block_runs(ran: Ran) -> None:
    assert len(blocks(PAGE)) > 10
    assert {command[0] for command in ran.commands} == {"aws", "docker", "eksctl", "helm", "kubectl"}
    assert not any("$" in word for command in ran.commands for word in command)


def test_aws_knows_every_operation_and_option(ran: Ran) -> None:
    session = botocore.session.get_session()
    for service, operation, given in aws_operations(ran):
        model = session.get_service_model(service)
        names = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in names, f"{service} {operation}"
        shape = model.operation_model(names[operation]).input_shape
        known = {xform_name(name, "-") for name in shape.members} if shape else set()
        assert given.keys() - EVERYWHERE <= known, f"{service} {operation}"


@moto.mock_aws
def test_iam_takes_the_documents(ran: Ran) -> None:
    client = boto3.client("iam", region_name="us-east-1")
    commands = {json.dumps(each): each for each in aws_operations(ran) if each[0] == "iam"}
    for _, operation, given in commands.values():
        parameters = {
            "".join(part.capitalize() for part in name.split("-")): content(ran, *words)
            for name, words in given.items()
        }
        getattr(client, operation.replace("-", "_"))(**parameters)

    assert list(commands)
    attached = client.list_attached_role_policies(RoleName="lbcontroller")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [f"arn:aws:iam::{ACCOUNT}:policy/lbcontroller"]


def content(ran: Ran, word: str) -> str:
    """Return an argument as the command line sends it: files by what is in them."""
    name = word.removeprefix("file://")
    if name == word:
        return word
    return ran.written[name][0] if name in ran.written else (ROOT / name).read_text("utf-8")


def test_the_trust_policies_are_filled_in(ran: Ran) -> None:
    pod_identity, irsa = dict.fromkeys(ran.written["trust.json"])
    assert not re.search(r"\b[A-Z]{4,}(_[A-Z]+)*\b", (pod_identity + irsa).replace("/id/ABC", ""))

    (by_pod,) = json.loads(pod_identity)["Statement"]
    assert by_pod["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/my-cluster",
        "aws:RequestTag/kubernetes-namespace": "kube-system",
        "aws:RequestTag/kubernetes-service-account": "lbcontroller",
    }
    (by_token,) = json.loads(irsa)["Statement"]
    provider = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
    assert by_token["Principal"]["Federated"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{provider}"
    assert by_token["Condition"]["StringEquals"] == {
        f"{provider}:aud": "sts.amazonaws.com",
        f"{provider}:sub": "system:serviceaccount:kube-system:lbcontroller",
    }


def installations(ran: Ran) -> Iterator[list[dict[str, Any]]]:
    """Yield the objects after each `helm install` and `helm upgrade`, whose values add up."""
    values: dict[str, Any] = {}
    for command, *arguments in of_tool(ran, "helm"):
        if command == "uninstall":
            continue
        release, folder, *rest = arguments
        assert (release, folder) == ("lbcontroller", "helm/lbcontroller")
        given = list(options(rest))
        if command == "install":
            values = {}
        for expression in (words[0] for name, words in given if name == "set"):
            values = merged(values, helm_python.parse_set_string(expression))
        namespace = dict(given)["namespace"][0]
        files = chart().render(values, name=release, namespace=namespace)
        yield [
            obj
            for name, text in files.items()
            if name.endswith(".yaml")
            for obj in yaml.safe_load_all(text)
            if obj
        ]


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = one.keys() & other.keys()
    return one | other | {key: merged(one[key], other[key]) for key in both if isinstance(one[key], dict)}


def test_the_chart_takes_the_values(ran: Ran) -> None:
    first, with_role, monitored, *_ = installations(ran)

    flags = flags_of(first)
    assert (flags["cluster-name"], flags["aws-region"], flags["aws-vpc-id"]) == (
        "my-cluster",
        "eu-west-1",
        "vpc-1",
    )
    repository = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/lbcontroller"
    assert container_of(first)["image"] == f"{repository}:{chart().metadata['appVersion']}"
    pushed = [
        dict(options(arguments))["tag"] for arguments in of_tool(ran, "docker") if "buildx" in arguments
    ]
    assert pushed == [[container_of(first)["image"]]]
    account = only(with_role, "ServiceAccount")
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": ROLE}
    assert {"ServiceMonitor", "PrometheusRule"} <= {obj["kind"] for obj in monitored}


def test_the_names_are_those_of_the_chart(ran: Ran) -> None:
    first, *_ = installations(ran)
    made = {f"{obj['kind'].lower()}/{obj['metadata']['name']}" for obj in first}
    service_account = only(first, "ServiceAccount")["metadata"]["name"]

    assert "deployment/lbcontroller" in made
    named = [
        words
        for tool in ("aws", "eksctl")
        for arguments in of_tool(ran, tool)
        for name, words in options(arguments)
        if name in {"service-account", "service-account-name"}
    ]
    assert named == [[service_account]] * 2


def test_installed_beside_lbc_the_class_is_left_to_it(ran: Ran) -> None:
    *_, beside, _ = installations(ran)
    assert of_kind(beside, "IngressClass") == []


def test_files_that_are_applied_are_there(ran: Ran) -> None:
    named = [
        ROOT / arguments[position + 1]
        for arguments in of_tool(ran, "kubectl")
        for position, word in enumerate(arguments)
        if word == "-f"
    ]
    assert len(named) == 2
    assert all(path.exists() for path in named)


def test_the_cloudformation_template_has_the_policy_and_the_trust() -> None:
    resources = yaml.safe_load((ROOT / "iam" / "cloudformation.yaml").read_text("utf-8"))["Resources"]

    def in_aws(value: Any) -> Any:
        match value:
            case {"Fn::Sub": str(text)}:
                return text.replace("${AWS::Partition}", "aws")
            case dict():
                return {key: in_aws(item) for key, item in value.items()}
            case list():
                return [in_aws(item) for item in value]
            case _:
                return value

    assert in_aws(resources["Policy"]["Properties"]["PolicyDocument"]) == iam_policies.policy()
    trust = resources["Role"]["Properties"]["AssumeRolePolicyDocument"]
    template = json.loads(iam_policies.text("trust-policy-pod-identity.json"))
    assert conditions(trust).keys() == conditions(template).keys()


def conditions(document: Mapping[str, Any]) -> Mapping[str, Any]:
    (statement,) = document["Statement"]
    found: Mapping[str, Any] = statement["Condition"]["StringEquals"]
    return found


def test_the_terraform_module_has_the_policy_and_the_trust() -> None:
    text = (ROOT / "iam" / "terraform" / "main.tf").read_text("utf-8")
    hcl2.loads(text)
    template = json.loads(iam_policies.text("trust-policy-pod-identity.json"))

    assert set(re.findall(r'variable = "(.*)"', text)) == conditions(template).keys()
    for path in re.findall(r"\$\{path\.module\}/([\w./-]+)", text):
        assert (ROOT / "iam" / "terraform" / Path(path)).exists()
    (values,) = re.findall(r"yamlencode\(\{(.*?)\n  \}\)", text, re.DOTALL)
    assert set(re.findall(r"^    (\w+) ", values, re.MULTILINE)) <= chart().values.keys()


def test_the_module_of_the_guide_has_the_variables_of_the_module() -> None:
    (block,) = re.findall(r"^```hcl\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    declared = set(
        re.findall(r'^variable "(\w+)"', (ROOT / "iam/terraform/main.tf").read_text("utf-8"), re.MULTILINE)
    )
    given = set(re.findall(r"^  (\w+) +=", block, re.MULTILINE)) - {"source"}

    assert given <= declared
    assert declared - given == {"namespace", "service_account"}

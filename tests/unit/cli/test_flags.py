from __future__ import annotations

from collections.abc import Mapping

import click
import pytest
from click.testing import CliRunner

from lbcontroller.cli import flags


def given(*arguments: str, environment: Mapping[str, str] | None = None) -> Mapping[str, str]:
    seen: dict[str, str] = {}

    def keep(**values: str | tuple[str, ...] | None) -> None:
        seen.update(flags.wire_values(values))

    command = click.Command("run", params=list(flags.options()), callback=keep)
    result = CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return seen


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--cluster-name=yard"], {"cluster-name": "yard"}),
        (["--cluster-name", "yard"], {"cluster-name": "yard"}),
        (["--enable-waf=false"], {"enable-waf": "false"}),
        (["--enable-waf"], {"enable-waf": "true"}),
        (["--default-tags=a=b,c=d"], {"default-tags": "a=b,c=d"}),
        (["--default-tags=a=b", "--default-tags=c=d"], {"default-tags": "a=b,c=d"}),
        (["--feature-gates=EnableIPTargetType=false"], {"feature-gates": "EnableIPTargetType=false"}),
        ([], {}),
    ],
)
def test_arguments_of_an_existing_install_are_understood(
    arguments: list[str], expected: Mapping[str, str]
) -> None:
    assert given(*arguments) == expected


def test_flags_come_from_the_environment_too_and_arguments_win() -> None:
    environment = {"LBCONTROLLER_CLUSTER_NAME": "env", "LBCONTROLLER_AWS_REGION": "eu-west-1"}

    assert given("--cluster-name=arg", environment=environment) == {
        "cluster-name": "arg",
        "aws-region": "eu-west-1",
    }


def test_variables_that_kubernetes_makes_for_a_service_of_our_name_are_no_flags() -> None:
    assert given(environment={"LBCONTROLLER_SERVICE_HOST": "10.0.0.1", "LBCONTROLLER_PORT": "tcp://x"}) == {}


def test_an_unknown_flag_fails_with_a_suggestion() -> None:
    command = click.Command("run", params=list(flags.options()), callback=lambda **_: None)
    result = CliRunner().invoke(command, ["--cluster-nam=yard"])

    assert result.exit_code == 2
    assert "--cluster-name" in result.output


def test_help_tells_what_each_flag_is_for_and_its_default() -> None:
    command = click.Command("run", params=list(flags.options()), callback=lambda **_: None)
    output = CliRunner().invoke(command, ["--help"], terminal_width=200).output

    assert "--load-balancer-class VALUE" in output
    assert "[default: service.k8s.aws/nlb]" in output
    assert "[required]" in output

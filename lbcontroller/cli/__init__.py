"""The `lbcontroller` command. Each command imports what it needs when it runs: the others start fast."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lbcontroller import __version__

app = typer.Typer(
    name="lbcontroller",
    help="Turns Kubernetes Services into AWS load balancers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Run the command line."""
    app()


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    help="Run the controller. It takes the flags of the AWS Load Balancer Controller: see run --help.",
)
def run(context: typer.Context) -> None:
    """Run the controller until SIGTERM."""
    from lbcontroller.cli.run import command  # noqa: PLC0415 - start-up time of the other commands

    command().main(args=context.args, prog_name="lbcontroller run")


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    help="Check account and cluster, and tell what would become of each load balancer: see check --help.",
)
def check(context: typer.Context) -> None:
    """Check what can be checked before the controller runs."""
    from lbcontroller.cli.check import command  # noqa: PLC0415 - start-up time of the other commands

    command().main(args=context.args, prog_name="lbcontroller check")


@app.command()
def demo(
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave it running and print the kubeconfig for kubectl.")
    ] = False,
    examples: Annotated[
        Path, typer.Option(help="Directory with the manifests to apply.", exists=True, file_okay=False)
    ] = Path("examples"),
) -> None:
    """Run everything on this machine: an embedded API server, an embedded AWS, and the controller on them."""
    from lbcontroller.cli.demo import run_demo  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(run_demo(examples, keep=keep))


@app.command()
def plan(
    files: Annotated[
        list[Path],
        typer.Option(
            "--filename", "-f", help="File or directory of manifests, - for standard input; may be repeated."
        ),
    ],
    inventory: Annotated[
        Path | None,
        typer.Option(help="Facts about the AWS account as YAML; those of the demo when absent.", exists=True),
    ] = None,
    cluster_name: Annotated[str, typer.Option(help="Name of the cluster.")] = "demo",
) -> None:
    """Show what manifests would make in AWS, with reasons, without asking AWS."""
    from lbcontroller.cli.plan import show_plan  # noqa: PLC0415 - start-up time of the other commands

    raise typer.Exit(show_plan(files, inventory, cluster_name))


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    help="List, and delete, what carries the cluster's tags in AWS and belongs to no object.",
)
def orphans(context: typer.Context) -> None:
    """Compare AWS with the cluster."""
    from lbcontroller.cli.orphans import command  # noqa: PLC0415 - start-up time of the other commands

    command().main(args=context.args, prog_name="lbcontroller orphans")


@app.command()
def docs(
    directory: Annotated[Path, typer.Argument(help="Directory to write the reference pages into.")],
    chart: Annotated[
        Path | None, typer.Option(help="Directory of the Helm chart, to write its generated files too.")
    ] = None,
    iam: Annotated[
        Path | None, typer.Option(help="Directory of the IAM policies, to write them too.")
    ] = None,
) -> None:
    """Write the reference pages and files that are made from the code."""
    from lbcontroller.cli.chart_files import write_chart_files  # noqa: PLC0415 - start-up time of the others
    from lbcontroller.cli.iam_policy import write_policies  # noqa: PLC0415 - start-up time of other commands
    from lbcontroller.cli.reference import write_reference  # noqa: PLC0415 - start-up time of other commands

    write_reference(directory)
    if chart is not None:
        write_chart_files(chart)
    if iam is not None:
        write_policies(iam)


@app.command()
def iam_policy(
    *,
    features: Annotated[
        str,
        typer.Option(
            help="What is switched on, between commas: services, ingresses, waf, wafv2, shield, cognito, "
            "tls-secrets, requested-certificates. Empty: all but the last two."
        ),
    ] = "",
    partition: Annotated[str, typer.Option(help="aws, aws-cn or aws-us-gov.")] = "aws",
    cluster_name: Annotated[
        str | None, typer.Option(help="Allow changes of this cluster's load balancers only.")
    ] = None,
    assume_role: Annotated[
        list[str] | None,
        typer.Option(help="ARN of a role of another account that bindings name; may be repeated."),
    ] = None,
) -> None:
    """Print the smallest IAM policy for what is switched on."""
    from lbcontroller.cli.iam_policy import show_policy  # noqa: PLC0415 - start-up time of other commands

    raise typer.Exit(show_policy(features, partition, cluster_name, assume_role or ()))


@app.command()
def webhooks(
    service: Annotated[str, typer.Option(help="The Service in front of the webhooks, as namespace/name.")],
    ca_file: Annotated[
        Path | None,
        typer.Option(
            help="PEM file with the authority of their certificate; the controller fills in that of its own.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the configurations.")] = "lbcontroller",
    *,
    service_class: Annotated[
        bool, typer.Option(help="Give new load balancers without a class to this controller.")
    ] = True,
) -> None:
    """Print the manifests that have the API server ask the admission webhooks."""
    from lbcontroller.cli.webhooks import webhook_manifests  # noqa: PLC0415 - start-up time of other commands

    typer.echo(webhook_manifests(service, ca_file, name=name, class_of_services=service_class), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)

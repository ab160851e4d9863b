"""`lbcontroller iam-policy`: the smallest policy for what is switched on; and the files in `iam/`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import typer

from lbcontroller.aws.iam import Document, Partition, assuming, policy
from lbcontroller.aws.iam_features import EVERYTHING_BY_DEFAULT, Feature
from lbcontroller.cli.cloudformation import template
from lbcontroller.errors import Problem, did_you_mean

EXIT_USAGE: Final = 2
CLUSTER_NAME: Final = "CLUSTER_NAME"
"""What stands for the name of the cluster in files."""
_TLS: Final = frozenset({Feature.TLS_SECRETS})
_REQUESTS: Final = frozenset({Feature.REQUESTED_CERTIFICATES})


def show_policy(features: str, partition: str, cluster_name: str | None, roles: Sequence[str]) -> int:
    """Print the policy, or what is wrong with the arguments; return the exit code of the process.

    Args:
        features: names between commas; empty: everything but certificates that are imported or requested.
        partition: of AWS.
        cluster_name: the only cluster whose resources may be changed.
        roles: ARNs of roles of other accounts that TargetGroupBindings name.
    """
    names = [name.strip() for name in features.split(",") if name.strip()]
    problems = [
        *_unknown("--features", names, list(map(str, Feature))),
        *_unknown("--partition", [partition], list(map(str, Partition))),
    ]
    for problem in problems:
        typer.echo(f"lbcontroller: {problem}", err=True)
    if problems:
        return EXIT_USAGE
    chosen = frozenset(map(Feature, names)) or EVERYTHING_BY_DEFAULT
    typer.echo(_text(assuming(policy(chosen, Partition(partition), cluster_name), roles)), nl=False)
    return 0


def write_policies(directory: Path) -> None:
    """Write the files of `iam/` that are made from the code."""
    for name, text in policy_files().items():
        (directory / name).write_text(text, encoding="utf-8")


def policy_files() -> Mapping[str, str]:
    """Return what each generated file in `iam/` says, by its name."""
    default = EVERYTHING_BY_DEFAULT
    return {
        "cloudformation.yaml": template(policy(default, Partition.AWS)),
        "policy.json": _file(default, None),
        "policy-for-one-cluster.json": _file(default, CLUSTER_NAME),
        "policy-for-tls-secrets.json": _file(_TLS, None),
        "policy-for-tls-secrets-of-one-cluster.json": _file(_TLS, CLUSTER_NAME),
        "policy-for-requested-certificates.json": _file(_REQUESTS, None),
        "policy-for-requested-certificates-of-one-cluster.json": _file(_REQUESTS, CLUSTER_NAME),
    }


def _unknown(option: str, given: Iterable[str], known: Sequence[str]) -> Iterator[Problem]:
    for name in given:
        if name not in known:
            yield Problem(
                subject="lbcontroller iam-policy",
                field=option,
                value=name,
                expected=f"expected one of {', '.join(known)}",
                hint=did_you_mean(name, known),
            )


def _file(features: Collection[Feature], cluster: str | None) -> str:
    return _text(policy(features, Partition.AWS, cluster))


def _text(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"

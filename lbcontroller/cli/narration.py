"""What the demo says. What it does is in `demo`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from lbcontroller.cli.aws_view import TargetGroupView
from lbcontroller.cli.console import styled
from lbcontroller.cli.plan_view import plan_lines
from lbcontroller.cli.stage import Stage
from lbcontroller.cli.tree import call_lines, event_lines
from lbcontroller.local.aws.recorder import Call
from lbcontroller.plan.render import Line, LineMark
from lbcontroller.plan.targets import TargetChanges

OPENING: Final = (
    "This starts a small Kubernetes API server and a small AWS, reachable from this machine only, and runs\n"
    "the controller on them. The controller is the whole one: it does not know that this is a demo."
)
START: Final = "Start"
APPLY: Final = "Apply the examples, and wait until every Service has its address"
SCALE: Final = "Scale a Deployment"
LOSE_POD: Final = "Lose a pod"
ANNOTATE: Final = "Change an annotation"
MISTAKE: Final = "Make a mistake"
DELETE: Final = "Delete everything"
YOUR_TURN: Final = "Your turn"
UNTOUCHED: Final = "  No other Service was touched, and AWS heard nothing of it."
TOUCHED: Final = "  Something else was touched, which must not happen."
STOPPED: Final = "\nStopped."
WIDEST_TREE: Final = 1000
NO_AWS_EXTRA: Final = "The demo needs the embedded AWS: pip install 'lbcontroller[demo]'"


class Narrator:
    """Prints the demo, one numbered act after the other."""

    def __init__(self, console: Console) -> None:
        """Print on `console`."""
        self._console = console
        self._act = 0

    def act(self, title: str) -> None:
        """Begin an act."""
        self._act += 1
        self._console.print()
        self._console.print(styled(f"{self._act}. {title}", "bold"))

    def say(self, text: str) -> None:
        """Print lines of text."""
        for line in text.split("\n"):
            self._console.print(styled(line))

    def lines(self, lines: Iterable[Text]) -> None:
        """Print lines that others have made."""
        for line in lines:
            self._console.print(line)

    def tree(self, tree: Tree) -> None:
        """Print a tree, whose lines are as long as they are."""
        options = self._console.options.update_width(WIDEST_TREE)
        for line in self._console.render_lines(tree, options, pad=False):
            self._console.print(Text.assemble(*((part.text, part.style or "") for part in line)))

    def plan(self, lines: Iterable[Line]) -> None:
        """Print a plan before it is carried out."""
        self.say("  The plan:")
        self.lines(plan_lines(lines, indent="    "))

    def calls(self, calls: Iterable[Call]) -> None:
        """Print what something took in AWS calls."""
        self.lines(call_lines(calls))

    def events(self, events: Iterable[Mapping[str, object]]) -> None:
        """Print events as kubectl describes them."""
        self.say("Events:")
        self.lines(event_lines(events))

    def ran(self, command: str) -> None:
        """Print what somebody would type to do what the demo does."""
        self._console.print(styled(f"  $ {command}", "bold magenta"))


def target_plan(
    changes: Mapping[str, TargetChanges], groups: Mapping[str, TargetGroupView], names: Mapping[str, str]
) -> tuple[Line, ...]:
    """Return what happens to targets, as lines of a plan."""
    lines: list[Line] = []
    for arn, change in changes.items():
        name = groups[arn].name
        for mark, verb, targets in (
            (LineMark.CREATE, f"register in {name}", change.register),
            (LineMark.DELETE, f"deregister from {name}", change.deregister),
        ):
            lines += [
                Line(mark=mark, text=f"{verb}: {target.id}:{target.port} ({names.get(target.id, 'unknown')})")
                for target in targets
            ]
    return tuple(lines)


def started(stage: Stage, nodes: Iterable[str]) -> str:
    """Return what runs."""
    world = stage.cluster.world
    return (
        f"  Cluster {world.world.cluster_name} with {', '.join(nodes)}, in VPC {world.vpc_id}.\n"
        "  The controller runs. It has read the account in bulk:"
    )


def kept(stage: Stage, examples: Path) -> str:
    """Return how to use what goes on running."""
    aws = f"aws --region {stage.aws.region} --endpoint-url {stage.aws.url}"
    return (
        "  It goes on running until Ctrl-C. In another terminal:\n"
        f"    export KUBECONFIG={stage.kubeconfig}\n"
        "    kubectl get services,targetgroupbindings\n"
        "    kubectl describe service web\n"
        "    kubectl scale deployment web --replicas=5\n"
        f"    kubectl apply -f {examples}\n"
        "  The admission webhooks are registered: kubectl prints what is wrong with an Ingress.\n"
        f"  The AWS endpoint is {stage.aws.url}; any key and secret will do:\n"
        f"    AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=me {aws} elbv2 describe-load-balancers\n"
        f"  The controller logs to {stage.log}."
    )


def what_is_left(
    contents: Mapping[str, Sequence[str]], seeded: Mapping[str, Sequence[str]], in_cluster: Sequence[str]
) -> str:
    """Return the account beside what it was before, and what is left in the cluster."""
    in_aws = [
        f"    {len(names)} {kind}, {len(seeded[kind])} before the demo" for kind, names in contents.items()
    ]
    found = ", ".join(in_cluster) or "no Service, no TargetGroupBinding, so no finalizer"
    return "\n".join(["  In AWS:", *in_aws, f"  In Kubernetes: {found}."])


def totals(seconds: float, *, writes: int, reads: int) -> str:
    """Return what the acts took; `seconds` count from when everything runs."""
    return (
        f"\nAll this took {seconds:.1f} s and {writes + reads} AWS calls: {writes} writes and {reads} reads."
    )


def failed(error: Exception, log: Iterable[str]) -> str:
    """Return why the demo ends early."""
    return "\n".join([f"\nThis did not come about: {error}. The controller's log ends with:", *log])

"""The examples of Ingresses are applied as they stand, and serve."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.sites import problems, published, warnings
from tests.support.yard import Yard

EXAMPLES = Path(__file__).parents[3] / "examples" / "ingress"
CLASS = EXAMPLES / "class.yaml"


@pytest.mark.parametrize(
    "example", [path for path in sorted(EXAMPLES.glob("*.yaml")) if path != CLASS], ids=lambda path: path.stem
)
def test_an_example_is_served_without_a_warning_and_leaves_nothing(yard: Yard, example: Path) -> None:
    before = yard.state()
    yard.apply(CLASS.read_text("utf-8"))
    yard.settle()
    manifests = list(yaml.safe_load_all(example.read_text("utf-8")))
    with yard.kubernetes.one_step():
        for manifest in manifests:
            yard.kubernetes.apply(manifest)
    yard.settle()

    ingresses = [manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == "Ingress"]
    for name in ingresses:
        assert (warnings(yard, name), problems(yard, name)) == ([], None)
        assert len(published(yard, name)) == 1
    groups = yard.state()["target_groups"].values()
    assert [group for group in groups if not group["targets"]] == []
    (front,) = yard.state()["load_balancers"].values()
    assert all(listener.get("rules") or _redirects(listener) for listener in front["listeners"].values())

    for name in ingresses:
        yard.delete("ingress", name)
    yard.settle()
    assert yard.state() == before


def _redirects(listener: dict[str, list[dict[str, str]]]) -> bool:
    """Whether clients are sent elsewhere, whatever they ask for."""
    return [action["Type"] for action in listener["DefaultActions"]] == ["redirect"]

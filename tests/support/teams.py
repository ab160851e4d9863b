"""Ingresses of one group that several teams own, changed together and looked at one by one."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.ingress_objects import INGRESS_PREFIX, a_path
from tests.support.yard import Yard

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the teams have in AWS at one moment."""

    state: JsonObject

    def rules(self, team: str) -> dict[str, list[Any]]:
        """Return conditions and actions of a team's rules, by listener."""
        listeners = self._load_balancer()["listeners"]
        return {
            place: [[rule["conditions"], rule["actions"]] for rule in _of_host(team, listener["rules"])]
            for place, listener in listeners.items()
            if any(_of_host(team, listener.get("rules", ())))
        }

    def paths(self, team: str) -> dict[str, list[str]]:
        """Return the paths of a team's rules in the order of their priorities, by listener."""
        return {
            place: [_path(conditions) for conditions, _ in rules] for place, rules in self.rules(team).items()
        }

    def target_groups(self, team: str) -> JsonObject:
        """Return a team's target groups, with attributes and targets."""
        groups = self.state["target_groups"]
        return {name: group for name, group in groups.items() if f"<default/{team}-" in name}

    def shared(self) -> JsonObject:
        """Return what all teams have in common: everything but rules and target groups."""
        load_balancers = copy.deepcopy(self.state["load_balancers"])
        for load_balancer in load_balancers.values():
            for listener in load_balancer["listeners"].values():
                listener.pop("rules", None)
        return {"load_balancers": load_balancers, "security_groups": self.state["security_groups"]}

    def _load_balancer(self) -> JsonObject:
        """Return the application load balancer."""
        found: Iterable[JsonObject] = self.state["load_balancers"].values()
        (front,) = (item for item in found if item["type"] == "application")
        return front


@dataclass(slots=True, kw_only=True)
class Teams:
    """Ingresses, each with the host `<name>.apps.example.com` in its first rule."""

    yard: Yard
    manifests: list[JsonObject]
    """Placeholders are replaced."""
    at_peace: bool = False
    """Whether all of them are served as the manifests ask, and nobody asks for more."""
    asked: int = 0
    """How many times the teams asked for something new."""
    asked_before_start: int = 0
    """How many of them an earlier controller was asked."""
    _sight: Sight | None = None
    """What was seen since they asked last: nobody else changes anything."""

    @property
    def news(self) -> str:
        """The path that every team asked for last."""
        return f"/news-{self.asked}"

    def ask(self, changed: Mapping[str, JsonObject] | None = None) -> None:
        """Let every team ask for a new path beside `/`, and those in `changed` for that too, and wait.

        Args:
            changed: by name of the Ingress, `annotations` without their prefix, None for those that it is not
                to have, and fields of the `spec`.
        """
        self.asked += 1
        self._sight = None
        with self.yard.kubernetes.one_step():
            for manifest in self.manifests:
                name = manifest["metadata"]["name"]
                other = (changed or {}).get(name, {}) if manifest["kind"] == "Ingress" else {}
                self.yard.kubernetes.apply(self._asking(manifest, other))
        self.yard.settle()

    def _asking(self, manifest: JsonObject, other: JsonObject) -> JsonObject:
        if manifest["kind"] != "Ingress":
            return manifest
        asking = copy.deepcopy(manifest)
        fill = self.yard.cluster.world.fill
        for key, text in other.get("annotations", {}).items():
            asking["metadata"]["annotations"][INGRESS_PREFIX + key] = text and fill(text)
        given = asking["metadata"]["annotations"].items()
        asking["metadata"]["annotations"] = {key: text for key, text in given if text is not None}
        asking["spec"] |= copy.deepcopy(other.get("spec", {}))
        asking["spec"]["rules"][0]["http"]["paths"].append(a_path(path=self.news))
        return asking

    def look(self) -> Sight:
        """Return what is in AWS now."""
        self._sight = self._sight or Sight(state=self.yard.state())
        return self._sight


def _of_host(team: str, rules: Iterable[JsonObject]) -> list[JsonObject]:
    host = f"{team}.apps.example.com"
    return [
        rule
        for rule in rules
        if any(
            host in condition.get("HostHeaderConfig", {}).get("Values", ())
            for condition in rule["conditions"]
        )
    ]


def _path(conditions: Iterable[JsonObject]) -> str:
    """Return the first pattern of a path: the path itself, or `/*`."""
    patterns = [item["PathPatternConfig"]["Values"] for item in conditions if "PathPatternConfig" in item]
    return str(patterns[0][0])

"""What every part of a build takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

from lbcontroller.keys import ObjectName
from lbcontroller.model.findings import Finding
from lbcontroller.model.identity import StackId
from lbcontroller.model.inventory import Inventory
from lbcontroller.model.resources import Stack
from lbcontroller.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """The object a stack is built for, and the facts around it."""

    subject: str
    """The object as problems and findings name it, such as `Service shop/web`."""
    owner: ObjectName
    uid: str
    stack: StackId
    inventory: Inventory
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The desired stack, and what its owner should know."""

    stack: Stack
    findings: tuple[Finding, ...] = ()

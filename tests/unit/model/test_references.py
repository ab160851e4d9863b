from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from lbcontroller.model.fields import Field
from lbcontroller.model.references import Kind, Ref, ResourceId, references, referring_fields
from lbcontroller.model.resources import HealthCheck, LoadBalancer

T = TypeVar("T")


@dataclass(frozen=True)
class Door:
    leads_to: Field[Ref]


@dataclass(frozen=True)
class House:
    doors: tuple[Door, ...]
    number: int
    names: frozenset[str]
    keeper: str | Ref
    cellar: Any


@dataclass(frozen=True)
class Box(Generic[T]):
    content: T


def a_ref(name: str) -> Ref:
    return Ref(ResourceId(Kind.LISTENER, name))


@pytest.mark.parametrize(
    ("type_", "fields"),
    [
        (Door, ("leads_to",)),
        (House, ("doors", "keeper", "cellar")),
        (Box, ("content",)),
        (LoadBalancer, ("security_groups",)),
        (HealthCheck, ()),
        (str, ()),
        (tuple, ()),
    ],
)
def test_the_declared_type_tells_which_fields_may_refer(type_: type, fields: tuple[str, ...]) -> None:
    assert referring_fields(type_) == fields


def test_references_are_found_at_any_depth() -> None:
    house = House(
        doors=(Door(a_ref("garden")),),
        number=1,
        names=frozenset({"home"}),
        keeper=a_ref("keeper"),
        cellar=(Box(a_ref("wine")),),
    )

    assert {id_.name for id_ in references((house, "street"))} == {"garden", "keeper", "wine"}

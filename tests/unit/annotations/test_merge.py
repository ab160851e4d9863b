from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from lbcontroller.annotations.codecs import BOOLEAN, enumeration, integer, list_of, string_map
from lbcontroller.annotations.declare import AnnotationModel, Key, Merge
from lbcontroller.annotations.merge import Member, Merged, merge
from lbcontroller.model.enums import Scheme

ENTRIES = string_map(lambda _key, _value: ())


class FleetAnnotations(AnnotationModel):
    """One annotation for each way of merging."""

    carrier: ClassVar[str] = "Boats"
    prefix: ClassVar[str] = "boats.example.com/"
    watched: ClassVar[tuple[str, ...]] = ("",)
    effectless: ClassVar[Mapping[str, str]] = {}

    scheme: Annotated[Scheme | None, Key("scheme", "x", merge=Merge.EXCLUSIVE), enumeration(Scheme)] = None
    """Exclusive."""
    tags: Annotated[Mapping[str, str], Key("tags", "x", merge=Merge.UNION), ENTRIES] = Field(
        default_factory=dict
    )
    """Union of maps."""
    numbers: Annotated[tuple[int, ...], Key("numbers", "x", merge=Merge.UNION), list_of(integer())] = ()
    """Union of lists."""
    limits: Annotated[
        Mapping[int, Mapping[str, str]], Key("limits", "x", parameter=integer(), merge=Merge.UNION), ENTRIES
    ] = Field(default_factory=dict)
    """Union of maps, by parameter."""
    ropes: Annotated[
        Mapping[int, Mapping[str, str]],
        Key("ropes", "x", parameter=integer(), merge=Merge.EXCLUSIVE),
        ENTRIES,
    ] = Field(default_factory=dict)
    """Exclusive, by parameter."""
    anchor: Annotated[bool | None, Key("anchor", "x"), BOOLEAN] = None
    """Own."""


def a_member(name: str, **annotations: str) -> Member[FleetAnnotations]:
    subject = f"Boat harbour/{name}"
    keys = {f"boats.example.com/{key.replace('__', '.')}": value for key, value in annotations.items()}
    return Member(subject=subject, annotations=FleetAnnotations.parse(subject, keys).model)


def merged(*members: Member[FleetAnnotations]) -> Merged[FleetAnnotations]:
    return merge(FleetAnnotations, members)


def texts(result: Merged[FleetAnnotations]) -> list[str]:
    return [f"{problem.subject}: {problem}" for problem in result.conflicts]


def test_nobody_says_anything() -> None:
    assert merged().annotations == merged(a_member("one")).annotations == FleetAnnotations()


def test_what_one_says_holds_for_all() -> None:
    result = merged(a_member("one"), a_member("two", scheme="internal"))
    assert result.annotations.scheme is Scheme.INTERNAL
    assert result.conflicts == ()


def test_what_counts_for_its_own_object_is_left_out() -> None:
    assert merged(a_member("one", anchor="true")).annotations.anchor is None


def test_members_that_agree_do_not_conflict() -> None:
    result = merged(a_member("one", scheme="internal"), a_member("two", scheme="internal"))
    assert result.annotations.scheme is Scheme.INTERNAL
    assert result.conflicts == ()


def test_the_first_member_wins_and_the_later_one_is_told_both_names() -> None:
    result = merged(
        a_member("one", scheme="internal"),
        a_member("two", scheme="internet-facing"),
        a_member("three", scheme="internal"),
    )
    assert result.annotations.scheme is Scheme.INTERNAL
    (text,) = texts(result)
    assert text == (
        "Boat harbour/two: boats.example.com/scheme: 'internet-facing': must be 'internal' as on "
        "Boat harbour/one, which shares its load balancer and comes first "
        "(remove it here or make both say the same)"
    )


def test_lists_are_joined_without_repeats() -> None:
    result = merged(a_member("one", numbers="3,1"), a_member("two", numbers="1,2"))
    assert result.annotations.numbers == (3, 1, 2)


def test_maps_are_joined() -> None:
    result = merged(a_member("one", tags="a=1,b=2"), a_member("two", tags="b=2,c=3"))
    assert result.annotations.tags == {"a": "1", "b": "2", "c": "3"}
    assert result.conflicts == ()


def test_a_map_that_contradicts_is_left_out_and_the_entries_are_named() -> None:
    result = merged(
        a_member("one", tags="a=1,b=2"), a_member("two", tags="b=3,c=4"), a_member("three", tags="d=5")
    )
    assert result.annotations.tags == {"a": "1", "b": "2", "d": "5"}
    (text,) = texts(result)
    assert text.startswith(
        "Boat harbour/two: boats.example.com/tags: 'b=3,c=4': must agree with 'b=2' as on Boat harbour/one"
    )


def test_a_contradiction_names_the_member_it_is_with() -> None:
    result = merged(a_member("one", tags="a=1"), a_member("two", tags="b=2"), a_member("three", tags="b=3"))
    (problem,) = result.conflicts
    assert problem.subject == "Boat harbour/three"
    assert "as on Boat harbour/two" in problem.expected


def test_keys_with_parameters_are_merged_by_parameter() -> None:
    result = merged(
        a_member("one", limits__1="a=1", ropes__1="x=1"),
        a_member("two", limits__1="b=2", limits__2="a=9", ropes__2="x=2"),
    )
    assert result.annotations.limits == {1: {"a": "1", "b": "2"}, 2: {"a": "9"}}
    assert result.annotations.ropes == {1: {"x": "1"}, 2: {"x": "2"}}
    assert result.conflicts == ()


def test_contradictions_of_parameters_name_the_whole_key() -> None:
    result = merged(
        a_member("one", ropes__1="x=1", ropes__2="x=2"), a_member("two", ropes__1="y=1", ropes__2="x=2")
    )
    (problem,) = result.conflicts
    assert problem.field == "boats.example.com/ropes.1"
    assert problem.expected.startswith("must agree with 'x=1' as on Boat harbour/one")
    assert result.annotations.ropes == {1: {"x": "1"}, 2: {"x": "2"}}

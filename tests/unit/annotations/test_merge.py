from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Annotated, ClassVar

from pydantic import Field

from lbcontroller.annotations import formats
from lbcontroller.annotations.codecs import BOOLEAN, enumeration, integer, list_of, string_map
from lbcontroller.annotations.declare import AnnotationModel, Key, Merge, Scope
from lbcontroller.annotations.merge import Decided, Member, Merged, merge
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
    ports: Annotated[
        tuple[str, ...] | None, Key("ports", "x", merge=Merge.SAME_SET), list_of(formats.SUBNET)
    ] = None
    """The same set."""
    crew: Annotated[tuple[int, ...], Key("crew", "x", merge=Merge.EXCLUSIVE), list_of(integer())] = ()
    """Exclusive, and empty is as good as absent."""
    depth: Annotated[
        int | None, Key("depth", "x", merge=Merge.EXCLUSIVE, scope=Scope.LISTENER), integer()
    ] = None
    """For another scope."""


def a_member(
    name: str, *, order: int = 0, sources: Mapping[str, str] | None = None, **annotations: str
) -> Member[FleetAnnotations]:
    subject = f"Boat harbour/{name}"
    keys = {f"boats.example.com/{key.replace('__', '.')}": value for key, value in annotations.items()}
    model = FleetAnnotations.parse(subject, keys).model
    return Member(subject=subject, annotations=model, order=order, sources=sources or {})


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
        a_member("yet another", scheme="internal"),
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


def test_an_entry_that_contradicts_is_left_out_and_the_others_hold() -> None:
    result = merged(
        a_member("one", tags="a=1,b=2"), a_member("three", tags="d=5"), a_member("two", tags="b=3,c=4,a=1")
    )
    assert result.annotations.tags == {"a": "1", "b": "2", "c": "4", "d": "5"}
    (text,) = texts(result)
    assert text == (
        "Boat harbour/two: boats.example.com/tags: 'b=3': must be 'b=2' as on Boat harbour/one, "
        "which shares its load balancer and comes first (remove it here or make both say the same)"
    )


def test_every_entry_that_contradicts_is_named() -> None:
    result = merged(a_member("one", tags="a=1,b=2"), a_member("two", tags="a=3,b=4"))
    assert [problem.value for problem in result.conflicts] == ["a=3", "b=4"]


def test_a_contradiction_names_the_member_it_is_with() -> None:
    result = merged(a_member("a", tags="a=1"), a_member("b", tags="b=2"), a_member("c", tags="b=3"))
    (problem,) = result.conflicts
    assert problem.subject == "Boat harbour/c"
    assert "as on Boat harbour/b" in problem.expected


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
    assert problem.expected.startswith("must be 'x=1' as on Boat harbour/one")
    assert result.annotations.ropes == {1: {"x": "1"}, 2: {"x": "2"}}


def test_lower_orders_come_first_and_then_names_whatever_the_listing() -> None:
    members = [
        a_member("a", order=2, scheme="internal"),
        a_member("c", order=1, scheme="internet-facing"),
        a_member("b", order=1, scheme="internal"),
    ]
    for listing in permutations(members):
        result = merged(*listing)
        assert result.annotations.scheme is Scheme.INTERNAL
        assert result.speakers == {"boats.example.com/scheme": "Boat harbour/b"}
        assert [problem.subject for problem in result.conflicts] == ["Boat harbour/c"]


def test_a_set_is_the_same_in_any_order() -> None:
    result = merged(a_member("a", ports="x,y"), a_member("b", ports="y, x"), a_member("c", ports="x"))
    assert result.annotations.ports == ("x", "y")
    (text,) = texts(result)
    assert text.startswith("Boat harbour/c: boats.example.com/ports: 'x': must be 'x,y' as on Boat harbour/a")


def test_other_lists_are_not() -> None:
    result = merged(a_member("a", crew="1,2"), a_member("b", crew="2,1"))
    assert result.annotations.crew == (1, 2)
    assert [problem.value for problem in result.conflicts] == ["2,1"]


def test_an_empty_list_says_something_only_where_it_differs_from_absence() -> None:
    result = merged(a_member("a", crew="", ports=""), a_member("b", crew="3", ports="x"))
    assert result.annotations.crew == (3,)
    assert result.annotations.ports == ()
    assert [problem.field for problem in result.conflicts] == ["boats.example.com/ports"]


def test_each_scope_is_merged_by_itself() -> None:
    members = [a_member("a", depth="3", scheme="internal"), a_member("b", depth="4")]
    assert merge(FleetAnnotations, members).annotations.depth is None
    result = merge(FleetAnnotations, members, Scope.LISTENER)
    assert result.annotations == FleetAnnotations(depth=3)
    assert [problem.field for problem in result.conflicts] == ["boats.example.com/depth"]


def test_speakers_are_named_by_key_and_by_entry() -> None:
    result = merged(
        a_member("a", tags="x=1", limits__1="p=1"), a_member("b", tags="x=1,y=2", limits__1="q=2")
    )
    assert result.speakers == {
        "boats.example.com/tags": "Boat harbour/a",
        "boats.example.com/tags[x]": "Boat harbour/a",
        "boats.example.com/tags[y]": "Boat harbour/b",
        "boats.example.com/limits.1": "Boat harbour/a",
        "boats.example.com/limits.1[p]": "Boat harbour/a",
        "boats.example.com/limits.1[q]": "Boat harbour/b",
    }


def test_what_is_no_annotation_is_named_by_its_source() -> None:
    source = {"boats.example.com/scheme": "Fleet north spec.scheme"}
    result = merged(a_member("a", scheme="internal", sources=source), a_member("b", scheme="internet-facing"))
    (problem,) = result.conflicts
    assert "as on Boat harbour/a (Fleet north spec.scheme), which" in problem.expected
    result = merged(a_member("a", scheme="internal"), a_member("b", scheme="internet-facing", sources=source))
    (problem,) = result.conflicts
    assert problem.subject == "Boat harbour/b"
    assert problem.field == "Fleet north spec.scheme"


def test_a_decision_holds_against_all_and_contradicts_nobody() -> None:
    members = [a_member("a", scheme="internal"), a_member("b", scheme="internet-facing")]
    result = merge(
        FleetAnnotations,
        members,
        decided={("scheme", None): Decided(value=Scheme.INTERNET_FACING, source="Fleet north")},
    )
    assert result.annotations.scheme is Scheme.INTERNET_FACING
    assert result.conflicts == ()
    assert result.speakers == {"boats.example.com/scheme": "Boat harbour/a"}


def test_a_decision_about_a_map_is_one_about_each_of_its_entries() -> None:
    members = [
        a_member("a", tags="x=1,y=1", limits__1="p=1"),
        a_member("b", tags="x=2,y=2,z=2", limits__1="p=2"),
    ]
    result = merge(
        FleetAnnotations,
        members,
        decided={
            ("tags", None): Decided(value={"x": "9"}, source="Fleet north"),
            ("limits", 1): Decided(value={"p": "9"}, source="Fleet north"),
            ("limits", 2): Decided(value={"q": "9"}, source="Fleet north"),
        },
    )
    assert result.annotations.tags == {"x": "9", "y": "1", "z": "2"}
    assert result.annotations.limits == {1: {"p": "9"}, 2: {"q": "9"}}
    assert [problem.value for problem in result.conflicts] == ["y=2"]

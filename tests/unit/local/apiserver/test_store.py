from __future__ import annotations

from typing import Any

import pytest

from lbcontroller.local.apiserver import ApiError, Reason
from lbcontroller.local.apiserver.objects import Key
from lbcontroller.local.apiserver.store import ChangeType, Store


def an_entry(name: str, **members: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, **members}


def test_every_write_gets_the_next_version() -> None:
    store = Store()
    first = store.put("things", an_entry("a"))
    second = store.put("things", an_entry("b"))
    assert [each.object["metadata"]["resourceVersion"] for each in (first, second)] == ["1", "2"]


def test_changes_say_what_was_before() -> None:
    store = Store()
    store.put("things", an_entry("a", n=1))
    store.put("things", an_entry("a", n=2))
    store.remove("things", Key("shop", "a"))
    changes = store.changes_after("things", 0)
    assert [change.type for change in changes] == [ChangeType.ADDED, ChangeType.MODIFIED, ChangeType.DELETED]
    assert [change.before.object["n"] if change.before else None for change in changes] == [None, 1, 2]
    assert changes[-1].now.object["metadata"]["resourceVersion"] == "3"


def test_changes_are_kept_by_resource() -> None:
    store = Store()
    store.put("things", an_entry("a"))
    store.put("others", an_entry("a"))
    assert [change.version for change in store.changes_after("things", 0)] == [1]
    assert store.changes_after("others", 2) == []


def test_objects_are_listed_in_the_order_of_their_keys() -> None:
    store = Store()
    for name in ("b", "a"):
        store.put("things", an_entry(name))
    assert [each.object["metadata"]["name"] for each in store.objects("things", "shop")] == ["a", "b"]
    assert store.objects("things", "other") == []


def test_history_beyond_its_length_expires() -> None:
    store = Store(history=4)
    for number in range(5):
        store.put("things", an_entry("a", n=number))
    assert [change.version for change in store.changes_after("things", 2)] == [3, 4, 5]
    with pytest.raises(ApiError) as refused:
        store.changes_after("things", 1)
    assert refused.value.reason is Reason.EXPIRED


def test_compacting_makes_every_earlier_version_too_old_and_no_later_one() -> None:
    store = Store()
    version = int(store.put("things", an_entry("a")).object["metadata"]["resourceVersion"])
    store.compact()
    with pytest.raises(ApiError, match="too old resource version"):
        store.changes_after("things", version)
    assert store.changes_after("things", store.version) == []


def test_copies_do_not_change_what_is_stored() -> None:
    store = Store()
    store.put("things", an_entry("a", n=1))
    found = store.get("things", Key("shop", "a"))
    assert found is not None
    found.copy()["n"] = 2
    assert found.object["n"] == 1

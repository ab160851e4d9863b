from __future__ import annotations

import pytest

from lbcontroller.local.apiserver import ApiError
from lbcontroller.local.apiserver.selectors import parse_fields, parse_labels, selector_of


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier!=back", True),
        ("app!=web", False),
        ("tier!=front", True),
        ("app in (web, api)", True),
        ("app notin (web,api)", False),
        ("tier notin (x)", True),
        ("app", True),
        ("!app", False),
        ("!tier,app in (web)", True),
        ("app=", False),
    ],
)
def test_label_selectors_follow_the_query_syntax(text: str, selected: bool) -> None:
    assert parse_labels(text).selects({"app": "web"}) is selected


def test_a_malformed_label_selector_is_refused() -> None:
    with pytest.raises(ApiError, match="unable to parse requirement"):
        parse_labels("app in web")


def test_selector_objects_know_labels_and_expressions() -> None:
    expressions = [{"key": "tier", "operator": "DoesNotExist"}, {"key": "app", "operator": "Exists"}]
    selector = selector_of({"matchLabels": {"app": "web"}, "matchExpressions": expressions})
    assert selector.selects({"app": "web"})
    assert not selector.selects({"app": "web", "tier": "x"})


def test_field_selectors_compare_texts_and_count_absent_fields_as_empty() -> None:
    pod = {"metadata": {"name": "a"}, "status": {"phase": "Running"}}
    fields = ("status.phase", "spec.nodeName")
    assert parse_fields("metadata.name=a,status.phase!=Pending,spec.nodeName=", fields).selects(pod)
    assert not parse_fields("status.phase=Pending", fields).selects(pod)


def test_fields_that_the_kind_does_not_offer_are_refused() -> None:
    with pytest.raises(ApiError, match=r"field label not supported: spec\.colour"):
        parse_fields("spec.colour=red", ())

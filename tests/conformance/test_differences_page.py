"""docs/differences-from-lbc.md explains every difference that recorded cases show, and states no other."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tests.conformance.lists import deliberate_differences

PAGE = Path(__file__).parents[2] / "docs" / "differences-from-lbc.md"
SECTION = re.compile(r"^### (?P<reason>\w+): [^\n]+\n(?P<text>.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
PARTS = ("- LBC: ", "- Here: ", "- Why: ", "- Setting: ")


def sections() -> dict[str, str]:
    return {found["reason"]: found["text"] for found in SECTION.finditer(PAGE.read_text(encoding="utf-8"))}


def test_the_page_names_the_cases_that_differ_and_no_others() -> None:
    stated = {
        reason: set(re.findall(r"`([^`]+)`", text.partition("- Recorded cases: ")[2]))
        for reason, text in sections().items()
        if "- Recorded cases: " in text
    }

    shown = defaultdict(set)
    for difference in deliberate_differences():
        shown[difference.reason].add(difference.case)
    assert stated == shown


def test_every_difference_says_what_both_do_why_and_how_to_get_the_old_way() -> None:
    lacking = {
        reason: [part.strip("- ") for part in PARTS if part not in text]
        for reason, text in sections().items()
    }

    assert {reason: parts for reason, parts in lacking.items() if parts} == {}

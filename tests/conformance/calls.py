"""AWS calls for each recorded case beside those of LBC: `python -m tests.conformance.calls` prints them.

Arguments are prefixes of cases; by default there is a table of the Services and one of the Ingresses.

LBC's numbers are the recorded ones; refused cases were retried until the recorder stopped. Ours are counted
on a running controller, so neither pays for its start.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.conformance import runs, world
from tests.conformance.recorded import RecordedCase, recorded_cases
from tests.conformance.yards import Yards
from tests.support.yard import Yard

BY_DEFAULT: Final = ("svc-", "ing-")
HEAD = (
    "| case | create: LBC | of these writes | ours | of these writes | delete: LBC | ours |\n"
    "|---|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Calls of one case, or of all."""

    name: str
    counts: tuple[int, ...]
    """In the order of the table's columns."""

    def __str__(self) -> str:
        return f"| {self.name} | " + " | ".join(map(str, self.counts)) + " |"


def measure(case: RecordedCase, yard: Yard) -> Row:
    """Run a case and count."""
    expected = case.expected
    created = runs.create(case, yard)
    yard.forget_calls()
    left = runs.delete(case, yard)
    deleting = len(yard.cluster.aws.calls)
    if left["load_balancers"]:
        runs.lift_protection(case, yard)
    world.leave(case, yard.cluster)
    return Row(
        name=case.name,
        counts=(
            expected["n_calls"],
            expected["n_mutating"],
            sum(created.calls.values()),
            sum(created.writes.values()),
            sum(expected["after_delete"]["calls"].values()),
            deleting,
        ),
    )


def rows(prefix: str) -> Iterator[Row]:
    """Yield a row for each case, and their sums: of those that LBC serves, and of all."""
    measured = []
    served = []
    with tempfile.TemporaryDirectory() as folder, Yards(Path(folder)) as yards:
        for case in recorded_cases(prefix):
            row = measure(case, yards.clean())
            measured.append(row)
            if not case.nothing_published:
                served.append(row)
            yield row
    yield _sum("**all that LBC serves**", served)
    yield _sum("**all**", measured)


def _sum(name: str, measured: list[Row]) -> Row:
    return Row(name=name, counts=tuple(map(sum, zip(*(row.counts for row in measured), strict=True))))


def main(prefixes: Sequence[str]) -> None:
    """Print a table for each prefix."""
    for prefix in prefixes:
        sys.stdout.write(f"{HEAD}\n")
        for row in rows(prefix):
            sys.stdout.write(f"{row}\n")
        sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:] or BY_DEFAULT)

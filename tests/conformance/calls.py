"""AWS calls for each recorded Service beside those of LBC: `python -m tests.conformance.calls` prints them.

LBC's numbers are the recorded ones; refused cases were retried until the recorder stopped. Ours are counted
on a running controller, so neither pays for its start.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import runs, world
from tests.conformance.recorded import RecordedCase, recorded_cases
from tests.conformance.yards import Yards
from tests.support.yard import Yard

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


def rows() -> Iterator[Row]:
    """Yield a row for each case, and their sums: of those that LBC serves, and of all."""
    measured = []
    served = []
    with tempfile.TemporaryDirectory() as folder, Yards(Path(folder)) as yards:
        for case in recorded_cases("svc-"):
            row = measure(case, yards.clean())
            measured.append(row)
            if not case.nothing_published:
                served.append(row)
            yield row
    yield _sum("**all that LBC serves**", served)
    yield _sum("**all**", measured)


def _sum(name: str, measured: list[Row]) -> Row:
    return Row(name=name, counts=tuple(map(sum, zip(*(row.counts for row in measured), strict=True))))


def main() -> None:
    """Print the table."""
    sys.stdout.write(f"{HEAD}\n")
    for row in rows():
        sys.stdout.write(f"{row}\n")


if __name__ == "__main__":
    main()

"""The recorded cases: manifests, and what the AWS Load Balancer Controller (LBC) left in AWS for them.

A case is a folder of `data`:

    case.yaml      the first document is about the case, the others are manifests with placeholders for ids
    expected.json  what LBC left, in the normal form of `lbcontroller.local.aws.state`
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

DATA: Final = Path(__file__).with_name("data")
DEFAULT_REPLICAS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCase:
    """One recorded case."""

    name: str
    sentence: str
    nothing_published: bool
    """Whether LBC refused the manifests, or left them alone."""
    replicas: int
    """Ready pods of each Service with a selector."""
    manifests: str
    """YAML documents with placeholders."""
    expected: dict[str, Any]

    @property
    def namespace(self) -> str:
        """Where the manifests were applied."""
        return f"y-{self.name}"

    @property
    def calls(self) -> Counter[str]:
        """AWS calls that LBC made until it had settled."""
        return Counter(self.expected["calls"])

    @classmethod
    def read(cls, folder: Path) -> RecordedCase:
        """Read the case in `folder`."""
        head, *manifests = yaml.safe_load_all((folder / "case.yaml").read_text(encoding="utf-8"))
        return cls(
            name=folder.name,
            sentence=head["case"],
            nothing_published=head.get("expect") == "none",
            replicas=head.get("replicas", DEFAULT_REPLICAS),
            manifests=yaml.safe_dump_all(manifests, sort_keys=False),
            expected=json.loads((folder / "expected.json").read_text(encoding="utf-8")),
        )


def case_names(prefix: str = "") -> Sequence[str]:
    """Return the names of all cases that start with `prefix`."""
    return tuple(sorted(folder.name for folder in DATA.iterdir() if folder.name.startswith(prefix)))


def recorded_case(name: str) -> RecordedCase:
    """Read one case."""
    return RecordedCase.read(DATA / name)


def recorded_cases(prefix: str) -> Iterator[RecordedCase]:
    """Read all cases whose names start with `prefix`."""
    return (recorded_case(name) for name in case_names(prefix))

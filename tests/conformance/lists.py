"""The lists beside the recorded cases: differences on purpose, and refusals.

    deliberate.yaml   case → list of {path, reason, ours}: exactly these fields differ from the recording
    refusals.yaml     who refuses → case → words its Warning event must contain, so that the user can mend it

A path is dotted as `compare` writes it, with `*` for any text; `ours` is the value found there. A reason is
the heading under which docs/differences-from-lbc.md explains the difference. Paths below `adoption` are those
of what `adoption.adopt` returns, paths below `after_delete` those of what `runs.left` returns. At the path
`told`, `ours` is the words of one Warning event about what LBC serves without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from tests.conformance.compare import Difference

FOLDER: Final = Path(__file__).parent
REFUSED: Final = "refused"
"""Value of `ours` at the path `published`: LBC serves the manifests and we refuse them."""
SERVED: Final = "served"
"""The reverse: what AWS refuses keeps LBC from serving, and us not; the user is told all the same.

Where this is so for some members of a group, `ours` says by object which are `served` and which `refused`.
"""
TOLD: Final = "told"
"""Path of a Warning event."""


class Aspect(StrEnum):
    """What differs from LBC."""

    RESULT = "result"
    """What is made of manifests."""
    ADOPTION = "adoption"
    """What is done to what LBC made of them: nothing, but for what is stated."""
    DELETION = "after_delete"
    """What is left when they are deleted: nothing, but for what is stated."""
    TOLD = TOLD
    """What users are told about manifests that are served: nothing, but for what is stated."""


_BY_ROOT: Final = {aspect.value: aspect for aspect in Aspect}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliberate:
    """A difference on purpose."""

    case: str
    path: str
    reason: str
    ours: Any

    @property
    def aspect(self) -> Aspect:
        """What differs."""
        return _BY_ROOT.get(self.path.partition(".")[0], Aspect.RESULT)

    def covers(self, difference: Difference) -> bool:
        """Return whether this is the place where the two differ."""
        pattern = ".*".join(re.escape(part) for part in self.path.split("*"))
        return re.fullmatch(pattern, difference.path) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Words that the Warning of each refused case contains, by case."""

    before_the_first_write: Mapping[str, Sequence[str]]
    by_aws: Mapping[str, Sequence[str]]
    """Nobody but AWS can tell that these are wrong."""
    of_one_member: Mapping[str, Sequence[str]]
    """One of a group is told; the group is served."""
    ignored: Sequence[str]
    """Cases that are somebody else's: nobody is told anything."""

    @property
    def cases(self) -> list[str]:
        """Names of all cases, in order."""
        with_words = (self.before_the_first_write, self.by_aws, self.of_one_member)
        return sorted([*self.ignored, *(case for cases in with_words for case in cases)])

    def words(self, case: str) -> Sequence[str]:
        """Return the words for a case, none for one that has no entry."""
        with_words = (self.before_the_first_write, self.by_aws, self.of_one_member)
        return next((cases[case] for cases in with_words if case in cases), ())


@cache
def deliberate_differences() -> Sequence[Deliberate]:
    """Read deliberate.yaml."""
    return tuple(
        Deliberate(case=case, **entry) for case, entries in _read("deliberate").items() for entry in entries
    )


def deliberate_in(case: str, aspect: Aspect = Aspect.RESULT) -> Sequence[Deliberate]:
    """Return the differences on purpose of one case in one aspect."""
    return tuple(entry for entry in deliberate_differences() if entry.case == case and entry.aspect is aspect)


@cache
def refusals() -> Refusals:
    """Read refusals.yaml."""
    return Refusals(**_read("refusals"))


def unexplained(found: Sequence[Difference], entries: Sequence[Deliberate]) -> Iterator[str]:
    """Yield what is wrong: differences nobody stated, stated ones that are other than stated or not there."""
    for difference in found:
        covering = [entry for entry in entries if entry.covers(difference)]
        if not covering:
            yield str(difference)
        for entry in covering:
            if entry.ours != difference.found:
                yield f"{difference} (deliberate.yaml says {entry.ours!r}, {entry.reason})"
    for entry in entries:
        if not any(entry.covers(difference) for difference in found):
            yield f"{entry.path}: no difference, but deliberate.yaml states one ({entry.reason})"


@cache
def _read(name: str) -> Mapping[str, Any]:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")) or {}

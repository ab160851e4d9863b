"""Whether a case passes: a run of it from nothing to nothing, and all that is wrong with it in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.conformance import runs, world
from tests.conformance.compare import differences
from tests.conformance.lists import REFUSED, SERVED, Aspect, deliberate_in, refusals, unexplained
from tests.conformance.recorded import RecordedCase
from tests.support.yard import Yard


def is_refused(case: RecordedCase) -> bool:
    """Return whether something is not to be published: LBC refuses the case, or we do so on purpose."""
    return case.nothing_published or any(entry.ours == REFUSED for entry in deliberate_in(case.name))


def problems_with(case: RecordedCase, yard: Yard) -> list[str]:
    """Run a case; return nothing when it passes.

    A served case ends in the recorded state. A refused one makes no AWS call that changes something and
    has a Warning event that says what to mend; one of which AWS refuses a part is served without that
    part, and so is a group of which one member is refused. All leave nothing behind.
    """
    created = runs.create(case, yard)
    looks = _looks_refused if is_refused(case) else _looks_served
    problems = list(looks(case, created, yard))
    left = runs.delete(case, yard)
    kept = differences({"after_delete": runs.recorded_after_delete(case)}, {"after_delete": left})
    problems += unexplained(list(kept), deliberate_in(case.name, Aspect.DELETION))
    if left["load_balancers"]:
        left = runs.lift_protection(case, yard)
        problems += [str(difference) for difference in differences(runs.NOTHING_LEFT, left)]
    problems += [f"left behind: {name}" for name in world.made_objects(case, yard.cluster)]
    world.leave(case, yard.cluster)
    return problems


def _looks_served(case: RecordedCase, created: runs.Created, yard: Yard) -> Iterator[str]:
    found = list(differences(runs.recorded_document(case), created.document))
    yield from unexplained(found, deliberate_in(case.name))
    yield from _is_told(case, created, yard)


def _is_told(case: RecordedCase, created: runs.Created, yard: Yard) -> Iterator[str]:
    """Yield Warnings that nobody stated, and stated ones that are not there."""
    unstated = list(created.warnings)
    for entry in deliberate_in(case.name, Aspect.TOLD):
        words = [yard.cluster.world.fill(word) for word in entry.ours]
        telling = [message for message in unstated if all(word in message for word in words)]
        if not telling:
            yield f"no Warning contains {words}"
        unstated = [message for message in unstated if message not in telling[:1]]
    yield from (f"unexpected warning: {message}" for message in unstated)


def _looks_refused(case: RecordedCase, created: runs.Created, yard: Yard) -> Iterator[str]:
    yield from _has_words(case, created, yard)
    published = {name: bool(entries) for name, entries in created.document["published"].items()}
    if published != dict(_expected_to_serve(case, published)):
        yield f"published: {created.document['published']}"
    yield from _writes_too_much(case, created)


def _has_words(case: RecordedCase, created: runs.Created, yard: Yard) -> Iterator[str]:
    words = [yard.cluster.world.fill(word) for word in refusals().words(case.name)]
    told = "\n".join(created.warnings)
    missing = [word for word in words if word not in told]
    if case.name in refusals().ignored:
        if told:
            yield f"is not ours, and yet there is a Warning: {told!r}"
    elif not words or missing:
        yield f"the Warning does not contain {missing or 'anything: refusals.yaml has no words'}: {told!r}"


def _expected_to_serve(case: RecordedCase, objects: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield each object with whether it is to have an address."""
    stated = next((entry.ours for entry in deliberate_in(case.name) if entry.path == "published"), REFUSED)
    for name in objects:
        yield name, (stated[name] if isinstance(stated, dict) else stated) == SERVED


def _writes_too_much(case: RecordedCase, created: runs.Created) -> Iterator[str]:
    """Nothing may be written; where only AWS can refuse, less than LBC writes in its storm of retries."""
    if case.name in refusals().of_one_member:
        return
    allowed = case.expected["n_mutating"] - 1 if case.name in refusals().by_aws else 0
    if sum(created.writes.values()) > allowed:
        yield f"wrote {dict(created.writes)}"

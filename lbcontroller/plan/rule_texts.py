"""Rules, their actions and their order in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, assert_never

from lbcontroller.model.actions import (
    Action,
    AuthenticateCognitoAction,
    AuthenticateOidcAction,
    FixedResponseAction,
    ForwardAction,
    RedirectAction,
    ValidateJwtAction,
)
from lbcontroller.model.references import Ref
from lbcontroller.model.rule_conditions import (
    Condition,
    HeaderCondition,
    HostCondition,
    HostRewrite,
    MethodCondition,
    PathCondition,
    QueryCondition,
    SourceCondition,
    Transform,
    UrlRewrite,
)

LONGEST_BODY: Final = 40
"""Characters of an answer that are shown."""

Name = Callable[[str | Ref], str]
"""What a target group is called."""


def part_text(value: object, name: Name) -> str | None:
    """Return a part of a rule in words; None for anything else."""
    if isinstance(value, Action):
        return action_text(value, name)
    if isinstance(value, Condition):
        return condition_text(value)
    return transform_text(value) if isinstance(value, Transform) else None


def conditions_text(conditions: Iterable[Condition]) -> str:
    """Return which requests a rule is for."""
    return " and ".join(condition_text(condition) for condition in conditions) or "every request"


def condition_text(condition: Condition) -> str:
    """Return what a request must be like."""
    match condition:
        case HostCondition():
            return f"host {_patterns(condition)}"
        case PathCondition():
            return f"path {_patterns(condition)}"
        case HeaderCondition():
            return f"header {condition.name} {_patterns(condition)}"
        case MethodCondition():
            return f"method {' or '.join(condition.values)}"
        case QueryCondition():
            pairs = (f"{'*' if pair.key is None else pair.key}={pair.value}" for pair in condition.values)
            return f"query {' or '.join(pairs)}"
        case SourceCondition():
            return f"source {' or '.join(condition.cidrs)}"
        case _:
            assert_never(condition)


def action_text(action: Action, name: Name) -> str:
    """Return what is done with a request; no secret is shown."""
    match action:
        case ForwardAction():
            return _forward(action, name)
        case RedirectAction():
            return f"redirect ({action.status}) {_destination(action)}"
        case FixedResponseAction():
            return _response(action)
        case AuthenticateOidcAction():
            return f"log in at {action.issuer} as client {action.client_id}"
        case AuthenticateCognitoAction():
            return f"log in at {action.user_pool_arn} as client {action.client_id}"
        case ValidateJwtAction():
            return f"require a token of {action.issuer}"
        case _:
            assert_never(action)


def transform_text(transform: Transform) -> str:
    """Return what targets see instead of what the client asked for."""
    match transform:
        case HostRewrite():
            what = "host"
        case UrlRewrite():
            what = "URL"
        case _:
            assert_never(transform)
    rewrites = (f"{rewrite.regex} by {rewrite.replacement}" for rewrite in transform.rewrites)
    return f"replace in the {what} {' and '.join(rewrites)}"


def moves_text(moves: Iterable[tuple[int | None, int]]) -> Iterator[str]:
    """Yield who moves where; neighbours that stay neighbours move together.

    Args:
        moves: priorities before and after; before is None where it is not known.
    """
    runs: list[list[tuple[int | None, int]]] = []
    for before, after in sorted(moves, key=lambda move: move[1]):
        last = runs[-1][-1] if runs else None
        if last is not None and last[0] is not None and (last[0] + 1, last[1] + 1) == (before, after):
            runs[-1].append((before, after))
        else:
            runs.append([(before, after)])
    for run in runs:
        (before, after), (last_before, last_after) = run[0], run[-1]
        if len(run) == 1:
            yield f"priority {'unknown' if before is None else before} → {after}"
        else:
            yield f"priorities {before} to {last_before} → {after} to {last_after}"


def _patterns(condition: HostCondition | PathCondition | HeaderCondition) -> str:
    return " or ".join((*condition.values, *(f"matching {regex}" for regex in condition.regexes)))


def _forward(action: ForwardAction, name: Name) -> str:
    shares = " and ".join(
        name(weighted.target_group) + ("" if weighted.weight is None else f" with weight {weighted.weight}")
        for weighted in action.target_groups
    )
    if not action.stickiness_enabled:
        return shares
    seconds = action.stickiness_seconds
    return f"{shares}, sticky" if seconds is None else f"{shares}, sticky for {seconds} s"


def _destination(action: RedirectAction) -> str:
    parts = {
        "protocol": action.protocol,
        "host": action.host,
        "port": action.port,
        "path": action.path,
        "query": action.query,
    }
    return "to " + (
        ", ".join(f"{part} {value}" for part, value in parts.items() if value is not None) or "the same"
    )


def _response(action: FixedResponseAction) -> str:
    body = action.body or ""
    shown = body if len(body) <= LONGEST_BODY else f"{body[:LONGEST_BODY]}…"
    return f"answer {action.status} {shown}" if shown else f"answer {action.status}"

"""What the paths and hosts of an Ingress mean in the patterns of a listener rule.

| pathType                | path   | condition                                     |
|-------------------------|--------|-----------------------------------------------|
| Exact                   | `/a`   | `/a`                                          |
| Prefix                  | `/`    | `/*`                                          |
| Prefix                  | `/a/`  | `/a`, `/a/*`: one slash at the end is no part |
| ImplementationSpecific  | `/a*`  | `/a*`: wildcards as AWS has them              |
| … with regular matching | `/a.b` | the regular expression `a.b`                  |
| any                     | none   | none                                          |
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, assert_never

from lbcontroller.cluster.ingress import IngressPath, PathType
from lbcontroller.errors import InvalidConfig, Problem
from lbcontroller.model.rule_conditions import Condition, HostCondition, PathCondition

EVERY_PATH: Final = "/*"
WILDCARDS: Final = frozenset("*?")


def path_condition(path: IngressPath, *, regular: bool, subject: str, field: str) -> PathCondition | None:
    """Return the condition that stands for a path; None for every path.

    Args:
        path: the path and how it is compared.
        regular: whether an ImplementationSpecific path is a regular expression.
        subject: the Ingress, for messages.
        field: where the path stands, for messages.

    Raises:
        InvalidConfig: for wildcards where Kubernetes has none.
    """
    if not path.path:
        return None
    match path.type:
        case PathType.EXACT:
            _refuse_wildcards(path, subject, field)
            return PathCondition(values=(path.path,))
        case PathType.PREFIX:
            _refuse_wildcards(path, subject, field)
            prefix = path.path.removesuffix("/")
            return PathCondition(values=(prefix, f"{prefix}/*") if prefix else (EVERY_PATH,))
        case PathType.IMPLEMENTATION_SPECIFIC:
            return PathCondition(regexes=(path.path[1:],)) if regular else PathCondition(values=(path.path,))
        case _:
            assert_never(path.type)


def _refuse_wildcards(path: IngressPath, subject: str, field: str) -> None:
    if WILDCARDS.isdisjoint(path.path):
        return
    raise InvalidConfig(
        Problem(
            subject=subject,
            field=field,
            value=path.path,
            expected=f"must have no * and no ? with pathType {path.type}, which takes them literally",
            hint=f"with pathType {PathType.IMPLEMENTATION_SPECIFIC} they are wildcards",
        )
    )


def rule_conditions(
    host: str, path: PathCondition | None, further: Iterable[Condition], *, subject: str, field: str
) -> tuple[Condition, ...]:
    """Return the conditions of one rule.

    Further hosts and paths are alternatives to those of the Ingress; every other condition must be met too.

    Args:
        host: the host of the Ingress's rule; empty for every host.
        path: the condition of its path.
        further: the conditions of the annotation for the backend.
        subject: the Ingress, for messages.
        field: the annotation that `further` stands in, for messages.

    Raises:
        InvalidConfig: when hosts or paths would be patterns and regular expressions at once.
    """
    hosts = [HostCondition(values=(host,))] if host else []
    paths = [path] if path is not None else []
    others: list[Condition] = []
    for condition in further:
        match condition:
            case HostCondition():
                hosts.append(condition)
            case PathCondition():
                paths.append(condition)
            case _:
                others.append(condition)
    if not (hosts or paths or others):
        paths.append(PathCondition(values=(EVERY_PATH,)))
    for what, given in (("hosts", hosts), ("paths", paths)):
        if any(one.values for one in given) and any(one.regexes for one in given):
            raise InvalidConfig(_mixed(what, given, subject, field))
    joined: list[Condition] = []
    if hosts:
        joined.append(HostCondition(values=_values(hosts), regexes=_regexes(hosts)))
    if paths:
        joined.append(PathCondition(values=_values(paths), regexes=_regexes(paths)))
    return (*others, *joined)


def _values(conditions: Iterable[HostCondition | PathCondition]) -> tuple[str, ...]:
    return tuple(value for condition in conditions for value in condition.values)


def _regexes(conditions: Iterable[HostCondition | PathCondition]) -> tuple[str, ...]:
    return tuple(regex for condition in conditions for regex in condition.regexes)


def _mixed(
    what: str, given: Iterable[HostCondition] | Iterable[PathCondition], subject: str, field: str
) -> Problem:
    said = ", ".join(value for one in given for value in (*one.values, *one.regexes))
    return Problem(
        subject=subject,
        field=field,
        value=said,
        expected=f"must give {what} either all as values or all as regexValues, with those of the Ingress",
        hint="use one form for all, or take the rule apart into two backends",
    ).resting_on("use_regex_path_match")

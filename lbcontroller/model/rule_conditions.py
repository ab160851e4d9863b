"""Which requests a listener rule is for, and how it rewrites them.

A rule is for the requests that meet all of its conditions; a condition is met by any one of its values.
Source: ELBv2 API reference 2015-12-01, RuleCondition and RuleTransform.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCondition:
    """The host of the request: patterns with `*` and `?`, or regular expressions; one of the two is empty."""

    values: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PathCondition:
    """The path of the request: patterns with `*` and `?`, or regular expressions; one of the two is empty."""

    values: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderCondition:
    """A header of the request: patterns or regular expressions; one of the two is empty."""

    name: str
    values: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCondition:
    """The method of the request."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPair:
    """A parameter of the query; patterns with `*` and `?`."""

    key: str | None
    """None: whatever the parameter is called."""
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCondition:
    """The query of the request."""

    values: tuple[QueryPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCondition:
    """The address the request comes from."""

    cidrs: tuple[str, ...]


Condition = (
    HostCondition | PathCondition | HeaderCondition | MethodCondition | QueryCondition | SourceCondition
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """What matches the regular expression becomes the replacement."""

    regex: str
    replacement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRewrite:
    """The host that targets see."""

    rewrites: tuple[Rewrite, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlRewrite:
    """The path and query that targets see."""

    rewrites: tuple[Rewrite, ...]


Transform = HostRewrite | UrlRewrite

"""Which names Kubernetes accepts."""

from __future__ import annotations

import re

LABEL_RULE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
SERVICE_NAME_RULE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
SUBDOMAIN_RULE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PATH_SEGMENT_RULE = re.compile(r"(?!\.{1,2}$)[^/%]+")
_LONGEST_SUBDOMAIN = 253

_LABELS = frozenset({"namespaces"})
_SERVICES = frozenset({"services"})
_PATH_SEGMENTS = frozenset({"roles", "rolebindings", "clusterroles", "clusterrolebindings"})


def name_problem(plural: str, name: str) -> str:
    """Return why an object of that resource cannot be called `name`; empty when it can."""
    if plural in _SERVICES:
        return "" if SERVICE_NAME_RULE.fullmatch(name) else _service_text()
    if plural in _LABELS:
        return dns_label_problem(name)
    if plural in _PATH_SEGMENTS:
        return "" if _PATH_SEGMENT_RULE.fullmatch(name) else "may not be '.', '..' or contain '/' or '%'"
    return subdomain_problem(name)


def dns_label_problem(name: str) -> str:
    """Return why a text is no RFC 1123 label; empty when it is one."""
    if LABEL_RULE.fullmatch(name):
        return ""
    return (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character"
    )


def subdomain_problem(name: str) -> str:
    """Return why a text is no RFC 1123 subdomain; empty when it is one."""
    if len(name) <= _LONGEST_SUBDOMAIN and SUBDOMAIN_RULE.fullmatch(name):
        return ""
    return (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
        "and must start and end with an alphanumeric character"
    )


def _service_text() -> str:
    return (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
        "alphabetic character, and end with an alphanumeric character"
    )

"""Codecs for texts that AWS or Kubernetes gives a meaning, with their limits.

Sources: ELBv2 API reference 2015-12-01 (CreateLoadBalancer, CreateTargetGroup, Matcher, SubnetMapping, Tag),
EC2 API reference (ids), Kubernetes API conventions (names of ports, labels).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple

from lbcontroller.annotations.codecs import (
    INT32_MAX,
    Codec,
    Fault,
    Unreadable,
    enumeration,
    form,
    integer,
    string_map,
    text,
)
from lbcontroller.errors import quoted
from lbcontroller.model.enums import Protocol
from lbcontroller.model.ids import AllocationId, CertificateArn, PrefixListId
from lbcontroller.model.subnet_mappings import AUTO_ASSIGNED
from lbcontroller.settings import RESERVED_TAG_KEYS

# Names and ids

LOAD_BALANCER_NAME: Final = text(
    r"(?!internal-)[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
    "1 to 32 letters, digits and hyphens, with no hyphen at either end and not beginning with internal-",
)
SUBNET: Final = text(r"[^,]{1,256}", "a subnet id or the value of a subnet's Name tag")
SECURITY_GROUP: Final = text(r"[^,]{1,256}", "a security group id or the value of a group's Name tag")
ALLOCATION: Final = form(
    "id", "an Elastic IP allocation id such as eipalloc-0a1b2c3d", r"eipalloc-\w+", read=AllocationId
)
PREFIX_LIST: Final = form("id", "a prefix list id such as pl-0a1b2c3d", r"pl-\w+", read=PrefixListId)
CERTIFICATE: Final = form(
    "ARN",
    "the ARN of an ACM or IAM certificate",
    r"arn:aws[\w-]*:(?:acm|iam):[\w-]*:\w*:(?:server-)?certificate/.+",
    read=CertificateArn,
)
SSL_POLICY: Final = text(
    r"ELBSecurityPolicy-(?:[A-Za-z0-9]+-)*\d{4}-\d{2}",
    "the name of a security policy such as ELBSecurityPolicy-TLS13-1-2-2021-06",
)
BUCKET_NAME: Final = text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of an S3 bucket")
PROXY_PROTOCOL: Final = text(r"\*", "*, which means all target groups")


# Ports

PORT: Final = integer(1, 65535)
_PORT_NAME: Final = r"(?=[0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
"""A DNS label with a letter in it, so that it is never taken for a number."""
TRAFFIC_PORT: Final = "traffic-port"
"""Health checks go to the port that each target receives traffic on."""


def _port_or_name(raw: str) -> int | str:
    return PORT.decode(raw) if raw.isdecimal() else raw


PORT_REF: Final = form(
    "port",
    "a port number from 1 to 65535 or the name of a port",
    rf"[0-9]{{1,5}}|{_PORT_NAME}",
    read=_port_or_name,
)
"""Numbers decode to `int`, names stay texts."""
HEALTH_CHECK_PORT: Final = form(
    "port",
    f"{TRAFFIC_PORT}, a port number from 1 to 65535, or the name of a port",
    rf"[0-9]{{1,5}}|{_PORT_NAME}",
    read=_port_or_name,
)
"""Numbers decode to `int`; `traffic-port` and names of Service ports stay texts."""


# Health checks

HEALTH_CHECK_PATH: Final = text(
    r"/[!-~]{0,1023}",
    "a path that begins with / and has at most 1024 printable ASCII characters without spaces",
)


def status_codes(minimum: int, maximum: int) -> Codec[str]:
    """Return a codec for the HTTP status codes of a healthy target: codes and ranges between commas."""

    def read(raw: str) -> str:
        for item in raw.split(","):
            first, _, last = item.partition("-")
            if not minimum <= int(first) <= int(last or first) <= maximum:
                raise ValueError(item)
        return raw

    limits = f"codes and ranges from {minimum} to {maximum}, such as 200,202 or 200-299, without spaces"
    item = r"[0-9]{3}(?:-[0-9]{3})?"
    return form("status codes", limits, f"{item}(?:,{item})*", read=read)


# Addresses

IPV4: Final = form("address", "an IPv4 address", r"[0-9.]+", read=lambda raw: str(IPv4Address(raw)))
IPV6: Final = form("address", "an IPv6 address", r"[0-9A-Fa-f:.]+", read=lambda raw: str(IPv6Address(raw)))


def _cidr(raw: str) -> str:
    ip_network(raw, strict=False)
    return raw


_PLAIN_CIDR: Final = form(
    "CIDR", "a CIDR such as 10.0.0.0/8 or 2001:db8::/32", r"[0-9A-Fa-f:.]+/[0-9]{1,3}", read=_cidr
)


def _cidr_or_hint(raw: str) -> str:
    try:
        return _PLAIN_CIDR.decode(raw)
    except Unreadable as error:
        raise Unreadable(*(replace(fault, hint=_of_one_address(raw)) for fault in error.faults)) from error


def _of_one_address(raw: str) -> str:
    try:
        return f"write {raw}/{ip_address(raw).max_prefixlen} for this address alone"
    except ValueError:
        return ""


CIDR: Final = replace(_PLAIN_CIDR, decode=_cidr_or_hint)
"""As written: host bits are dealt with where the CIDR is used."""


def _source_nat_prefix(raw: str) -> str:
    if raw != AUTO_ASSIGNED:
        IPv6Address(raw.partition("/")[0])
    return raw


SOURCE_NAT_PREFIX: Final = form(
    "prefix",
    f"{AUTO_ASSIGNED} or an IPv6 prefix of length 80",
    rf"{AUTO_ASSIGNED}|[0-9A-Fa-f:.]+/80",
    read=_source_nat_prefix,
)


# Parameters of keys


class ListenerKey(NamedTuple):
    """A listener as a key names it: by the protocol it has in the end, and its port."""

    protocol: Protocol
    port: int


def listener_parameter(*protocols: Protocol, example: str) -> Codec[ListenerKey]:
    """Return the form of a key's part that names a listener with one of some protocols."""
    known = enumeration(Protocol, only=protocols)

    def read(raw: str) -> ListenerKey:
        protocol, _, port = raw.rpartition("-")
        return ListenerKey(known.decode(protocol), PORT.decode(port))

    return form(
        "{Protocol}-{Port}",
        f"a listener's protocol and port such as {example}",
        r"[A-Za-z_]+-[0-9]{1,5}",
        read=read,
        write=lambda listener: f"{listener.protocol}-{listener.port}",
    )


LISTENER_PARAMETER: Final = listener_parameter(
    Protocol.TCP,
    Protocol.TLS,
    Protocol.UDP,
    Protocol.TCP_UDP,
    Protocol.QUIC,
    Protocol.TCP_QUIC,
    example="TCP-80 or TLS-443",
)
PORT_PARAMETER: Final = form(
    "{port}", "a port number from 1 to 65535", r"[0-9]{1,5}", read=PORT.decode, write=str
)


# Capacity

_CAPACITY_KEY: Final = "CapacityUnits"
CAPACITY: Final = form(
    "map",
    f"{_CAPACITY_KEY}=number with a number from 0 to {INT32_MAX}",
    rf"\s*{_CAPACITY_KEY}\s*=\s*[+-]?[0-9]{{1,11}}\s*",
    read=lambda raw: integer(0).decode(raw.partition("=")[2].strip()),
    write=lambda units: f"{_CAPACITY_KEY}={units}",
)


# Maps

TAG_KEY_LIMIT: Final = 128
TAG_VALUE_LIMIT: Final = 256
_TAG_PUNCTUATION: Final = "_.:/=+-@"
_LABEL_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_LABEL_KEY: Final = rf"(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_LABEL_NAME}"
ATTRIBUTE_VALUE_LIMIT: Final = 1024


def check_tag(key: str, value: str) -> Iterable[Fault]:
    """Yield what AWS or this controller would refuse of a tag."""
    allowed = f"letters, digits, spaces and {_TAG_PUNCTUATION}"
    if key.lower().startswith("aws:"):
        yield Fault(f"tag key {quoted(key)} must not begin with aws:, which AWS keeps for itself")
    if key in RESERVED_TAG_KEYS:
        yield Fault(f"tag key {quoted(key)} must be left to the controller, which finds its resources by it")
    if len(key) > TAG_KEY_LIMIT or not _is_tag_text(key):
        yield Fault(f"tag key {quoted(key)} must have at most {TAG_KEY_LIMIT} {allowed}")
    if len(value) > TAG_VALUE_LIMIT or not _is_tag_text(value):
        yield Fault(f"tag value {quoted(value)} must have at most {TAG_VALUE_LIMIT} {allowed}")


def _is_tag_text(raw: str) -> bool:
    return all(
        character in _TAG_PUNCTUATION or unicodedata.category(character)[0] in "LNZ" for character in raw
    )


def _check_label(key: str, value: str) -> Iterable[Fault]:
    if not re.fullmatch(_LABEL_KEY, key):
        yield Fault(f"key {quoted(key)} must be a label key such as topology.kubernetes.io/zone")
    if not re.fullmatch(f"(?:{_LABEL_NAME})?", value):
        yield Fault(f"value {quoted(value)} must be a label value of at most 63 letters, digits, and -_.")


def check_attribute(key: str, value: str) -> Iterable[Fault]:
    """Yield what no attribute can be; the tables of the model tell which ones there are."""
    if not re.fullmatch(r"[A-Za-z0-9._]{1,256}", key):
        yield Fault(f"attribute key {quoted(key)} must be letters, digits, dots and underscores")
    if len(value) > ATTRIBUTE_VALUE_LIMIT:
        yield Fault(f"value of attribute {quoted(key)} must have at most {ATTRIBUTE_VALUE_LIMIT} characters")
    if any(unicodedata.category(character) == "Cc" for character in value):
        yield Fault(f"value of attribute {quoted(key)} must have no control characters")


TAGS: Final = string_map(
    check_tag,
    f"keys of 1 to {TAG_KEY_LIMIT}, values of 0 to {TAG_VALUE_LIMIT} letters, digits, spaces and "
    f"`{_TAG_PUNCTUATION}`; no key begins with `aws:`",
)
NODE_LABELS: Final = string_map(_check_label, "label keys and values")
ATTRIBUTES: Final = string_map(check_attribute, "attributes of the ELBv2 API")

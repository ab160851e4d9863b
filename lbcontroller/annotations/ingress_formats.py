"""Codecs for texts that only annotations of Ingresses have, with their limits.

Sources: ELBv2 API reference 2015-12-01 (CreateLoadBalancer, IpamPools, RedirectActionConfig), WAFV2 API
reference (AssociateWebACL, WebACL), the annotations of LBC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lbcontroller.annotations.codecs import Codec, Fault, Unreadable, form, integer, list_of, string_map, text
from lbcontroller.annotations.formats import PORT, SUBNET, TRAFFIC_PORT, listener_parameter
from lbcontroller.model.enums import Protocol

# Groups

GROUP_NAME: Final = text(
    r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?",
    "1 to 63 lower-case letters, digits, hyphens and dots, with a letter or digit at both ends",
)
GROUP_ORDER: Final = integer(-1000, 1000)

# Listeners

ALB_PROTOCOLS: Final = (Protocol.HTTP, Protocol.HTTPS)
LISTENER_PARAMETER: Final = listener_parameter(*ALB_PROTOCOLS, example="HTTP-80 or HTTPS-443")
NAME_PARAMETER: Final = text(r".+", "a name", kind="{name}")
SERVICE_PORT_PARAMETER: Final = text(
    r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    "the name of a Service, a dot, and the number or name of its port, such as web.80",
    kind="{service}.{port}",
)

# Addresses

COIP_POOL: Final = text(
    r"ipv4pool-coip-[A-Za-z0-9]+", "the id of a customer-owned address pool such as ipv4pool-coip-0a1b2c3d"
)
IPAM_POOL: Final[Codec[str | None]] = form(
    "id",
    "the id of an IPAM pool such as ipam-pool-0a1b2c3d",
    r"(?:ipam-pool-[A-Za-z0-9]+)?",
    read=lambda raw: raw or None,
    write=lambda pool: pool or "",
)
"""An empty text says nothing."""
PRIVATE_AUTHORITY: Final[Codec[str | None]] = form(
    "ARN",
    "the ARN of a private certificate authority",
    r"(?:arn:aws[\w-]*:acm-pca:[\w-]*:\w*:certificate-authority/.+)?",
    read=lambda raw: raw or None,
    write=lambda arn: arn or "",
)
"""An empty text says nothing."""

# Subnets


@dataclass(frozen=True, slots=True)
class SubnetTags:
    """Subnets by their tags, which only the parameters of a class can ask for."""

    wanted: Mapping[str, tuple[str, ...]]
    """A subnet must have each key with one of its values."""

    def __str__(self) -> str:
        """Return the tags as messages show them."""
        return ", ".join(f"{key}={'|'.join(values)}" for key, values in self.wanted.items())


_SUBNET_NAMES: Final = list_of(SUBNET)
SUBNETS: Final[Codec[tuple[str, ...] | SubnetTags]] = Codec(
    kind=_SUBNET_NAMES.kind,
    limits=_SUBNET_NAMES.limits,
    pattern=_SUBNET_NAMES.pattern,
    decode=_SUBNET_NAMES.decode,
    encode=lambda subnets: str(subnets) if isinstance(subnets, SubnetTags) else ",".join(subnets),
)
"""An annotation only has names and ids."""

# Protection

NO_WEB_ACL: Final = "none"
"""Takes a web ACL away."""


def _web_acl(shape: str, limits: str, *, kind: str, empty_says: str | None) -> Codec[str | None]:
    """Return a codec for what names a web ACL; an empty value takes it away, None says nothing."""

    def read(raw: str) -> str | None:
        if raw == NO_WEB_ACL:
            return ""
        return raw or empty_says

    return form(
        kind,
        f"{limits}, or {NO_WEB_ACL}",
        f"(?:{shape})?",
        read=read,
        write=lambda acl: NO_WEB_ACL if acl == "" else acl or "",
    )


WEB_ACL_ARN: Final = _web_acl(
    rf"arn:aws[\w-]*:wafv2:[\w-]+:\d+:regional/webacl/[\w-]+/[\w-]+|{NO_WEB_ACL}",
    "the ARN of a regional web ACL of WAF",
    kind="ARN",
    empty_says="",
)
"""LBC reads an empty text as `none`."""
WEB_ACL_NAME: Final = _web_acl(
    r"[\w-]{1,128}", "the name of a regional web ACL of WAF", kind="text", empty_says=None
)
WEB_ACL_CLASSIC: Final = _web_acl(
    r"[\w-]{1,128}", "the id of a web ACL of WAF Classic", kind="id", empty_says=None
)

# Frontend network load balancer


def _port_mapping(raw: str) -> Mapping[int, int]:
    mapping: dict[int, int] = {}
    faults: list[Fault] = []
    for key, value in _PAIRS.decode(raw).items():
        try:
            mapping[PORT.decode(key)] = PORT.decode(value)
        except Unreadable:
            faults.append(Fault(f"item '{key}={value}' must be two port numbers from 1 to 65535"))
    if faults:
        raise Unreadable(*faults)
    return mapping


_PAIRS: Final = string_map(lambda _key, _value: ())
PORT_MAPPING: Final[Codec[Mapping[int, int]]] = Codec(
    kind="map",
    limits="port of the network load balancer = port of the application load balancer",
    pattern=_PAIRS.pattern,
    decode=_port_mapping,
    encode=lambda mapping: ",".join(f"{front}={back}" for front, back in mapping.items()),
)

# Health checks

FRONTEND_HEALTH_CHECK_PORT: Final[Codec[int | str]] = form(
    "port",
    f"{TRAFFIC_PORT} or a port number from 1 to 65535",
    rf"{TRAFFIC_PORT}|[0-9]{{1,5}}",
    read=lambda raw: raw if raw == TRAFFIC_PORT else PORT.decode(raw),
)
_SUCCESS_CODES: Final = ((200, 499), (0, 99))
"""HTTP and gRPC codes of a healthy target (source: ELBv2 API reference, Matcher)."""


def _success_codes(raw: str) -> str:
    for item in raw.split(","):
        first, _, last = item.partition("-")
        low, high = int(first), int(last or first)
        if not any(minimum <= low <= high <= maximum for minimum, maximum in _SUCCESS_CODES):
            raise ValueError(item)
    return raw


SUCCESS_CODES: Final = form(
    "status codes",
    "codes and ranges from 200 to 499, or from 0 to 99 for GRPC, such as 200,202 or 200-299, without spaces",
    r"[0-9]{1,3}(?:-[0-9]{1,3})?(?:,[0-9]{1,3}(?:-[0-9]{1,3})?)*",
    read=_success_codes,
)

# Authentication

SCOPE: Final = text(
    r"[!#-\[\]-~]+(?: [!#-\[\]-~]+)*", "scopes with one space between them, such as openid email"
)
"""Source: RFC 6749, section 3.3."""
COOKIE_NAME: Final = text(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", "the name of a cookie")
"""Source: RFC 6265, section 4.1.1."""
SESSION_SECONDS: Final = integer(1, 604_800)
"""Seven days at most (source: ELBv2 API reference, AuthenticateOidcActionConfig)."""
SECRET_NAME: Final = text(
    r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", "the name of a Secret in the namespace of the Ingress"
)
HTTPS_URL: Final = text(
    r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][!-~]*)?", "a URL that begins with https://"
)
USER_POOL_ARN: Final = text(
    r"arn:aws[\w-]*:cognito-idp:[\w-]+:\d+:userpool/[\w-]+", "the ARN of a Cognito user pool"
)

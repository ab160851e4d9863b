"""Laws of the codecs of Ingresses: what is encoded decodes to the same, and any text is read or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbcontroller.annotations.authentication import COGNITO, OIDC, CognitoPool, OidcProvider
from lbcontroller.annotations.codecs import Codec, Unreadable
from lbcontroller.annotations.declare import Declaration, declarations
from lbcontroller.annotations.formats import ListenerKey
from lbcontroller.annotations.ingress import IngressAnnotations
from lbcontroller.annotations.ingress_actions import (
    ACTION,
    ContentType,
    ForwardRequest,
    ForwardTarget,
    IngressAction,
)
from lbcontroller.annotations.ingress_conditions import CONDITIONS
from lbcontroller.annotations.ingress_formats import LISTENER_PARAMETER, PORT_MAPPING, SUCCESS_CODES
from lbcontroller.annotations.ingress_transforms import TRANSFORMS
from lbcontroller.annotations.jwt import JWT_VALIDATION, ClaimFormat
from lbcontroller.annotations.listen_ports import LISTEN_PORTS, ListenPort
from lbcontroller.annotations.mutual_authentication import MUTUAL_AUTHENTICATION, PortMutualAuthentication
from lbcontroller.model.actions import FixedResponseAction, JwtClaim, RedirectAction, ValidateJwtAction
from lbcontroller.model.enums import OnOff, Protocol
from lbcontroller.model.ids import Arn
from lbcontroller.model.resources import MutualAuthenticationMode
from lbcontroller.model.rule_conditions import (
    HeaderCondition,
    HostCondition,
    HostRewrite,
    MethodCondition,
    PathCondition,
    QueryCondition,
    QueryPair,
    Rewrite,
    SourceCondition,
    UrlRewrite,
)

DECLARED = declarations(IngressAnnotations)
JSON_CODECS = [declaration for declaration in DECLARED if declaration.codec.kind == "JSON"]
PORTS = st.integers(1, 65535)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=128)
VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=127)
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
URLS = LABELS.map(lambda label: f"https://{label}.example.com/path?a=b")
ARNS = LABELS.map(
    lambda name: Arn(f"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/{name}/0a")
)


def round_trip(codec: Codec[Any], value: object) -> None:
    text = codec.encode(value)
    assert codec.decode(text) == value
    assert re.fullmatch(codec.pattern, text)


def several(values: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(values, min_size=1, max_size=most).map(tuple)


WEIGHTS = st.integers(0, 999)
TARGETS: st.SearchStrategy[ForwardTarget] = (
    st.builds(ForwardTarget, target_group_arn=ARNS, weight=WEIGHTS)
    | st.builds(ForwardTarget, target_group_name=LABELS, weight=WEIGHTS)
    | st.builds(ForwardTarget, service_name=LABELS, service_port=PORTS | st.just("http"), weight=WEIGHTS)
)
ACTIONS: st.SearchStrategy[IngressAction] = (
    st.builds(
        FixedResponseAction,
        status=st.from_regex(r"[245][0-9]{2}", fullmatch=True).filter(str.isascii),
        content_type=st.none() | st.sampled_from(ContentType).map(str),
        body=st.none() | st.text(st.characters(codec="utf-8"), max_size=1024),
    )
    | st.builds(
        RedirectAction,
        status=st.sampled_from(["HTTP_301", "HTTP_302"]),
        protocol=st.none() | st.sampled_from(["HTTP", "HTTPS", "#{protocol}"]),
        host=st.none() | st.just("www.#{host}"),
        port=PORTS.map(str),
        path=st.none() | VISIBLE.map(lambda path: f"/{path}"),
        query=st.none() | VISIBLE.filter(lambda query: not query.startswith("?")),
    )
    | st.builds(
        ForwardRequest,
        targets=several(TARGETS),
        stickiness_enabled=st.none() | st.booleans(),
        stickiness_seconds=st.integers(1, 604_800),
    )
)


@given(ACTIONS)
def test_actions(value: IngressAction) -> None:
    round_trip(ACTION, value)


def patterns(kind: Callable[..., Any], values: st.SearchStrategy[str], **more: Any) -> st.SearchStrategy[Any]:
    regexes = PRINTABLE.filter(lambda regex: "(?" not in regex)
    return st.builds(kind, values=several(values), **more) | st.builds(kind, regexes=several(regexes), **more)


CONDITION = (
    patterns(HostCondition, st.from_regex(r"[A-Za-z0-9*?.-]{1,128}", fullmatch=True).filter(str.isascii))
    | patterns(PathCondition, VISIBLE)
    | patterns(HeaderCondition, PRINTABLE, name=LABELS.map(lambda label: f"X-{label}"))
    | st.builds(MethodCondition, values=several(st.sampled_from(["GET", "HEAD", "X_PURGE"])))
    | st.builds(
        QueryCondition, values=several(st.builds(QueryPair, key=st.none() | PRINTABLE, value=PRINTABLE))
    )
    | st.builds(
        SourceCondition,
        cidrs=several(st.builds("{}/{}".format, st.ip_addresses(v=4), st.integers(0, 32)), most=5),
    )
)


@given(st.lists(CONDITION, max_size=4).map(tuple))
def test_conditions(value: tuple[Any, ...]) -> None:
    round_trip(CONDITIONS, value)


REWRITES = several(
    st.builds(
        Rewrite,
        regex=st.text(st.characters(codec="utf-8"), min_size=1, max_size=64),
        replacement=st.text(st.characters(codec="utf-8"), max_size=64),
    )
)


@given(
    st.lists(
        st.builds(HostRewrite, rewrites=REWRITES) | st.builds(UrlRewrite, rewrites=REWRITES), max_size=3
    ).map(tuple)
)
def test_transforms(value: tuple[Any, ...]) -> None:
    round_trip(TRANSFORMS, value)


@given(st.dictionaries(PORTS, st.sampled_from([Protocol.HTTP, Protocol.HTTPS]), min_size=1))
def test_listen_ports(by_port: dict[int, Protocol]) -> None:
    round_trip(
        LISTEN_PORTS, tuple(ListenPort(port=port, protocol=protocol) for port, protocol in by_port.items())
    )


MUTUAL = st.builds(
    PortMutualAuthentication,
    port=PORTS,
    mode=st.sampled_from([MutualAuthenticationMode.OFF, MutualAuthenticationMode.PASSTHROUGH]),
) | st.builds(
    PortMutualAuthentication,
    port=PORTS,
    mode=st.just(MutualAuthenticationMode.VERIFY),
    trust_store=LABELS,
    ignore_expiry=st.none() | st.booleans(),
    advertise_ca_names=st.none() | st.sampled_from(OnOff),
)


@given(st.lists(MUTUAL, min_size=1, max_size=4, unique_by=lambda entry: entry.port).map(tuple))
def test_mutual_authentication(value: tuple[PortMutualAuthentication, ...]) -> None:
    round_trip(MUTUAL_AUTHENTICATION, value)


CLAIMS = st.builds(
    JwtClaim,
    name=LABELS.filter(lambda name: name not in ("exp", "iss", "nbf", "iat")),
    format=st.sampled_from(ClaimFormat).map(str),
    values=several(LABELS),
)


@given(
    st.builds(
        ValidateJwtAction,
        issuer=PRINTABLE,
        jwks_endpoint=URLS,
        claims=st.lists(CLAIMS, max_size=3).map(tuple),
    )
)
def test_tokens(value: ValidateJwtAction) -> None:
    round_trip(JWT_VALIDATION, value)


EXTRA = st.dictionaries(PRINTABLE, PRINTABLE, max_size=10)


@given(
    st.builds(
        CognitoPool,
        userPoolARN=st.just("arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_a"),
        userPoolClientID=PRINTABLE,
        userPoolDomain=LABELS,
        authenticationRequestExtraParams=EXTRA,
    )
)
def test_pools(value: CognitoPool) -> None:
    round_trip(COGNITO, value)


@given(
    st.builds(
        OidcProvider,
        issuer=URLS,
        authorizationEndpoint=URLS,
        tokenEndpoint=URLS,
        userInfoEndpoint=URLS,
        secretName=LABELS,
        authenticationRequestExtraParams=EXTRA,
    )
)
def test_providers(value: OidcProvider) -> None:
    round_trip(OIDC, value)


@given(st.sampled_from([Protocol.HTTP, Protocol.HTTPS]), PORTS)
def test_listener_parameters(protocol: Protocol, port: int) -> None:
    round_trip(LISTENER_PARAMETER, ListenerKey(protocol, port))


@given(st.dictionaries(PORTS, PORTS))
def test_port_mappings(value: dict[int, int]) -> None:
    round_trip(PORT_MAPPING, value)


@given(st.lists(st.integers(200, 499), min_size=1).map(lambda codes: ",".join(map(str, codes))))
def test_status_codes(value: str) -> None:
    round_trip(SUCCESS_CODES, value)


def members(value: object) -> set[str]:
    """Return every member's name in JSON."""
    if isinstance(value, dict):
        return {name for key, part in value.items() for name in (key, *members(part))}
    return {name for part in value for name in members(part)} if isinstance(value, list) else set()


KNOWN_WORDS = sorted(
    members(json.loads(CONDITIONS.encode((HeaderCondition(name="X", values=("a",)),))))
    | members(json.loads(ACTION.encode(ForwardRequest(targets=(ForwardTarget(service_name="a"),)))))
    | {"forward", "redirect", "http-header", "host-header", "url-rewrite", "mode", "verify", "port", "issuer"}
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(KNOWN_WORDS) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KNOWN_WORDS) | st.text(), inner),
)


@pytest.mark.parametrize("declaration", JSON_CODECS, ids=lambda one: one.field)
@given(value=JSON_VALUES)
def test_any_json_is_read_or_refused(declaration: Declaration, value: object) -> None:
    with suppress(Unreadable):
        declaration.codec.decode(json.dumps(value))


@given(st.sampled_from(DECLARED), st.text() | st.from_regex(r"[\w=,.:/-]{0,20}", fullmatch=True))
def test_any_text_is_read_or_refused(declaration: Declaration, raw: str) -> None:
    with suppress(Unreadable):
        value = declaration.codec.decode(raw)
        assert re.fullmatch(declaration.codec.pattern, raw)
        assert declaration.codec.decode(declaration.codec.encode(value)) == value


@given(
    st.dictionaries(
        st.sampled_from([declaration.name for declaration in DECLARED]) | st.text(), st.text(max_size=20)
    ),
    st.sampled_from(["", ".web", ".HTTP-80", ".web.80"]),
)
def test_what_is_wrong_hides_nothing_that_is_right(annotations: dict[str, str], suffix: str) -> None:
    keys = {key + suffix: value for key, value in annotations.items()}
    parsed = IngressAnnotations.parse_leniently("Ingress shop/web", keys)
    wrong = {problem.field for problem in parsed.problems}
    right = {key: value for key, value in keys.items() if key not in wrong}
    again = IngressAnnotations.parse("Ingress shop/web", right)
    assert wrong <= keys.keys()
    assert again.model == parsed.model

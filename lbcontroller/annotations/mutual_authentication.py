"""The JSON of `mutual-authentication`: which listeners ask clients for certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from lbcontroller.annotations.codecs import Codec, Fault, Unreadable, enumeration, text
from lbcontroller.annotations.json_objects import JsonModel, json_array_as
from lbcontroller.model.enums import OnOff
from lbcontroller.model.resources import MutualAuthenticationMode


@dataclass(frozen=True, slots=True, kw_only=True)
class PortMutualAuthentication:
    """Client certificates of the listener on one port."""

    port: int
    mode: MutualAuthenticationMode
    trust_store: str | None = None
    """ARN or name; only to verify."""
    ignore_expiry: bool | None = None
    """Only to verify; None: not given."""
    advertise_ca_names: OnOff | None = None
    """Only to verify; None: not given."""


_MODE: Final = enumeration(MutualAuthenticationMode)
_ON_OFF: Final = enumeration(OnOff)
_TRUST_STORE: Final = text(
    r"arn:aws[\w-]*:elasticloadbalancing:[\w-]+:\d+:truststore/.+|[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?",
    "the ARN or the name of a trust store",
)
"""Source: ELBv2 API reference, CreateTrustStore."""


class _Entry(JsonModel):
    """One port as it is written."""

    port: int = Field(ge=1, le=65535)
    mode: Annotated[str, AfterValidator(_MODE.decode)]
    trust_store: Annotated[str, AfterValidator(_TRUST_STORE.decode)] | None = None
    ignore_client_certificate_expiry: bool | None = None
    advertise_trust_store_ca_names: Annotated[str, AfterValidator(_ON_OFF.decode)] | None = None

    @model_validator(mode="after")
    def _fits_its_mode(self) -> Self:
        if self.mode == MutualAuthenticationMode.VERIFY:
            if self.trust_store is None:
                raise ValueError("must have trustStore with mode verify")
            return self
        for name in ("trust_store", "ignore_client_certificate_expiry", "advertise_trust_store_ca_names"):
            if getattr(self, name) is not None:
                alias = type(self).model_fields[name].alias
                raise ValueError(f"must leave out {alias}, which belongs to mode verify only")
        return self


def _read(entry: _Entry) -> PortMutualAuthentication:
    names = entry.advertise_trust_store_ca_names
    return PortMutualAuthentication(
        port=entry.port,
        mode=MutualAuthenticationMode(entry.mode),
        trust_store=entry.trust_store,
        ignore_expiry=entry.ignore_client_certificate_expiry,
        advertise_ca_names=OnOff(names) if names else None,
    )


def _write(entry: PortMutualAuthentication) -> Mapping[str, Any]:
    return {
        "port": entry.port,
        "mode": entry.mode,
        "trustStore": entry.trust_store,
        "ignoreClientCertificateExpiry": entry.ignore_expiry,
        "advertiseTrustStoreCaNames": entry.advertise_ca_names,
    }


_ENTRIES: Final = json_array_as(_Entry, read=_read, write=_write)


def _each_port_once(raw: str) -> tuple[PortMutualAuthentication, ...]:
    entries = _ENTRIES.decode(raw)
    if not entries:
        raise Unreadable(Fault("must not be empty"))
    ports = [entry.port for entry in entries]
    if repeated := sorted({port for port in ports if ports.count(port) > 1}):
        raise Unreadable(Fault(f"must have each port once, and has {repeated[0]} several times"))
    return entries


MUTUAL_AUTHENTICATION: Final[Codec[tuple[PortMutualAuthentication, ...]]] = Codec(
    kind=_ENTRIES.kind,
    limits=_ENTRIES.limits,
    pattern=_ENTRIES.pattern,
    decode=_each_port_once,
    encode=_ENTRIES.encode,
)
"""The codec of the annotation."""

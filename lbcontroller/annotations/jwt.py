"""The JSON of `jwt-validation`: which tokens let a request pass.

Limits are those of the ELBv2 API reference 2015-12-01: JwtValidationActionConfig and
JwtValidationActionAdditionalClaim.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from lbcontroller.annotations.codecs import Codec, enumeration
from lbcontroller.annotations.ingress_formats import HTTPS_URL
from lbcontroller.annotations.json_objects import JsonModel, json_object_as, not_empty
from lbcontroller.model.actions import JwtClaim, ValidateJwtAction


class ClaimFormat(StrEnum):
    """How a claim's values are written in a token."""

    SINGLE_STRING = "single-string"
    STRING_ARRAY = "string-array"
    SPACE_SEPARATED_VALUES = "space-separated-values"


_FORMAT: Final = enumeration(ClaimFormat)
Text = Annotated[str, Field(min_length=1, max_length=256)]


class _Claim(JsonModel):
    """A claim that a token must carry."""

    format: Annotated[str, AfterValidator(_FORMAT.decode)]
    name: Text
    values: Annotated[tuple[Text, ...], AfterValidator(not_empty)] = Field(strict=False, max_length=10)


class _Validation(JsonModel):
    """A validation as it is written."""

    jwks_endpoint: Annotated[str, AfterValidator(HTTPS_URL.decode)]
    issuer: Text
    additional_claims: tuple[_Claim, ...] = Field(default=(), strict=False, max_length=10)


def _read(validation: _Validation) -> ValidateJwtAction:
    return ValidateJwtAction(
        issuer=validation.issuer,
        jwks_endpoint=validation.jwks_endpoint,
        claims=tuple(
            JwtClaim(name=claim.name, format=claim.format, values=claim.values)
            for claim in validation.additional_claims
        ),
    )


def _write(action: ValidateJwtAction) -> Mapping[str, Any]:
    claims = [{"format": claim.format, "name": claim.name, "values": claim.values} for claim in action.claims]
    return {"jwksEndpoint": action.jwks_endpoint, "issuer": action.issuer, "additionalClaims": claims or None}


JWT_VALIDATION: Final[Codec[ValidateJwtAction]] = json_object_as(_Validation, read=_read, write=_write)
"""The codec of the annotation."""

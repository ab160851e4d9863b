"""The JSON of `jwt-validation`: which tokens let a request pass.

Limits are those of the ELBv2 API reference 2015-12-01: JwtValidationActionConfig and
JwtValidationActionAdditionalClaim.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, Field, model_validator

from lbcontroller.annotations.codecs import Codec, enumeration, text
from lbcontroller.annotations.ingress_formats import HTTPS_URL
from lbcontroller.annotations.json_objects import JsonModel, json_object_as, not_empty
from lbcontroller.model.actions import JwtClaim, ValidateJwtAction


class ClaimFormat(StrEnum):
    """How a claim's values are written in a token."""

    SINGLE_STRING = "single-string"
    STRING_ARRAY = "string-array"
    SPACE_SEPARATED_VALUES = "space-separated-values"


_FORMAT: Final = enumeration(ClaimFormat)
_NAME: Final = text(
    r"(?!(?:exp|iss|nbf|iat)$)[\s\S]+",
    "the name of a claim other than exp, iss, nbf and iat, which always count",
)
Text = Annotated[str, Field(min_length=1, max_length=256)]


class _Claim(JsonModel):
    """A claim that a token must carry."""

    format: Annotated[str, AfterValidator(_FORMAT.decode)]
    name: Annotated[Text, AfterValidator(_NAME.decode)]
    values: Annotated[tuple[Text, ...], AfterValidator(not_empty)] = Field(strict=False, max_length=10)

    @model_validator(mode="after")
    def _has_values_without_spaces(self) -> Self:
        if self.format == ClaimFormat.SPACE_SEPARATED_VALUES and any(" " in value for value in self.values):
            raise ValueError(f"must have values without spaces with format {self.format}")
        return self


class _Validation(JsonModel):
    """A validation as it is written."""

    jwks_endpoint: Annotated[Text, AfterValidator(HTTPS_URL.decode)]
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

"""The JSON of `transforms.{name}` on Ingresses: how requests are rewritten before targets see them.

Limits are those of the ELBv2 API reference 2015-12-01: RuleTransform, RewriteConfig.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Self, assert_never

from pydantic import AfterValidator, Field, model_validator

from lbcontroller.annotations.codecs import Codec, enumeration, text
from lbcontroller.annotations.json_objects import JsonModel, json_array_as, not_empty
from lbcontroller.model.rule_conditions import HostRewrite, Rewrite, Transform, UrlRewrite


class TransformType(StrEnum):
    """What of a request is rewritten."""

    HOST_HEADER_REWRITE = "host-header-rewrite"
    URL_REWRITE = "url-rewrite"


_TYPE: Final = enumeration(TransformType)
_REGEX: Final = text(r"[\s\S]{1,1024}", "a regular expression of 1 to 1024 characters")
_REPLACEMENT: Final = text(r"[\s\S]{0,1024}", "at most 1024 characters")


class _Rewrite(JsonModel):
    """One replacement."""

    regex: Annotated[str, AfterValidator(_REGEX.decode)]
    replace: Annotated[str, AfterValidator(_REPLACEMENT.decode)]


class _Rewrites(JsonModel):
    """The replacements."""

    rewrites: Annotated[tuple[_Rewrite, ...], AfterValidator(not_empty)] = Field(strict=False)


class _Transform(JsonModel):
    """A transform as it is written."""

    type: Annotated[str, AfterValidator(_TYPE.decode)]
    host_header_rewrite_config: _Rewrites | None = None
    url_rewrite_config: _Rewrites | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        wanted = _CONFIG_OF[TransformType(self.type)]
        for name in _CONFIG_OF.values():
            alias = type(self).model_fields[name].alias
            given = getattr(self, name) is not None
            if given and name != wanted:
                raise ValueError(f"must leave out {alias}, which does not belong to type {self.type}")
            if name == wanted and not given:
                raise ValueError(f"must have {alias}")
        return self


_CONFIG_OF: Final[Mapping[TransformType, str]] = {
    TransformType.HOST_HEADER_REWRITE: "host_header_rewrite_config",
    TransformType.URL_REWRITE: "url_rewrite_config",
}


def _read(transform: _Transform) -> Transform:
    if host := transform.host_header_rewrite_config:
        return HostRewrite(rewrites=_rewrites(host))
    url = transform.url_rewrite_config
    return UrlRewrite(rewrites=_rewrites(url) if url else ())


def _rewrites(config: _Rewrites) -> tuple[Rewrite, ...]:
    return tuple(Rewrite(regex=one.regex, replacement=one.replace) for one in config.rewrites)


def _write(transform: Transform) -> Mapping[str, Any]:
    config = {"rewrites": [{"regex": one.regex, "replace": one.replacement} for one in transform.rewrites]}
    match transform:
        case HostRewrite():
            return {"type": TransformType.HOST_HEADER_REWRITE, "hostHeaderRewriteConfig": config}
        case UrlRewrite():
            return {"type": TransformType.URL_REWRITE, "urlRewriteConfig": config}
        case _:
            assert_never(transform)


TRANSFORMS: Final[Codec[tuple[Transform, ...]]] = json_array_as(_Transform, read=_read, write=_write)
"""The codec of all transforms of one name."""

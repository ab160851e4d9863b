"""What the JSON of actions says alike of the target groups of Services and of Ingresses."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator

from lbcontroller.annotations.codecs import Fault, Unreadable
from lbcontroller.annotations.formats import PORT_REF

MAX_WEIGHT: Final = 999
"""Source: ELBv2 API reference, TargetGroupTuple."""


def _number_or_name(port: Any) -> int | str:
    if isinstance(port, bool) or not isinstance(port, int | str):
        raise Unreadable(Fault(f"must be {PORT_REF.limits}"))
    return PORT_REF.decode(str(port))


ServicePort: TypeAlias = Annotated[int | str | None, BeforeValidator(_number_or_name)]
"""Number or name of a Service's port; None only as what holds without it."""

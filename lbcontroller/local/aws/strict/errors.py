"""Errors the overlay answers with, in the ELBv2 error envelope."""

from __future__ import annotations

from moto.elbv2.exceptions import ELBClientError


def refused(code: str, message: str) -> ELBClientError:
    """An ELBv2 error with an error code from the API reference."""
    return ELBClientError(code, message)


def invalid(message: str) -> ELBClientError:
    """The `ValidationError` that ELBv2 answers for malformed parameters."""
    return ELBClientError("ValidationError", message)


def constraint(value: object, field: str, rule: str) -> ELBClientError:
    """A value outside the limits of the service model."""
    return invalid(
        f"1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: "
        f"Member must {rule}"
    )

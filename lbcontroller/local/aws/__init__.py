"""The embedded AWS: strict moto on loopback, for `lbcontroller demo` and the tests."""

from __future__ import annotations

from lbcontroller.local.aws.server import LocalAws

__all__ = ["LocalAws"]

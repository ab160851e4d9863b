"""The controller's flags: every one of them, typed, with its default and what it is for.

Names, defaults and wire syntax are those of the AWS Load Balancer Controller (LBC), so that an existing
deployment's arguments go on working; the last group are our own. A flag is the field's name with dashes.
"""

from __future__ import annotations

from lbcontroller.settings.flags import (
    QUIC_SERVER_ID_VARIABLE,
    REPLACEMENT_FLAG,
    RESERVED_TAG_KEYS,
    Settings,
    StatusAddresses,
)
from lbcontroller.settings.gates import FeatureGates
from lbcontroller.settings.problems import SUBJECT
from lbcontroller.settings.unbuilt import NOT_BUILT_YET
from lbcontroller.settings.wire import Boolean, Items, Pairs, Seconds, ThrottleRule, ThrottleRules, Workers

__all__ = [
    "NOT_BUILT_YET",
    "QUIC_SERVER_ID_VARIABLE",
    "REPLACEMENT_FLAG",
    "RESERVED_TAG_KEYS",
    "SUBJECT",
    "Boolean",
    "FeatureGates",
    "Items",
    "Pairs",
    "Seconds",
    "Settings",
    "StatusAddresses",
    "ThrottleRule",
    "ThrottleRules",
    "Workers",
]

"""Flags and gates that are accepted so that arguments written for LBC go on working, and change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOT_BUILT_YET: Final[Mapping[str, str]] = {
    "alb-gateway-max-concurrent-reconciles": "Gateway API",
    "feature-gates=ALBGatewayAPI": "Gateway API",
    "feature-gates=ALBTargetControlAgent": "target control agent injection",
    "feature-gates=GatewayListenerSet": "Gateway API",
    "feature-gates=GlobalAcceleratorController": "Global Accelerator",
    "feature-gates=NLBGatewayAPI": "Gateway API",
    "gateway-class-max-concurrent-reconciles": "Gateway API",
    "globalaccelerator-max-concurrent-reconciles": "Global Accelerator",
    "globalaccelerator-max-exponential-backoff-delay": "Global Accelerator",
    "nlb-gateway-max-concurrent-reconciles": "Gateway API",
}
"""Flags, and gates as `feature-gates=Name`, that are accepted and change nothing yet, with their feature."""

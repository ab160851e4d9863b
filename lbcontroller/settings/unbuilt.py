"""Flags and gates that are accepted so that arguments written for LBC go on working, and change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NOT_BUILT_YET: Final[Mapping[str, str]] = {
    "alb-gateway-max-concurrent-reconciles": "Gateway API",
    "allowed-certificate-authority-arns": "certificate discovery for Ingresses",
    "default-pca-arn": "certificate management",
    "disable-ingress-class-annotation": "Ingress",
    "disable-ingress-group-name-annotation": "Ingress",
    "enable-shield": "Shield protection of application load balancers",
    "enable-waf": "WAF Classic association of application load balancers",
    "enable-wafv2": "WAF association of application load balancers",
    "feature-gates=ALBGatewayAPI": "Gateway API",
    "feature-gates=ALBTargetControlAgent": "target control agent injection",
    "feature-gates=EnableCertificateManagement": "certificate management",
    "feature-gates=GatewayListenerSet": "Gateway API",
    "feature-gates=GlobalAcceleratorController": "Global Accelerator",
    "feature-gates=IngressPlanAnnotation": "Ingress",
    "feature-gates=NLBGatewayAPI": "Gateway API",
    "gateway-class-max-concurrent-reconciles": "Gateway API",
    "globalaccelerator-max-concurrent-reconciles": "Global Accelerator",
    "globalaccelerator-max-exponential-backoff-delay": "Global Accelerator",
    "ingress-class": "Ingress",
    "ingress-max-concurrent-reconciles": "Ingress",
    "nlb-gateway-max-concurrent-reconciles": "Gateway API",
    "required-secrets-label": "Secrets of Ingress authentication",
    "tolerate-non-existent-backend-action": "Ingress",
    "tolerate-non-existent-backend-service": "Ingress",
}
"""Flags, and gates as `feature-gates=Name`, that are accepted and change nothing yet, with their feature."""

"""The feature gates: switches of whole features, by the names of LBC."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from lbcontroller.settings.wire import Boolean


class FeatureGates(BaseModel):
    """Switches of whole features, by the names of LBC."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )

    listener_rules_tagging: Boolean = Field(default=True, alias="ListenerRulesTagging")
    """Tag listeners and rules."""
    weighted_target_groups: Boolean = Field(default=True, alias="WeightedTargetGroups")
    """Several weighted target groups in one action of a network load balancer."""
    service_type_load_balancer_only: Boolean = Field(default=False, alias="ServiceTypeLoadBalancerOnly")
    """Claim only Services of type LoadBalancer."""
    endpoints_fail_open: Boolean = Field(default=True, alias="EndpointsFailOpen")
    """Register pods that are not ready when none is ready."""
    enable_service_controller: Boolean = Field(default=True, alias="EnableServiceController")
    """Reconcile Services."""
    enable_ip_target_type: Boolean = Field(default=True, alias="EnableIPTargetType")
    """Allow target type `ip`."""
    enable_rgt_api: Boolean = Field(default=False, alias="EnableRGTAPI")
    """Read tags through the Resource Groups Tagging API."""
    subnets_cluster_tag_check: Boolean = Field(default=True, alias="SubnetsClusterTagCheck")
    """Leave out subnets tagged for other clusters in discovery."""
    nlb_health_check_advanced_config: Boolean = Field(default=True, alias="NLBHealthCheckAdvancedConfig")
    """Send success codes and time-out of network load balancers' health checks."""
    nlb_security_group: Boolean = Field(default=True, alias="NLBSecurityGroup")
    """Give network load balancers security groups."""
    alb_single_subnet: Boolean = Field(default=False, alias="ALBSingleSubnet")
    """Allow application load balancers in one subnet."""
    lb_capacity_reservation: Boolean = Field(default=True, alias="LBCapacityReservation")
    """Apply minimum capacity."""
    subnet_discovery_by_reachability: Boolean = Field(default=True, alias="SubnetDiscoveryByReachability")
    """Discover subnets by their route tables when none carries a role tag."""
    enable_tcp_udp_listener: Boolean = Field(default=True, alias="EnableTCPUDPListener")
    """Serve TCP and UDP of one port number with one new TCP_UDP listener (in LBC off by default)."""
    nlb_gateway_api: Boolean = Field(default=True, alias="NLBGatewayAPI")
    """Reconcile Gateways with network load balancers."""
    alb_gateway_api: Boolean = Field(default=True, alias="ALBGatewayAPI")
    """Reconcile Gateways with application load balancers."""
    gateway_listener_set: Boolean = Field(default=True, alias="GatewayListenerSet")
    """Reconcile ListenerSets."""
    global_accelerator_controller: Boolean = Field(default=False, alias="GlobalAcceleratorController")
    """Reconcile Global Accelerators."""
    enhanced_default_behavior: Boolean = Field(default=False, alias="EnhancedDefaultBehavior")
    """Reset ALPN to `None` when its annotation is removed."""
    enable_default_tags_low_priority: Boolean = Field(default=False, alias="EnableDefaultTagsLowPriority")
    """Let annotations override default tags."""
    alb_target_control_agent: Boolean = Field(default=False, alias="ALBTargetControlAgent")
    """Inject the target control agent."""
    enable_certificate_management: Boolean = Field(default=False, alias="EnableCertificateManagement")
    """Request certificates for Ingress hosts."""
    ingress_plan_annotation: Boolean = Field(default=False, alias="IngressPlanAnnotation")
    """Write the plan of an Ingress into an annotation."""

{{/* Every flag that the chart gives to the controller, with the value that decides it. */}}

{{- define "lbcontroller.arguments" -}}
{{- $flags := dict
  "cluster-name" .Values.clusterName
  "log-level" .Values.logLevel
  "aws-region" .Values.region
  "aws-vpc-id" .Values.vpcId
  "aws-vpc-tags" .Values.vpcTags
  "aws-max-retries" .Values.awsMaxRetries
  "aws-api-endpoints" .Values.awsApiEndpoints
  "aws-api-throttle" .Values.awsApiThrottle
  "default-tags" .Values.defaultTags
  "external-managed-tags" .Values.externalManagedTags
  "default-target-type" .Values.defaultTargetType
  "default-load-balancer-scheme" .Values.defaultLoadBalancerScheme
  "default-ssl-policy" .Values.defaultSSLPolicy
  "load-balancer-class" .Values.loadBalancerClass
  "disable-ingress-class-annotation" .Values.disableIngressClassAnnotation
  "disable-ingress-group-name-annotation" .Values.disableIngressGroupNameAnnotation
  "tolerate-non-existent-backend-service" .Values.tolerateNonExistentBackendService
  "tolerate-non-existent-backend-action" .Values.tolerateNonExistentBackendAction
  "allowed-certificate-authority-arns" .Values.certDiscovery.allowedCertificateAuthorityARNs
  "default-pca-arn" .Values.certManagement.defaultPCAARN
  "enable-waf" .Values.enableWaf
  "enable-wafv2" .Values.enableWafv2
  "enable-shield" .Values.enableShield
  "enable-backend-security-group" .Values.enableBackendSecurityGroup
  "backend-security-group" .Values.backendSecurityGroup
  "enable-manage-backend-security-group-rules" .Values.enableManageBackendSecurityGroupRules
  "disable-restricted-sg-rules" .Values.disableRestrictedSecurityGroupRules
  "service-target-eni-security-group-tags" .Values.serviceTargetENISGTags
  "enable-endpoint-slices" .Values.enableEndpointSlices
  "enable-pod-readiness-gate-inject" .Values.enablePodReadinessGateInject
  "quic-environment-variable-name" .Values.quicEnvironmentVariableName
  "max-targets-per-target-group" .Values.maxTargetsPerTargetGroup
  "ingress-max-concurrent-reconciles" .Values.ingressMaxConcurrentReconciles
  "service-max-concurrent-reconciles" .Values.serviceMaxConcurrentReconciles
  "targetgroupbinding-max-concurrent-reconciles" .Values.targetgroupbindingMaxConcurrentReconciles
  "targetgroupbinding-max-exponential-backoff-delay" .Values.targetgroupbindingMaxExponentialBackoffDelay
  "targetgroupbinding-requeue-duration" .Values.targetgroupbindingRequeueDuration
  "alb-gateway-max-concurrent-reconciles" .Values.albGatewayMaxConcurrentReconciles
  "nlb-gateway-max-concurrent-reconciles" .Values.nlbGatewayMaxConcurrentReconciles
  "globalaccelerator-max-concurrent-reconciles" .Values.globalAcceleratorMaxConcurrentReconciles
  "globalaccelerator-max-exponential-backoff-delay" .Values.globalAcceleratorMaxExponentialBackoffDelay
  "lb-stabilization-monitor-interval" .Values.lbStabilizationMonitorInterval
  "required-secrets-label" .Values.requiredSecretsLabel
  "feature-gates" .Values.controllerConfig.featureGates
  "watch-namespace" .Values.watchNamespace
  "sync-period" .Values.syncPeriod
  "metrics-bind-addr" .Values.metricsBindAddr
  "webhook-bind-port" .Values.webhookBindPort
  "leader-election-id" .Values.leaderElectionID
  "leader-election-namespace" .Release.Namespace
  "drift-sweep-interval" .Values.driftSweepInterval
  "drift-sweep-budget" .Values.driftSweepBudget
  "empty-endpoints-hold-down" .Values.emptyEndpointsHoldDown
  "status-addresses" .Values.statusAddresses
  "drain-sleep-alb" .Values.drainSleepALB
  "drain-sleep-nlb" .Values.drainSleepNLB
  "allow-load-balancer-replacement" .Values.allowLoadBalancerReplacement
  "replacement-drain-seconds" .Values.replacementDrainSeconds
}}
{{- if eq (include "lbcontroller.certificateFrom" .) "controller" }}
{{- $_ := set $flags "webhook-service" (printf "%s/%s" .Release.Namespace (include "lbcontroller.webhookService" .)) }}
{{- $_ := set $flags "webhook-secret" (include "lbcontroller.ownCertificate" .) }}
{{- $_ := set $flags "webhook-configurations" (include "lbcontroller.fullname" .) }}
{{- else }}
{{- $_ := set $flags "webhook-cert-dir" (include "lbcontroller.webhookCertificates" .) }}
{{- end }}
{{- include "lbcontroller.flags" (merge (deepCopy .Values.extraArgs) $flags) }}
{{- /* An empty class means more than none: also Ingresses without a class. */}}
- {{ printf "--ingress-class=%s" .Values.ingressClass | quote }}
{{- end }}

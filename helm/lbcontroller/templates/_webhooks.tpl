{{/* What makes the certificate of the webhooks: `values`, `cert-manager`, or the controller itself. */}}

{{- define "lbcontroller.certificateFrom" -}}
{{- $tls := .Values.webhookTLS }}
{{- if and $tls.caCert $tls.cert $tls.key -}}
values
{{- else if or $tls.caCert $tls.cert $tls.key -}}
{{- fail "webhookTLS needs all of caCert, cert and key, or none of them" }}
{{- else -}}
{{- ternary "cert-manager" "controller" .Values.enableCertManager -}}
{{- end }}
{{- end }}

{{/* Text that is PEM or base64-encoded already, encoded. */}}

{{- define "lbcontroller.encoded" -}}
{{- ternary (b64enc .) . (hasPrefix "-----BEGIN" .) }}
{{- end }}

{{/* The names by which the API server reaches the webhooks. */}}

{{- define "lbcontroller.webhookNames" -}}
{{- $service := printf "%s.%s" (include "lbcontroller.webhookService" .) .Release.Namespace }}
- {{ $service }}.svc
- {{ $service }}
- {{ $service }}.svc.{{ .Values.cluster.dnsDomain }}
{{- end }}

{{/*
One webhook of files/webhooks.yaml with what the values change of it. Takes `root`, `webhook` and `ca`, which is empty
where somebody else fills it in.
*/}}

{{- define "lbcontroller.webhook" -}}
{{- $values := .root.Values }}
{{- $webhook := deepCopy .webhook }}
{{- $policy := "" }}
{{- $namespaces := dict }}
{{- $objects := dict }}
{{- if has $webhook.name (list "mpod.elbv2.k8s.aws" "quicid.elbv2.k8s.aws") }}
{{- with $values.webhookNamespaceSelectors }}
{{- $namespaces = dict "matchExpressions" . }}
{{- end }}
{{- $objects = $values.objectSelector }}
{{- end }}
{{- if eq $webhook.name "mpod.elbv2.k8s.aws" }}
{{- $policy = $values.podMutatorWebhookConfig.failurePolicy }}
{{- else if eq $webhook.name "mservice.elbv2.k8s.aws" }}
{{- $policy = $values.serviceMutatorWebhookConfig.failurePolicy }}
{{- $objects = $values.serviceMutatorWebhookConfig.objectSelector }}
{{- with $values.serviceMutatorWebhookConfig.namespaceSelectors }}
{{- $namespaces = dict "matchExpressions" . }}
{{- end }}
{{- else if eq $webhook.name "vingress.elbv2.k8s.aws" }}
{{- $policy = $values.webhookConfig.ingressValdationFailurePolicy }}
{{- $objects = $values.webhookConfig.ingressValidationObjectSelector }}
{{- with $values.webhookConfig.ingressValidationNamespaceSelector }}
{{- $namespaces = ternary (dict "matchExpressions" .) . (kindIs "slice" .) }}
{{- end }}
{{- end }}
{{- with $policy }}
{{- $_ := set $webhook "failurePolicy" . }}
{{- end }}
{{- with $namespaces }}
{{- $_ := set $webhook "namespaceSelector" . }}
{{- end }}
{{- with $objects }}
{{- with .matchExpressions }}
{{- $_ := set $webhook.objectSelector "matchExpressions" (concat $webhook.objectSelector.matchExpressions .) }}
{{- end }}
{{- with .matchLabels }}
{{- $_ := set $webhook.objectSelector "matchLabels" . }}
{{- end }}
{{- end }}
{{- with .ca }}
{{- $_ := set $webhook.clientConfig "caBundle" . }}
{{- end }}
{{- toYaml $webhook }}
{{- end }}

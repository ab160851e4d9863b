{{/*
The certificate of the webhooks and of its authority as YAML, base64-encoded: `ca`, `certificate`, `key`. Given by
values, kept from the Secret that is there, or generated.
*/}}

{{- define "lbcontroller.webhookCertificate" -}}
{{- $tls := .Values.webhookTLS }}
{{- $existing := lookup "v1" "Secret" .Release.Namespace (include "lbcontroller.webhookSecret" .) }}
{{- if and $tls.caCert $tls.cert $tls.key }}
ca: {{ include "lbcontroller.encoded" $tls.caCert }}
certificate: {{ include "lbcontroller.encoded" $tls.cert }}
key: {{ include "lbcontroller.encoded" $tls.key }}
{{- else if or $tls.caCert $tls.cert $tls.key }}
{{- fail "webhookTLS needs all of caCert, cert and key, or none of them" }}
{{- else if and .Values.keepTLSSecret $existing (hasKey (default dict $existing.data) "ca.crt") }}
ca: {{ index $existing.data "ca.crt" }}
certificate: {{ index $existing.data "tls.crt" }}
key: {{ index $existing.data "tls.key" }}
{{- else }}
{{- $names := include "lbcontroller.webhookNames" . | fromYamlArray }}
{{- $authority := genCA (printf "%s-authority" (include "lbcontroller.webhookService" .)) 3650 }}
{{- $certificate := genSignedCert (first $names) nil $names 3650 $authority }}
ca: {{ $authority.Cert | b64enc }}
certificate: {{ $certificate.Cert | b64enc }}
key: {{ $certificate.Key | b64enc }}
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
where cert-manager fills it in.
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

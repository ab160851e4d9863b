{{/* What objects are called, and which labels they have. */}}

{{- define "lbcontroller.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "lbcontroller.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "lbcontroller.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "lbcontroller.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "lbcontroller.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "lbcontroller.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "lbcontroller.webhookService" -}}
{{- printf "%s-webhook" (include "lbcontroller.fullname" . | trunc 55 | trimSuffix "-") }}
{{- end }}

{{/* The Service that Prometheus scrapes by, and so the job of its samples. */}}

{{- define "lbcontroller.metricsService" -}}
{{- printf "%s-metrics" (include "lbcontroller.fullname" . | trunc 55 | trimSuffix "-") }}
{{- end }}

{{- define "lbcontroller.selectorLabels" -}}
app.kubernetes.io/name: {{ include "lbcontroller.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lbcontroller.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "lbcontroller.selectorLabels" . }}
{{- with .Values.additionalLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "lbcontroller.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* Ports. The address of metrics is `host:port`, and `0` for none. */}}

{{- define "lbcontroller.webhookPort" -}}
{{- default 9443 .Values.webhookBindPort }}
{{- end }}

{{- define "lbcontroller.metricsPort" -}}
{{- $address := default ":8080" .Values.metricsBindAddr }}
{{- if ne $address "0" }}
{{- splitList ":" $address | last }}
{{- end }}
{{- end }}

{{/* Where the certificate of the webhooks is. */}}

{{- define "lbcontroller.webhookSecret" -}}
{{- printf "%s-webhook-tls" (include "lbcontroller.fullname" . | trunc 51 | trimSuffix "-") }}
{{- end }}

{{/* Where the controller keeps one that it makes itself: a name of its own, because it writes no Secret of others. */}}

{{- define "lbcontroller.ownCertificate" -}}
{{- printf "%s-webhook-own" (include "lbcontroller.fullname" . | trunc 51 | trimSuffix "-") }}
{{- end }}

{{- define "lbcontroller.webhookCertificates" -}}
/etc/lbcontroller/webhook
{{- end }}

{{/*
The lines of a list of flags. Empty values leave the decision to the controller; lists and maps are joined as flags
take them.
*/}}

{{- define "lbcontroller.flags" -}}
{{- range $flag, $value := . }}
{{- if kindIs "map" $value }}
{{- $pairs := list }}
{{- range $key, $text := $value }}
{{- $pairs = append $pairs (printf "%s=%v" $key $text) }}
{{- end }}
{{- $value = join "," $pairs }}
{{- else if kindIs "slice" $value }}
{{- $value = join "," $value }}
{{- else if or (kindIs "float64" $value) (kindIs "int64" $value) (kindIs "int" $value) }}
{{- /* A whole number that came as floating point would become 1e+06. */}}
{{- $value = ternary (int64 $value | toString) (toString $value) (eq (float64 $value) (int64 $value | float64)) }}
{{- end }}
{{- if or (kindIs "bool" $value) $value }}
- {{ printf "--%s=%v" $flag $value | quote }}
{{- end }}
{{- end }}
{{- end }}

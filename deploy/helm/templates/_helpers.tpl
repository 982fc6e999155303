{{/* What the objects are found by; the agent is the only one of its kind in a cluster. */}}
{{- define "amko-gitops.selector" -}}
app.kubernetes.io/name: amko-gitops
{{- end }}

{{- define "amko-gitops.labels" -}}
{{ include "amko-gitops.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Whether the agent reads the members' kubeconfig where AMKO has it. */}}
{{- define "amko-gitops.usesMembers" -}}
{{- with .Values.settings }}
{{- if and (ne (.memberCredentials | default "auto") "ignore") (not .membersKubeconfig) }}yes{{ end }}
{{- end }}
{{- end }}

{{/* The port that the git server's address names or means. */}}
{{- define "amko-gitops.gitPort" -}}
{{- with .Values.settings.repo }}
{{- $url := urlParse . }}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "http" | ternary "80" "443") }}
{{- end }}
{{- end }}

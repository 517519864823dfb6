{{/* nopal.ini: what the user gives, and what follows from the chart's other values. */}}
{{- define "nopal.ini" -}}
{{- $settings := deepCopy (.Values.settings | default dict) -}}
{{- $own := dict "install" (dict "host-root" "/host") -}}
{{- if .Values.remedy.workers -}}
{{- $_ := set $own "remedy" (dict "workers" true "delete-failed-nodes" .Values.remedy.deleteFailedNodes) -}}
{{- end -}}
{{- range $section, $values := mergeOverwrite $settings $own -}}
{{- if $values -}}
[{{ $section }}]
{{ range $key, $value := $values }}{{ $key }} = {{ include "nopal.value" $value }}
{{ end }}
{{ end -}}
{{- end -}}
{{- end -}}

{{/* One value of nopal.ini. As JSON a large number has no exponent, and a text may have what else ends it. */}}
{{- define "nopal.value" -}}
{{- $value := kindIs "slice" . | ternary (join ", " .) . -}}
{{- if and (kindIs "string" $value) (not (regexMatch "[;#=\"']|^\\s|\\s$|^\\[" $value)) -}}{{ $value }}{{- else -}}{{ toJson $value }}{{- end -}}
{{- end -}}

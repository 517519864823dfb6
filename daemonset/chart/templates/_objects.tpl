{{/*
The objects of one of the manifests, as a YAML list: with the release's namespace and the labels of the chart.
Takes a dict: root, file.
*/}}
{{- define "nopal.objects" -}}
{{- $root := .root -}}
{{- $namespace := $root.Release.Namespace -}}
{{- $text := $root.Files.Get (printf "manifests/%s.yaml" .file) | required (printf "manifests/%s.yaml is not in the chart" .file) -}}
{{- $text = regexReplaceAll "(?m)namespace: nopal$" $text (printf "namespace: %q" $namespace) -}}
{{- $text = $text | replace "system:serviceaccount:nopal:" (printf "system:serviceaccount:%s:" $namespace) -}}
{{- $text = $text | replace "request.namespace == 'nopal'" (printf "request.namespace == '%s'" $namespace) -}}
{{- $objects := list -}}
{{- range regexSplit "(?m)^---$" $text -1 -}}
{{- $object := fromYaml . -}}
{{- $_ := set $object.metadata "labels" (merge (include "nopal.labels" $root | fromYaml) ($object.metadata.labels | default dict)) -}}
{{- $objects = append $objects $object -}}
{{- end -}}
{{- toYaml $objects -}}
{{- end -}}

{{/* The objects of a manifest as documents. Takes a dict: root, file. */}}
{{- define "nopal.documents" -}}
{{- range include "nopal.objects" . | fromYamlArray }}
---
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "nopal.labels" -}}
app.kubernetes.io/part-of: nopal
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "nopal.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* A setting that the user gives, or its default. Takes a dict: root, section, key, default. */}}
{{- define "nopal.setting" -}}
{{- dig .section .key .default (.root.Values.settings | default dict) -}}
{{- end -}}

{{/* The port of a host:port. */}}
{{- define "nopal.port" -}}
{{- regexFind "[0-9]+$" . -}}
{{- end -}}

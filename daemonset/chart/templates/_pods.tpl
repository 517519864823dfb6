{{/* What both roles' pods have in common. Changes the object. Takes a dict: root, object, values. */}}
{{- define "nopal.pods" -}}
{{- $template := .object.spec.template -}}
{{- $pod := $template.spec -}}
{{- $container := index $pod.containers 0 -}}
{{- $_ := set $container "image" (include "nopal.image" .root) -}}
{{- with .root.Values.image.pullPolicy }}{{ $_ := set $container "imagePullPolicy" . }}{{ end -}}
{{- with .root.Values.image.pullSecrets -}}
{{- $secrets := list -}}
{{- range . }}{{ $secrets = append $secrets (dict "name" .) }}{{ end -}}
{{- $_ := set $pod "imagePullSecrets" $secrets -}}
{{- end -}}
{{- with .values.resources }}{{ $_ := set $container "resources" . }}{{ end -}}
{{- with .values.env }}{{ $_ := set $container "env" (concat $container.env .) }}{{ end -}}
{{- range $name := list "tolerations" "nodeSelector" "affinity" "priorityClassName" -}}
{{- with index $.values $name }}{{ $_ := set $pod $name . }}{{ end -}}
{{- end -}}
{{- $annotations := dict "checksum/settings" (include "nopal.ini" .root | sha256sum) -}}
{{- $_ := set $template.metadata "annotations" (merge $annotations .values.podAnnotations) -}}
{{- $_ := set $template.metadata "labels" (merge $template.metadata.labels .values.podLabels) -}}
{{- end -}}

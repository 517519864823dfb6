{{/* What both roles' pods have in common. Changes the object. Takes a dict: root, object, values. */}}
{{- define "nopal.pods" -}}
{{- $template := .object.spec.template -}}
{{- $pod := $template.spec -}}
{{- $container := index $pod.containers 0 -}}
{{- $_ := set $container "image" (include "nopal.image" .root) -}}
{{- with .root.Values.image.pullPolicy }}{{ $_ := set $container "imagePullPolicy" . }}{{ end -}}
{{- if .root.Values.image.pullSecrets }}{{ $_ := set $pod "imagePullSecrets" (include "nopal.pullSecrets" .root | fromYamlArray) }}{{ end -}}
{{- with .values.resources }}{{ $_ := set $container "resources" . }}{{ end -}}
{{- with .values.env }}{{ $_ := set $container "env" (concat $container.env .) }}{{ end -}}
{{- range $name := list "tolerations" "nodeSelector" "affinity" "priorityClassName" -}}
{{- with index $.values $name }}{{ $_ := set $pod $name . }}{{ end -}}
{{- end -}}
{{- $annotations := dict "checksum/settings" (include "nopal.ini" .root | sha256sum) -}}
{{- $_ := set $template.metadata "annotations" (merge $annotations (.values.podAnnotations | default dict)) -}}
{{- $_ := set $template.metadata "labels" (merge $template.metadata.labels (.values.podLabels | default dict)) -}}
{{- end -}}

{{/* The agents' pods: their ports, and the host's folders, are where the settings say. Changes the object. Takes a dict: root, object. */}}
{{- define "nopal.agent" -}}
{{- include "nopal.pods" (dict "root" .root "object" .object "values" .root.Values.agent) -}}
{{- $listen := include "nopal.setting" (dict "root" .root "section" "agent" "key" "listen" "default" ":8080") | include "nopal.port" | int -}}
{{- $probes := include "nopal.setting" (dict "root" .root "section" "agent" "key" "probes" "default" "127.0.0.1:8082") | include "nopal.port" | int -}}
{{- $folders := dict
  "cni-conf" (include "nopal.setting" (dict "root" .root "section" "install" "key" "cni-conf-dir" "default" ""))
  "cni-bin" (include "nopal.setting" (dict "root" .root "section" "install" "key" "cni-bin-dir" "default" "")) -}}
{{- with .root.Values.agent.maxUnavailable }}{{ $_ := set $.object.spec.updateStrategy.rollingUpdate "maxUnavailable" . }}{{ end -}}
{{- $pod := .object.spec.template.spec -}}
{{- $container := first $pod.containers -}}
{{- range $container.ports }}{{ $_ := set . "containerPort" $listen }}{{ end -}}
{{- range list $container.startupProbe $container.livenessProbe $container.readinessProbe -}}
{{- $_ := set .httpGet "port" $probes -}}
{{- end -}}
{{- range $volume := $pod.volumes -}}
{{- with get $folders $volume.name }}{{ $_ := set $volume.hostPath "path" . }}{{ end -}}
{{- end -}}
{{- range $mount := $container.volumeMounts -}}
{{- with get $folders $mount.name }}{{ $_ := set $mount "mountPath" (printf "/host%s" .) }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* As a pod and an account name them. */}}
{{- define "nopal.pullSecrets" -}}
{{- range .Values.image.pullSecrets }}
- name: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "crowdfold.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "crowdfold.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "crowdfold.labels" -}}
{{ include "crowdfold.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "crowdfold.serviceAccountName" -}}
{{- default (include "crowdfold.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "crowdfold.noiseSecretName" -}}
{{- default (printf "%s-noise" (include "crowdfold.fullname" .)) .Values.noise.existingSecret -}}
{{- end -}}

{{- define "crowdfold.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The security context of each pod, as required by Pod Security "restricted". */}}
{{- define "crowdfold.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "crowdfold.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The SASL user of a component, and the secret with its password. With Strimzi, it has the name of the user. */}}
{{- define "crowdfold.kafkaUser" -}}
{{- $isOurs := and .root.Values.strimzi.users.enabled (ne .role "reader") -}}
{{- $ours := ternary (printf "%s-%s" .root.Values.kafka.prefix .role) "" $isOurs -}}
{{- default $ours .part.kafkaUser.username -}}
{{- end -}}

{{- define "crowdfold.kafkaUserSecret" -}}
{{- $secret := default (ternary (include "crowdfold.kafkaUser" .) "" .root.Values.strimzi.users.enabled) .part.kafkaUser.secretName -}}
{{- required "kafkaUser.secretName is missing; set it to the secret with the password of the user" $secret -}}
{{- end -}}

{{/* Environment variables of each container: (dict "root" $ "part" .Values.worker "role" "worker"). */}}
{{- define "crowdfold.env" -}}
{{- $kafka := .root.Values.kafka -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: CROWDFOLD_KAFKA__BROKERS
  value: {{ join "," $kafka.brokers | quote }}
- name: CROWDFOLD_KAFKA__PREFIX
  value: {{ $kafka.prefix | quote }}
- name: CROWDFOLD_KAFKA__INSTANCE
  value: $(POD_NAME)
- name: CROWDFOLD_METRICS__LISTEN
  value: 0.0.0.0:9464
{{- range $key, $value := $kafka.properties }}
- name: CROWDFOLD_KAFKA__PROPERTIES__{{ $key | replace "." "_" | upper }}
  value: {{ $value | quote }}
{{- end }}
{{- if $kafka.ca.secretName }}
- name: CROWDFOLD_KAFKA__PROPERTIES__SSL_CA_LOCATION
  value: /run/secrets/kafka-ca/{{ $kafka.ca.key }}
{{- end }}
{{- with include "crowdfold.kafkaUser" . }}
- name: CROWDFOLD_KAFKA__PROPERTIES__SASL_USERNAME
  value: {{ . | quote }}
- name: CROWDFOLD_KAFKA__PROPERTIES__SASL_PASSWORD
  value: file:/run/secrets/kafka-user/{{ $.part.kafkaUser.key }}
{{- end }}
{{- with .part.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "crowdfold.volumeMounts" -}}
- name: config
  mountPath: /etc/crowdfold
  readOnly: true
{{- if .root.Values.kafka.ca.secretName }}
- name: kafka-ca
  mountPath: /run/secrets/kafka-ca
  readOnly: true
{{- end }}
{{- if include "crowdfold.kafkaUser" . }}
- name: kafka-user
  mountPath: /run/secrets/kafka-user
  readOnly: true
{{- end }}
{{- with .part.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "crowdfold.volumes" -}}
- name: config
  configMap:
    name: {{ include "crowdfold.fullname" .root }}
{{- if .root.Values.kafka.ca.secretName }}
- name: kafka-ca
  secret:
    secretName: {{ .root.Values.kafka.ca.secretName }}
    defaultMode: 0440
{{- end }}
{{- if include "crowdfold.kafkaUser" . }}
- name: kafka-user
  secret:
    secretName: {{ include "crowdfold.kafkaUserSecret" . }}
    defaultMode: 0440
{{- end }}
{{- with .part.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Liveness and readiness of a process. A process that waits for Kafka is alive, but not ready. */}}
{{- define "crowdfold.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 2
  failureThreshold: 30
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 15
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end -}}

{{- define "crowdfold.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

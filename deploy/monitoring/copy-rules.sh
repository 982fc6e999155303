#!/bin/sh
# Copies rules.yaml to where else it is needed: into the chart, which can read no file outside of it, and into the
# PrometheusRule that kustomization.yaml installs. A test compares all three.
set -eu
cd "$(dirname "$0")"

cp rules.yaml ../helm/rules.yaml
{
  cat << 'HEAD'
# Made from rules.yaml by copy-rules.sh.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: amko-gitops
  namespace: avi-system
  labels:
    app.kubernetes.io/name: amko-gitops
spec:
HEAD
  sed -n '/^groups:/,$p' rules.yaml | sed 's/^\(.\)/  \1/'
} > prometheus-rule.yaml

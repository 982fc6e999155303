#!/bin/sh
# Takes the container amko-federator out of StatefulSet amko in what Helm renders of AMKO's chart: standard input to
# standard output, everything else as it is. Needs kubectl, for the kustomize in it, and asks no cluster.
#
#   Helm 3: helm upgrade --install amko … --post-renderer deploy/helm/post-renderer/without-federator.sh
#   Helm 4: helm plugin install deploy/helm/post-renderer
#           helm upgrade --install amko … --post-renderer amko-without-federator
#
# Helm 4 keeps to itself what a plugin complains of. This shows it: helm template amko … | without-federator.sh
set -eu

fail() {
  echo "without-federator: $1" >&2
  exit 1
}

command -v kubectl > /dev/null || fail "kubectl is not on the PATH. Install it: it needs no cluster here."

# What Helm renders holds Secrets.
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

cat > "$work/rendered.yaml"
cp "$(dirname "$0")/patch.yaml" "$work/patch.yaml"

# Twice, with the patch and without it: kustomize itself finds nothing wrong with a patch that changes nothing.
printf 'resources: [rendered.yaml]\nsortOptions: {order: fifo}\n' > "$work/kustomization.yaml"
kubectl kustomize "$work" > "$work/before.yaml" || fail "kubectl kustomize cannot read what Helm rendered."
printf 'patches: [{path: patch.yaml, target: {kind: StatefulSet, name: amko}}]\n' >> "$work/kustomization.yaml"
kubectl kustomize "$work" > "$work/after.yaml" || fail "kubectl kustomize cannot take the container out."

if cmp -s "$work/before.yaml" "$work/after.yaml"; then
  fail "there is no container amko-federator in a StatefulSet amko. Is this AMKO's chart, and does it still have one?"
fi
cat "$work/after.yaml"

#!/bin/sh
# Lists in CycloneDX, on standard output, what a folder holds that assemble.sh has laid out; without a folder it lays one
# out. It looks there and not into a checkout: where development asks for a package too, npm leaves it out.
#
#   deploy/docker/sbom.sh [FOLDER]
set -eu

if [ $# -eq 0 ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  "$(dirname "$0")/assemble.sh" "$work/amko-gitops"
  set -- "$work/amko-gitops"
fi
cd "$1"
npm sbom --sbom-format cyclonedx --sbom-type application

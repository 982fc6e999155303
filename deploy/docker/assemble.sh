#!/bin/sh
# Lays out in an empty folder what runs in the image: the npm package as it is published, and beside it the production
# dependencies as package-lock.json has them. The Dockerfile calls it, and the tests do, so that both run the same.
#
#   deploy/docker/assemble.sh FOLDER
set -eu

[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
target=$(cd "$1" && pwd)
[ -z "$(ls -A "$target")" ] || { echo "$0: $1 is not empty" >&2; exit 2; }
cd "$(dirname "$0")/../.."

packed=$(mktemp -d)
trap 'rm -rf "$packed"' EXIT
# Compiles first: it is the package's own script.
npm pack --silent --pack-destination "$packed" > /dev/null
tar -xzf "$packed"/amko-gitops-*.tgz -C "$target" --strip-components=1
cp package-lock.json .npmrc "$target"
cd "$target"
npm ci --omit=dev --ignore-scripts --prefer-offline > /dev/null
npm pkg delete devDependencies scripts
rm .npmrc
# Whoever runs it reads it, and writes nothing.
chmod -R a+rX,go-w .

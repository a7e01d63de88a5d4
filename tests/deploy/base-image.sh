#!/bin/bash
# The base image of the container tests, made of Debian's packages: no image registry is asked. Installs podman and
# debootstrap where root may; without them the tests of containers alone are skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/../.."
base=.venvs/container-base
[ -e "$base/root.tar" ] && exit 0
[ "$(id -u)" = 0 ] || exit 0
if ! command -v podman >/dev/null || ! command -v debootstrap >/dev/null; then
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends podman crun netavark debootstrap; } >/dev/null 2>&1 ||
    { echo "podman and debootstrap could not be installed"; exit 0; }
fi
echo "Building $base"
mkdir -p "$base"
root=$(mktemp -d /var/tmp/social-ads-base-XXXXXX)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" >"$base/log" 2>&1 ||
  { echo "the base image could not be built; see $base/log"; exit 0; }
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar --directory="$root" --create --file="$base/root.tar.new" .
mv "$base/root.tar.new" "$base/root.tar"

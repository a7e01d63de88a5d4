#!/bin/bash
# What the tests of this directory need besides Python, made of Debian's packages: podman, a systemd to boot, and the
# base image of the container tests; no image registry is asked. Where something cannot be had, the tests that need it
# are skipped and say so.
set -euo pipefail
cd "$(dirname "$0")/../.."
base=.venvs/container-base
[ "$(id -u)" = 0 ] || exit 0
missing=()
command -v podman >/dev/null || missing+=(podman crun netavark)
command -v catatonit >/dev/null || missing+=(catatonit)  # podman's pods are held together by it
command -v debootstrap >/dev/null || missing+=(debootstrap)
[ -e /lib/systemd/systemd ] || missing+=(systemd)
if [ "${#missing[@]}" -gt 0 ]; then
  # Somebody else may be installing something at the moment.
  apt="apt-get -qq -o DPkg::Lock::Timeout=300"
  { $apt update && $apt install -y --no-install-recommends "${missing[@]}"; } >/dev/null 2>&1 ||
    echo "${missing[*]} could not be installed"
fi
[ -e "$base/root.tar" ] && exit 0
command -v debootstrap >/dev/null || exit 0
echo "Building $base"
mkdir -p "$base"
root=$(mktemp -d /var/tmp/social-ads-base-XXXXXX)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$root" >"$base/log" 2>&1 ||
  { echo "the base image could not be built; see $base/log"; exit 0; }
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
tar --directory="$root" --create --file="$base/root.tar.new" .
mv "$base/root.tar.new" "$base/root.tar"

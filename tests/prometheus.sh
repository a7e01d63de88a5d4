#!/bin/sh
# Unpacks Debian's Prometheus and Pushgateway into .tools/, which needs no root and starts nothing.
# Without apt, or without its package lists, it says so and leaves it at that: the tests that need them are skipped.
set -eu
cd "$(dirname "$0")/.."
wanted=.tools/prometheus
[ -x $wanted/usr/bin/prometheus ] && [ -x $wanted/usr/bin/prometheus-pushgateway ] && exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    echo "No Prometheus for the tests: this is no Debian"
    exit 0
fi
mkdir -p $wanted/packages
cd $wanted/packages
if ! apt-get download -qq prometheus prometheus-pushgateway 2>/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! apt-get update -qq || ! apt-get download -qq prometheus prometheus-pushgateway; then
        echo "No Prometheus for the tests: apt cannot fetch it; its package lists come from apt-get update, which needs root"
        exit 0
    fi
fi
for package in *.deb; do
    dpkg-deb -x "$package" ..
done
rm -f -- *.deb

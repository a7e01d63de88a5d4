#!/bin/sh
# Installs Microsoft's Azurite, the emulator of Azure Storage, into .tools/azurite/, as the lock file has it.
# Without Node it says so and leaves it at that: the tests that need it are skipped.
set -eu
cd "$(dirname "$0")/.."
wanted=.tools/azurite
lock=tests/azurite/package-lock.json
cmp -s $lock $wanted/.complete && exit 0
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "No Azurite for the tests: node and npm are not installed"
    exit 0
fi
mkdir -p $wanted
cp tests/azurite/package.json $lock $wanted/
if ! npm ci --prefix $wanted --ignore-scripts --no-audit --no-fund --silent >/dev/null 2>$wanted/npm.log; then
    echo "No Azurite for the tests: npm cannot install it: $(tail -n 1 $wanted/npm.log)"
    exit 0
fi
cp $lock $wanted/.complete

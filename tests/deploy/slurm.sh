#!/bin/bash
# Unpacks Debian's Slurm and Munge, and what they need that this machine does not have, into .tools/slurm/. Nothing is
# installed and no daemon starts: the hosts of test_slurm.py see them laid over this machine's root. Without apt it says
# so and leaves it at that: the test is skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
wanted=.tools/slurm
[ -e $wanted/.complete ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "No Slurm for the tests: it is fetched by apt and started as root"
  exit 0
fi
rm -rf $wanted
mkdir -p $wanted/packages/partial $wanted/root
chmod 755 $wanted/packages
# Somebody else may be installing something at the moment.
apt="apt-get -qq -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root -o Dir::Cache::archives=$PWD/$wanted/packages"
fetch="$apt install -y --download-only --reinstall --no-install-recommends slurmctld slurmd slurm-client munge"
if ! { $fetch || { $apt update && $fetch; }; } >/dev/null 2>&1; then
  echo "No Slurm for the tests: apt cannot fetch slurmctld, slurmd, slurm-client and munge"
  exit 0
fi
for package in $wanted/packages/*.deb; do
  # Some have /lib too, which would hide this machine's.
  dpkg-deb --fsys-tarfile "$package" | tar --extract --directory=$wanted/root ./usr
done
# As the alternatives of the packages would.
for daemon in slurmctld slurmd slurmstepd; do ln -s $daemon-wlm $wanted/root/usr/sbin/$daemon; done
rm -rf $wanted/packages
touch $wanted/.complete

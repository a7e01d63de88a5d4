"""Two hosts with a Slurm of Debian's packages: namespaces joined by a cable, a controller, a node on each."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from until import until

HERE = Path(__file__).resolve().parent
PACKAGES = HERE.parents[1] / ".tools" / "slurm" / "root"
ADDRESSES = {"n1": "10.77.0.1", "n2": "10.77.0.2"}
"""The hosts that `slurm.conf` and `slurm-host` name."""

LOADER = 64077
"""Whom `slurm-host` makes: the user that submits jobs."""

RELAY = """
import asyncio, sys
async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()
async def relay(port):
    async def joined(reader, writer):
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
    return await asyncio.start_server(joined, sys.argv[1], port)
async def main():
    servers = [await relay(int(port)) for port in sys.argv[2:]]
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        server.close()
asyncio.run(main())
"""
"""`python -c RELAY ADDRESS PORT…` offers a host's ports of its loopback on the address that the other one sees."""


class Host:
    """One of the hosts, and what is typed at its root shell."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid
        self._enter = ("nsenter", "-t", str(pid), "-a", "env", "-i", f"PATH={os.environ['PATH']}:/usr/sbin:/sbin")

    def shell(self, script: str, *, check: bool = True) -> str:
        done = subprocess.run([*self._enter, "/bin/sh", "-euc", script], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0 or not check, done.stderr + done.stdout
        return done.stdout.strip()

    def command(self, *words: str) -> list[str]:
        """What runs it in the host, from outside."""
        return [*self._enter, *words]

    @contextmanager
    def serving(self, *command: str) -> Iterator[str]:
        """A server of the host, which serves until its standard input ends, and the line that it begins with."""
        with subprocess.Popen(
            self.command(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            assert process.stdin and process.stdout
            try:
                said = process.stdout.readline()
                assert said, f"{' '.join(command[:4])} did not start"
                yield said
            finally:
                process.stdin.close()
                process.wait(60)

    def processes(self) -> list[psutil.Process]:
        """Those of the host, the namespaces' first process included."""
        first = psutil.Process(self.pid)
        return [first, *first.children(recursive=True)]


def why_not() -> str | None:
    """Why no hosts can be had here; None where they can."""
    if os.geteuid() != 0:
        return "only root can make hosts of namespaces"
    if not (PACKAGES.parent / ".complete").exists():
        return "there is no Slurm in .tools; tests/deploy/slurm.sh says why"
    missing = [name for name in ("ip", "nsenter", "setpriv", "runuser", "unshare") if shutil.which(name) is None]
    if missing:
        return f"there is no {missing[0]}"
    tried = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--uts", "--ipc", "/bin/sh", "-euc",
         "ip link add probe type veth; mount -t tmpfs tmpfs /mnt; mkdir /mnt/upper /mnt/work /mnt/root;"
         "mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root"],
        capture_output=True, text=True,
    )  # fmt: skip
    return f"no hosts can be made of namespaces here: {tried.stderr.strip()}" if tried.returncode else None


@contextmanager
def hosts(top: Path, opt: Path) -> Iterator[dict[str, Host]]:
    """Both hosts with Slurm ready, and `opt` as /opt/social-ads; everything in them ends with the context.

    Under `top` / shared lie what they share: /etc/social-ads, /var/lib/social-ads and the home of `loader`.
    """
    shared = top / "shared"
    for directory in ("etc/social-ads", "etc/slurm", "etc/munge", "var/lib/social-ads", "home/loader"):
        (shared / directory).mkdir(parents=True, mode=0o755)
    for directory in ("var/lib/social-ads", "home/loader"):
        os.chown(shared / directory, LOADER, LOADER)
    shutil.copy(HERE / "slurm.conf", shared / "etc/slurm")
    (shared / "etc/slurm/cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
    key = shared / "etc/munge/munge.key"
    key.touch(mode=0o400)
    key.write_bytes(os.urandom(128))
    with ExitStack() as started:
        made = {name: started.enter_context(_host(top, name)) for name in ADDRESSES}
        first, second = made.values()
        cable = ["ip", "link", "add", "cable", "netns", str(first.pid), "type", "veth"]
        subprocess.run([*cable, "peer", "name", "cable", "netns", str(second.pid)], check=True)
        for host in made.values():
            host.shell(f"ip address add {ADDRESSES[host.name]}/24 dev cable; ip link set cable up")
            host.shell(f"ln -s {opt} /opt/social-ads")
            host.shell("munged")
        first.shell("mkdir -p /var/spool/slurm/state; slurmctld")
        for host in made.values():
            host.shell(f"mkdir -p /var/spool/slurm/{host.name}; slurmd -N {host.name}")
        idle = "sinfo --noheader --states=idle --format=%D"
        until(lambda: first.shell(idle, check=False) == str(len(made)))
        yield made


@contextmanager
def _host(top: Path, name: str) -> Iterator[Host]:
    with (top / f"{name}.log").open("w") as log:
        outer = subprocess.Popen(
            [HERE / "slurm-host", top, name, PACKAGES], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        try:
            up = top / f"{name}.up"
            until(lambda: up.exists() or outer.poll() is not None)
            assert outer.poll() is None, (top / f"{name}.log").read_text()
            (first,) = psutil.Process(outer.pid).children()
            yield Host(name, first.pid)
        finally:
            # Its first process dies with it, and of that the kernel makes the end of every other.
            outer.kill()
            outer.wait()

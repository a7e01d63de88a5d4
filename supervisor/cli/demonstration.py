"""The demonstration and the sandbox as commands: real pipelines and real SDKs against platforms on this machine."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from sandbox.faults import Fault
from sandbox.manager import Sandbox, SandboxError
from sandbox.world import PLATFORMS
from supervisor.config.credentials import BUILT_IN
from supervisor.config.errors import ConfigError, SupervisorError
from supervisor.config.schema import load_orchestrator_config
from supervisor.config.secret_files import DIRECTORIES
from supervisor.config.spelling import meant
from supervisor.environments.install import install
from supervisor.environments.places import built_in, environment_of

ROOT = built_in()
DEMO = Path("demo")
CONFIG = ROOT / "orchestrator_config.yml"
_CANNOT = "cannot suffer"
_SPEND = """
    SELECT platform, account_currency, count(DISTINCT account_id), count(DISTINCT campaign_id), sum(impressions),
           sum(clicks), sum(spend), min(date), max(date)
    FROM ads.campaign_daily GROUP BY ALL ORDER BY ALL
"""


def run_demo(*, size: str) -> int:
    """Build the environments, start the sandbox, run all platforms into `demo/`, show what arrived; the exit code."""
    names = [platform.name for platform in load_orchestrator_config(CONFIG).enabled_platforms]
    install(ROOT, names, on_line=_say)
    DEMO.mkdir(exist_ok=True)
    database, report, page = (
        DEMO / name for name in ("social_ads.duckdb", "execution_report.json", "execution_report.html")
    )
    with _sandbox(names, ("--size", size)) as sandbox:
        _say(f"The sandbox serves {', '.join(names)} on 127.0.0.1")
        environment = {
            **_without_credentials(),
            **sandbox.environment,
            "DUCKDB_PATH": str(database),
            "REPORT_PATH": str(report),
            "REPORT_HTML_PATH": str(page),
        }
        status = _supervisor_run(environment)
    if status == 0:
        _say(_spend_table(database))
    _say(f"\nDatabase: {database}   (duckdb {database})\nReport:   {report}\nPage:     {page}   (any browser)")
    return status


def serve_sandbox(*, options: Sequence[str], only: Collection[str], faults: Collection[str], exported: bool) -> int:
    """Serve until Ctrl-C or SIGTERM, having printed the variables that point the pipelines here, one a line."""
    unknown = sorted(set(only) - set(PLATFORMS))
    if unknown:
        raise ConfigError(f"--only: there is no platform {unknown[0]!r} in the sandbox; {meant(unknown[0], PLATFORMS)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _sandbox(list(only) or list(PLATFORMS), options, faults=faults) as sandbox:
            for name, value in sandbox.environment.items():
                _say(f"{'export ' if exported else ''}{name}={shlex.quote(value)}")
            sandbox.wait()
    except KeyboardInterrupt:
        return 0
    raise SupervisorError("a server of the sandbox has ended by itself")


def _sandbox(platforms: Collection[str], options: Sequence[str], *, faults: Iterable[str] = ()) -> Sandbox:
    by_platform: dict[str, list[str]] = {}
    for text in faults:
        platform, _, fault = text.partition(":")
        if platform not in platforms:
            raise ConfigError(
                f"--fault {text!r}: the sandbox does not serve {platform!r}; {meant(platform, platforms)}"
            )
        try:
            Fault.parse(fault)
        except ValueError as cause:
            raise ConfigError(f"--fault {text!r}: {cause}") from cause
        by_platform.setdefault(platform, []).append(fault)
    google = environment_of(ROOT, "google") / "bin" / "python"
    if "google" in platforms and not google.exists():
        raise ConfigError(f"the sandbox of google needs {google}; run `supervisor install --only google`")
    try:
        return Sandbox(platforms, options=options, faults=by_platform, interpreters={"google": google})
    except SandboxError as cause:
        if _CANNOT in str(cause):  # a kind of fault that this platform does not know
            raise ConfigError(f"--fault: {str(cause)[str(cause).rindex('error: ') + 7 :].strip()}") from cause
        raise SupervisorError(str(cause)) from cause


def _supervisor_run(environment: dict[str, str]) -> int:
    """`supervisor run` as a process of its own; a Ctrl-C reaches it through the terminal, and we wait for its end."""
    command = [sys.executable, "-m", "supervisor", "run", "--config", str(CONFIG)]
    process = subprocess.Popen(command, env=environment)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _without_credentials() -> dict[str, str]:
    """This process's variables without any platform's, so that no real credential meets the sandbox."""
    own = {*(name for platform in BUILT_IN.values() for name in platform.names), *DIRECTORIES}
    return {
        name: value for name, value in os.environ.items() if name not in own and name.removesuffix("_FILE") not in own
    }


def _spend_table(database: Path) -> str:
    from supervisor.sinks.embedded import connect  # noqa: PLC0415 - only the demo reads the database

    with connect(database, read_only=True) as connection:
        rows = connection.execute(_SPEND).fetchall()
    lines = [
        "",
        f"{'platform':<10} {'cur':<4} {'accounts':>8} {'campaigns':>9} {'impressions':>12} {'clicks':>9} {'spend':>15}",
    ]
    for platform, currency, accounts, campaigns, impressions, clicks, spend, _, _ in rows:
        lines.append(
            f"{platform:<10} {currency:<4} {accounts:>8} {campaigns:>9} {impressions:>12,} {clicks:>9,} {spend:>15,.2f}"
        )
    first, last = min(row[7] for row in rows), max(row[8] for row in rows)
    lines.append(f"ads.campaign_daily, {first} to {last}, in each account's own currency")
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the demo is made to be watched

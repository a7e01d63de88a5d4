"""The commands. Each imports what it needs when it runs, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from supervisor.report.display import say

EXIT_CODES = """\
exit codes:
  0    all platforms completed
  1    configuration, credentials, environment or storage must be mended; nothing was started
  2    some platforms completed, some did not
  3    no platform completed
  4    stopped at the first failure (continue_on_failure: false), or an error of the supervisor itself
  130  interrupted (Ctrl-C); 143 terminated; 129 the terminal was closed
"""
FRESHNESS = """\
exit codes:
  0    everything is within the limit
  1    it cannot be told: no database yet, a run holds it, or the configuration is wrong
  2    something is older than the limit, or was never loaded
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of `supervisor`; ends the process with the exit code."""
    try:
        status = _status(arguments)
    except KeyboardInterrupt:  # also while the command line is read
        status = 130
    _let_go()
    sys.exit(status)


def _status(arguments: Sequence[str] | None) -> int:
    """Do what the command line says; the exit code."""
    given = _parser().parse_args(arguments)
    from supervisor.config.errors import ConfigError, SupervisorError  # noqa: PLC0415 - `--help` needs none of it

    try:
        status: int = given.run(given)
    except ConfigError as error:
        for finding in error.findings:
            _complain(finding)
        status = error.exit_code
    except SupervisorError as error:
        _complain(str(error))
        status = error.exit_code
    except Exception as error:  # no traceback reaches a user, unless asked for
        if os.environ.get("LOG_LEVEL", "").upper() == "DEBUG":
            raise
        _complain(f"a bug in the supervisor: {type(error).__name__}: {error} (LOG_LEVEL=DEBUG shows where)")
        status = 4
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="supervisor",
        description="Runs the pipelines of ad platforms side by side and loads what they extract into one database.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run = _command(commands, "run", _run, "run the platforms, load their rows, write the report", EXIT_CODES)
    _add_selection(run)
    _add_days(run)
    run.add_argument("--full-refresh", action="store_true", help="forget which days are complete and load all of them")
    plan = _command(commands, "plan", _plan, "show what would run, in which order, over which days")
    _add_selection(plan)
    _add_days(plan)
    check = _command(
        commands, "check", _check, "look for everything that would keep a run from working; changes nothing"
    )
    _add_selection(check)
    install = _command(commands, "install", _install, "build the environment of each pipeline from its lock file")
    _add_selection(install)
    history = _command(commands, "history", _history, "show the last runs: status, duration, rows and their trend")
    history.add_argument("--platform", metavar="NAME", help="only this platform")
    history.add_argument("--last", type=_count, default=20, metavar="N", help="how many runs (default: 20)")
    show = _command(commands, "show", _show, "show one run whole")
    show.add_argument("run_id", metavar="RUN_ID", help="its id, or the beginning of it")
    fresh = _command(commands, "freshness", _freshness, "show how old the newest whole day of each table is", FRESHNESS)
    _add_config(fresh)
    fresh.add_argument(
        "--max-age", type=_count, default=2, metavar="DAYS", help="the limit; 1 is yesterday (default: 2)"
    )
    fresh.add_argument(
        *("--ignore-account",), nargs="+", action="extend", default=[], metavar="ID", help="a closed one, say"
    )
    export = _command(
        commands, "export", _export, "write the tables of the DuckDB file as Parquet, one directory per table and month"
    )
    export.add_argument("--to", type=Path, required=True, metavar="DIR", help="where; made if it does not exist")
    export.add_argument(
        *("--only",), nargs="+", action="extend", metavar="NAME", default=[], help="only the tables of these platforms"
    )
    _add_state(commands)
    sandbox = _command(commands, "sandbox", _sandbox, "serve the four platforms on 127.0.0.1 until Ctrl-C")
    sandbox.add_argument("--only", nargs="+", action="extend", metavar="NAME", default=[], help="serve only these")
    _add_world(sandbox)
    sandbox.add_argument(
        *("--fault",), action="append", default=[], metavar="PLATFORM:KIND[@AFTER[xTIMES]]", help="commit a fault"
    )
    demo = _command(commands, "demo", _demo, "run all four pipelines against the sandbox, into demo/")
    _add_world(demo)
    return parser


def _add_state(commands) -> None:  # type: ignore[no-untyped-def]  # as below
    state = commands.add_parser("state", help="show or forget what is known to be loaded")
    verbs = state.add_subparsers(title="commands", metavar="COMMAND", required=True)
    show = _command(verbs, "show", _show_state, "show which days of which account and table are loaded")
    show.add_argument("--json", action="store_true", help="the states as the pipelines keep them, one a line")
    reset = _command(verbs, "reset", _reset_state, "forget it, so that the next run loads those days anew; rows stay")
    reset.add_argument("--all", action="store_true", help="the states of all platforms")
    for parser in (show, reset):
        parser.add_argument("--platform", metavar="NAME", help="only this platform")
        parser.add_argument("--account", metavar="ID", help="only this account")
        parser.add_argument("--stream", metavar="TABLE", help="only this table")


def _command(  # type: ignore[no-untyped-def]  # argparse does not name the type of its subparsers
    commands, name: str, run, text: str, epilog: str | None = None
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.set_defaults(run=run)
    return parser


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        *("--config",), type=Path, default=Path("orchestrator_config.yml"), metavar="FILE",
        help="the configuration (default: orchestrator_config.yml)",
    )  # fmt: skip


def _add_selection(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument(
        "--only",
        nargs="+",
        action="extend",
        metavar="NAME",
        default=[],
        help="only these platforms; others are left out",
    )


def _add_days(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=_day, metavar="DAY", help="reload the days from this one on, e.g. 2026-01-31")
    parser.add_argument("--until", type=_day, metavar="DAY", help="up to this one (default: today)")


def _add_world(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size", choices=("tiny", "small", "big"), default="small", help="how many accounts and campaigns"
    )


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a day like 2026-01-31, got {text!r}") from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def _run(given: argparse.Namespace) -> int:
    from supervisor.cli.run import run  # noqa: PLC0415 - see the module's first paragraph

    return run(given.config, given.only, since=given.since, until=given.until, full_refresh=given.full_refresh)


def _plan(given: argparse.Namespace) -> int:
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415
    from supervisor.run.plan import make_plan, plan_text  # noqa: PLC0415

    plan = make_plan(load_orchestrator_config(given.config), given.only)
    _print(plan_text(plan, since=given.since, until=given.until))
    return 0


def _check(given: argparse.Namespace) -> int:
    from supervisor.cli.check import check_page, check_storage, readiness  # noqa: PLC0415
    from supervisor.config.environment import read_environment  # noqa: PLC0415
    from supervisor.config.errors import ConfigError  # noqa: PLC0415

    findings: list[str] = []
    try:
        readiness(given.config, given.only)
    except ConfigError as error:
        findings += error.findings
    try:
        environment = read_environment()
        findings += [each for each in (check_page(environment), check_storage(environment)) if each]
    except ConfigError:
        pass  # readiness has said it
    if findings:
        raise ConfigError(findings)
    _print("ready: configuration, environments, credentials, report path and storage are in order")
    return 0


def _install(given: argparse.Namespace) -> int:
    from supervisor.config.errors import InstallError  # noqa: PLC0415
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415
    from supervisor.environments.install import install  # noqa: PLC0415
    from supervisor.process.stopping import StopRequest, stop_on_signals  # noqa: PLC0415
    from supervisor.run.plan import make_plan  # noqa: PLC0415
    from supervisor.run.registry import create_default_registry  # noqa: PLC0415

    config = load_orchestrator_config(given.config)
    registry = create_default_registry().with_configured(config)
    by_root: dict[Path, list[str]] = {}
    for platform in make_plan(config, given.only).platforms:
        if platform.command is None:
            by_root.setdefault(registry.root_of(platform.name), []).append(platform.name)
    stop = StopRequest()
    codes: list[int] = []
    stop_on_signals(stop, codes.append)
    try:
        for root, names in by_root.items():
            install(root, names, on_line=_print, stop=stop)
    except InstallError:
        if not codes:
            raise
    return codes[0] if codes else 0


def _history(given: argparse.Namespace) -> int:
    from supervisor.cli.history import show_history  # noqa: PLC0415

    return show_history(given.platform, given.last)


def _show(given: argparse.Namespace) -> int:
    from supervisor.cli.history import show_run  # noqa: PLC0415

    return show_run(given.run_id)


def _freshness(given: argparse.Namespace) -> int:
    from supervisor.cli.history import show_freshness  # noqa: PLC0415

    return show_freshness(given.config, limit=given.max_age, ignored=given.ignore_account)


def _export(given: argparse.Namespace) -> int:
    from supervisor.cli.export import export  # noqa: PLC0415

    for line in export(given.to, given.only):
        _print(line)
    return 0


def _show_state(given: argparse.Namespace) -> int:
    from supervisor.cli.state import show_state  # noqa: PLC0415

    for line in show_state(given.platform, given.account, given.stream, as_json=given.json):
        _print(line)
    return 0


def _reset_state(given: argparse.Namespace) -> int:
    from supervisor.cli.state import reset_state  # noqa: PLC0415
    from supervisor.config.errors import ConfigError  # noqa: PLC0415

    if given.all == any((given.platform, given.account, given.stream)):
        raise ConfigError("say what to forget: --platform, --account, --stream, or --all of it")
    for line in reset_state(given.platform, given.account, given.stream):
        _print(line)
    return 0


def _sandbox(given: argparse.Namespace) -> int:
    from supervisor.cli.demo import serve_sandbox  # noqa: PLC0415

    return serve_sandbox(size=given.size, only=given.only, faults=given.fault)


def _demo(given: argparse.Namespace) -> int:
    from supervisor.cli.demo import run_demo  # noqa: PLC0415

    return run_demo(size=given.size)


def _let_go() -> None:
    """Flush both streams; where their other end is gone, Python would try again at exit and change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(text: str) -> None:
    if os.environ.get("LOG_FORMAT", "").strip().lower() == "json":
        from supervisor.record.log import json_line  # noqa: PLC0415

        say(json_line("ERROR", text))
    else:
        say(f"error: {text}")


def _print(text: str) -> None:
    print(text)  # noqa: T201 - a command line answers

"""The command line as people and shells meet it: mistakes, abbreviations, several values, help, completion."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import supervisor
from supervisor.cli.main import _COMMANDS

ROOT = Path(__file__).resolve().parents[2]
GOOD = "open('started', 'w')\nschema(); row(id='1', n=1); state({'a': 1})"


@pytest.fixture
def three(house: Any) -> Any:
    for name in ("google", "facebook", "mine"):
        house.tap(name, f"open('started-{name}', 'w')\n" + GOOD)
    house.write()
    return house


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--onyl", "google"], "there is no option --onyl; did you mean '--only'?"),
        (["rnu"], "there is no command 'rnu'; did you mean 'run'?"),
        (["state", "rest"], "there is no command 'rest'; did you mean 'reset'?"),
        (["run", "--only", "gogle"], "platform 'gogle' is not in the configuration; did you mean 'google'?"),
        (["sandbox", "--only", "linkedn"], "there is no platform 'linkedn' in the sandbox; did you mean 'linkedin'?"),
        (
            ["sandbox", "--size", "smal"],
            "--size: expected one of tiny, small, big, agency, huge, got 'smal'; did you mean 'small'?",
        ),
        (["run", "--since", "soon"], "--since: expected a day like 2026-01-31, got 'soon'"),
        (["history", "--last", "0"], "--last: expected a whole number of at least 1, got '0'"),
        (["run", "--only"], "--only: a value is missing"),
        (["run", "--since", "--full-refresh"], "--since: a value is missing"),
        (["state", "show", "--"], ""),
        (["run", "google"], "google"),
        (["run", "--full-refresh=yes"], "--full-refresh"),
        (["state", "reset", "--a"], "the option --a could be --account or --all"),
        (["export"], "--to is missing"),
        (["show"], "RUN_ID is missing"),
        ([], "a command is missing; known are run, plan, check"),
        (["completion", "tcsh"], "SHELL: expected one of bash, zsh, fish, got 'tcsh'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_1(three: Any, arguments: list[str], says: str) -> None:
    done = three.run(*arguments) if arguments else _bare(three)
    assert done.returncode == 1 and says in done.stderr, done
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("error: ")]) == 1
    assert not list(three.directory.glob("started*"))


def _bare(house: Any) -> subprocess.CompletedProcess[str]:
    process = house.start()
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess([], process.returncode, out, err)


def test_a_mistake_is_one_json_line_for_a_collector(three: Any) -> None:
    import json

    done = three.run("run", "--onyl", "google", LOG_FORMAT="json")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, json.loads(line)["level"]) == (1, "ERROR")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--only", "google", "facebook"],
        ["--only", "google", "--only", "facebook"],
        ["--only=google", "--only", "facebook"],
        ["--onl", "google", "facebook", "--full"],
    ],
)
def test_several_values_and_abbreviations(three: Any, arguments: list[str]) -> None:
    done = three.run("run", *arguments)
    assert done.returncode == 0, done.stderr
    started = {path.name for path in three.directory.glob("started-*")}
    assert started == {"started-google", "started-facebook"}


def test_the_version_is_that_of_the_distribution(house: Any) -> None:
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg")
    assert house.run("--version").stdout == f"supervisor {declared['metadata']['version']}\n"
    assert supervisor.__version__ == declared["metadata"]["version"]


def test_the_module_is_the_command(house: Any) -> None:
    done = subprocess.run([sys.executable, "-m", "supervisor", "--version"], capture_output=True, text=True)
    assert done.stdout == house.run("--version").stdout


@pytest.mark.parametrize("words", [[], *([name] for name in _COMMANDS), ["state", "show"], ["state", "reset"]])
def test_help_fits_forty_columns(house: Any, words: list[str]) -> None:
    done = house.run(*words, "--help", COLUMNS="40")
    assert done.returncode == 0 and done.stdout.startswith("usage: supervisor")
    assert [line for line in done.stdout.splitlines() if len(line) > 40] == []
    assert house.run(*words, "-h", COLUMNS="40").stdout == done.stdout


def test_help_loads_no_more_than_it_needs() -> None:
    heavy = "{'duckdb', 'yaml', 'cattrs', 'psutil', 'rich', 'jinja2', 'msgspec'}"
    program = (
        "import sys, supervisor.cli.main as cli\n"
        "for words in (['--help'], ['run', '--help'], ['state', 'show', '--help']):\n"
        "    try: cli.main(words)\n"
        "    except SystemExit: pass\n"
        f"print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_a_closed_standard_output_costs_nothing(three: Any) -> None:
    script = f'exec "{Path(sys.executable).with_name("supervisor")}" run --only mine >&-'
    done = subprocess.run(
        ["sh", "-c", script], cwd=three.directory, env=three.environment, capture_output=True, text=True
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert three.rows("SELECT id FROM mine.t") == [("1",)]


def test_a_bug_is_exit_4_also_where_its_place_is_shown(house: Any) -> None:
    program = (
        "import supervisor.cli.main as cli, supervisor.config.schema as schema\n"
        "def broken(path): raise RuntimeError('oops')\n"
        "schema.load_orchestrator_config = broken\n"
        "cli.main(['plan'])"
    )
    for level, shown in (("DEBUG", True), ("INFO", False)):
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            env=house.environment | {"LOG_LEVEL": level},
        )
        assert done.returncode == 4
        assert "error: a bug in the supervisor: RuntimeError: oops" in done.stderr
        assert ("Traceback" in done.stderr) is shown


def test_a_fault_that_no_platform_here_can_suffer_is_refused(house: Any) -> None:
    for fault, says in (
        ("linkedin:truncated_file", "linkedin cannot suffer truncated_file; it can"),
        ("linkdin:hang", "the sandbox does not serve 'linkdin'; did you mean 'linkedin'?"),
        ("google:hang", "the sandbox does not serve 'google'"),
    ):
        done = house.run("sandbox", "--only", "linkedin", "--size", "tiny", "--fault", fault)
        assert done.returncode == 1 and says in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def _completed(house: Any, words: list[str]) -> list[str]:
    """What a real bash offers at the end of the line, after it has read what the product prints."""
    program = Path(sys.executable).with_name("supervisor")
    script = (
        f'PATH="{program.parent}:$PATH"; eval "$(supervisor completion bash)" || exit 9\n'
        f"COMP_WORDS=({' '.join(map(repr, words))}); COMP_CWORD={len(words) - 1}\n"
        'complete -p supervisor >&2; _supervisor_completion supervisor; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=house.directory, env=house.environment, capture_output=True, text=True
    )
    assert done.returncode == 0 and "_supervisor_completion" in done.stderr, done.stderr
    return done.stdout.split()


def test_bash_completes_commands_options_and_platforms(three: Any) -> None:
    assert _completed(three, ["supervisor", "ru"]) == ["run"]
    assert _completed(three, ["supervisor", "state", ""]) == ["show", "reset"]
    assert "--full-refresh" in _completed(three, ["supervisor", "run", "--"])
    assert _completed(three, ["supervisor", "run", "--only", ""]) == ["google", "facebook", "mine"]
    assert _completed(three, ["supervisor", "run", "--only", "google", "f"]) == ["facebook"]
    assert _completed(three, ["supervisor", "sandbox", "--size", ""]) == ["tiny", "small", "big", "agency", "huge"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_script_of_their_own(house: Any, shell: str) -> None:
    done = house.run("completion", shell)
    assert done.returncode == 0 and "_SUPERVISOR_COMPLETE" in done.stdout
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=done.stdout, capture_output=True, text=True, env=dict(os.environ))
        assert checked.returncode == 0, checked.stderr

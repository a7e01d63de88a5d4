"""`supervisor init`: a configuration to begin with."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from supervisor.cli.first_configuration import PLATFORMS, text_for
from supervisor.config.schema import load_orchestrator_config

SHIPPED = Path(__file__).resolve().parents[2] / "orchestrator_config.yml"


def test_all_platforms_are_the_shipped_configuration() -> None:
    assert text_for(()) == text_for(PLATFORMS) == SHIPPED.read_text()


@pytest.mark.parametrize("chosen", [(name,) for name in PLATFORMS] + [("facebook", "google")])
def test_chosen_platforms_are_as_they_are_shipped_and_explained(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    text = text_for(chosen)
    (tmp_path / "c.yml").write_text(text)
    made, shipped = load_orchestrator_config(tmp_path / "c.yml"), load_orchestrator_config(SHIPPED)
    assert list(made.platforms) == [platform for platform in shipped.platforms if platform.name in chosen]
    assert {name for group in made.parallel_groups for name in group} == set(chosen)
    for key in ("priority", "timeout", "memory_limit", "settings"):
        assert f"{key}:" in text and any(f" {key}:" in line and "#" in line for line in text.splitlines()), key


def test_it_tells_what_is_still_to_do_and_overwrites_nothing(house: Any) -> None:
    done = house.run("init", "--only", "linkedin", "--config", "mine.yml")
    assert done.returncode == 0, done.stderr
    first, missing, then = done.stdout.splitlines()
    assert first == "mine.yml is written"
    assert "LINKEDIN_REFRESH_TOKEN" in missing
    assert "supervisor authorize linkedin --config mine.yml && supervisor check --config mine.yml" in then
    before = (house.directory / "mine.yml").read_text()
    again = house.run("init", "--config", "mine.yml")
    assert again.returncode == 1
    assert again.stderr == "error: mine.yml is there already, and nothing is overwritten; --config names another\n"
    assert (house.directory / "mine.yml").read_text() == before


def test_an_unknown_platform_is_one_sentence_and_writes_nothing(house: Any) -> None:
    done = house.run("init", "--only", "gogle", "--config", "mine.yml")
    assert done.returncode == 1
    assert done.stderr == "error: there is no platform 'gogle' to begin with; did you mean 'google'?\n"
    assert not (house.directory / "mine.yml").exists()


def at_a_terminal(house: Any, answers: Sequence[str]) -> tuple[int, str]:
    """`supervisor init` with somebody at a terminal who answers each question; its exit code and what is to be seen."""
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("supervisor"), "init"], cwd=house.directory, env=house.environment,
        stdin=other_end, stdout=other_end, stderr=other_end, start_new_session=True,
    )  # fmt: skip
    os.close(other_end)
    left, asked, seen = list(answers), 0, ""
    try:
        while select.select([terminal], [], [], 60)[0] and (read := os.read(terminal, 4096)):
            seen += read.decode()
            if seen.count("Platforms [") > asked:
                asked += 1
                os.write(terminal, left.pop(0).encode())
    except OSError:  # the other end is closed: this is how Linux tells it
        pass
    finally:
        os.close(terminal)
    return process.wait(60), seen


def test_at_a_terminal_it_asks_until_every_word_is_a_platform(house: Any) -> None:
    code, seen = at_a_terminal(house, ["gogle linkedin\n", "linkedin, google\n"])
    assert code == 0, seen
    assert "Platforms [google microsoft facebook linkedin]: " in seen
    assert "there is no platform 'gogle' to begin with; did you mean 'google'?" in seen
    assert "orchestrator_config.yml is written" in seen
    made = load_orchestrator_config(house.directory / "orchestrator_config.yml")
    assert [platform.name for platform in made.platforms] == ["google", "linkedin"]
    assert at_a_terminal(house, [])[0] == 1, "what is there is refused before anything is asked"


def test_whoever_gives_no_answer_gets_no_file(house: Any) -> None:
    code, seen = at_a_terminal(house, ["\x04"])
    assert (code, "bug" in seen) == (130, False), seen
    assert not (house.directory / "orchestrator_config.yml").exists()

"""A YAML file says what its author wrote; where YAML 1.1 would say something else, that is an error with its line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from supervisor.config.document import read_document
from supervisor.config.errors import ConfigError


def findings(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_document(path)
    return caught.value.findings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some.yml"


def test_dates_stay_the_text_that_was_written(file: Path) -> None:
    file.write_text("since: 2026-01-01\nat: 2026-01-01 10:00:00\n")
    assert read_document(file) == {"since": "2026-01-01", "at": "2026-01-01 10:00:00"}


def test_a_syntax_error_is_named_with_its_line(file: Path) -> None:
    file.write_text("platforms:\n  - name: google\n    retry: {max_attempts: 2\n")
    (finding,) = findings(file)
    assert finding.startswith(f"{file}:4: ")


def test_every_repeated_key_is_named_with_both_lines(file: Path) -> None:
    file.write_text("a: 1\nb: {c: 1, c: 2}\na: 2\n")
    assert set(findings(file)) == {
        f"{file}:3: the key 'a' is given twice; the first is in line 1",
        f"{file}:2: the key 'c' is given twice; the first is in line 2",
    }


def test_merged_keys_are_not_repeated_keys(file: Path) -> None:
    file.write_text("a: &a {x: 1, y: 1}\nb:\n  <<: *a\n  x: 2\n")
    assert read_document(file)["b"] == {"x": 2, "y": 1}


@pytest.mark.parametrize(("written", "read"), [("0123", 83), ("30:00", 1800), ("-017", -15)])
def test_numbers_in_other_bases_are_refused(file: Path, written: str, read: int) -> None:
    file.write_text(f"- x\n- {written}\n")
    (finding,) = findings(file)
    assert finding == f"{file}:2: YAML reads {written} as the number {read}; put it in quotes if it is a text"


def test_plain_numbers_are_numbers(file: Path) -> None:
    file.write_text("[0, 10, -7, 0x1f, 1_000, '0123']")
    assert read_document(file) == [0, 10, -7, 31, 1000, "0123"]


def test_a_missing_file_is_named(file: Path) -> None:
    assert findings(file) == (f"{file} does not exist",)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert "Is a directory" in findings(tmp_path)[0]


def test_a_file_in_another_encoding_is_named(file: Path) -> None:
    file.write_bytes("name: Zoë".encode("latin-1"))
    assert findings(file)[0].startswith(f"{file} cannot be read: ")


def test_control_characters_and_several_documents_are_refused(file: Path) -> None:
    file.write_bytes(b"a: \x07\n")
    assert str(file) in findings(file)[0]
    file.write_text("a: 1\n---\nb: 2\n")
    assert str(file) in findings(file)[0]


def test_a_tag_cannot_make_python_objects(file: Path) -> None:
    file.write_text("!!python/object/apply:os.getpid []\n")
    assert f"{os.getpid()}" not in findings(file)[0].split(": ", 1)[1]


@pytest.mark.parametrize("text", ["a: !!int x", "{[1]: 2}", "a: *nowhere", "\t- a"])
def test_what_yaml_cannot_make_a_value_of_is_an_error_too(file: Path, text: str) -> None:
    file.write_text(text)
    assert findings(file)[0].startswith(f"{file}:")


def test_an_empty_file_is_nothing(file: Path) -> None:
    file.write_text("# nothing yet\n")
    assert read_document(file) is None


def test_what_nests_deeply_or_grows_by_aliases_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    for text, says in (
        ("[" * 100_000, "is nested more than 64 deep"),
        ("a: " + "{b: " * 100_000, "is nested more than 64 deep"),
        (
            "a: &a [x, x]\n"
            + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)),
            "its aliases make more than 100,000 values of it",
        ),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=says):
            read_document(path)
    path.write_text("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}")
    assert read_document(path) == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 1, "y": 2}}


def test_a_directory_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Is a directory; name the file in it, .*orchestrator_config.yml"):
        read_document(tmp_path)

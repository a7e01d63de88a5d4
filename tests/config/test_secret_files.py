"""Secrets as a directory of files, as Kubernetes and systemd mount them."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.config.credentials import missing_credentials, secret_values, value_of, visible_environment
from supervisor.config.errors import ConfigError


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    return directory


@pytest.mark.parametrize("variable", ["SECRETS_DIRECTORY", "CREDENTIALS_DIRECTORY"])
def test_each_variable_may_be_a_file_in_the_directory_which_no_pipeline_sees(secrets: Path, variable: str) -> None:
    (secrets / "FACEBOOK_ACCESS_TOKEN").write_text("from a file\n")
    (secrets / "LINKEDIN_REFRESH_TOKEN").write_text("somebody else's")
    (secrets / "MY_TOKEN").write_text("mine")
    assert visible_environment("facebook", ("MY_TOKEN",), {variable: str(secrets)}) == {
        "FACEBOOK_ACCESS_TOKEN": "from a file",
        "MY_TOKEN": "mine",
    }


def test_a_directory_that_systemd_passes_whole_has_its_prefix(secrets: Path) -> None:
    (secrets / "secrets_LINKEDIN_ACCESS_TOKEN").write_text("passed")
    assert missing_credentials("linkedin", {"CREDENTIALS_DIRECTORY": str(secrets)}) is None


def test_the_variable_wins_over_its_file_and_that_over_the_directories(secrets: Path, tmp_path: Path) -> None:
    (secrets / "MY_TOKEN").write_text("in the directory")
    other = tmp_path / "other"
    other.mkdir()
    (other / "MY_TOKEN").write_text("systemd's")
    file = tmp_path / "file"
    file.write_text("in the file")
    environ = {"CREDENTIALS_DIRECTORY": str(other)}
    assert value_of("MY_TOKEN", environ) == "systemd's"
    environ["SECRETS_DIRECTORY"] = str(secrets)
    assert value_of("MY_TOKEN", environ) == "in the directory"
    environ["MY_TOKEN_FILE"] = str(file)
    assert value_of("MY_TOKEN", environ) == "in the file"
    environ["MY_TOKEN"] = "the variable"
    assert value_of("MY_TOKEN", environ) == "the variable"


def test_an_empty_file_is_as_an_unset_variable(secrets: Path) -> None:
    (secrets / "MY_TOKEN").write_text("\n")
    assert value_of("MY_TOKEN", {"SECRETS_DIRECTORY": str(secrets)}) is None
    assert value_of("OTHER", {"SECRETS_DIRECTORY": str(secrets)}) is None


def test_a_variable_that_names_a_file_names_the_one_in_the_directory(secrets: Path) -> None:
    config = secrets / "GOOGLE_CONFIG_FILE"
    config.write_text("developer_token: dev-token-of-google\nrefresh_token: refresh-token-of-google\n")
    environ = {"SECRETS_DIRECTORY": str(secrets)}
    assert visible_environment("google", (), environ) == {"GOOGLE_CONFIG_FILE": str(config)}
    assert secret_values(environ) >= {"dev-token-of-google", "refresh-token-of-google"}


def test_secrets_of_the_directory_stay_out_of_the_log(secrets: Path) -> None:
    (secrets / "VERTICA_PASSWORD").write_text("correct horse")
    assert "correct horse" in secret_values({"SECRETS_DIRECTORY": str(secrets)})


def test_what_cannot_be_read_is_one_sentence(secrets: Path) -> None:
    (secrets / "FACEBOOK_ACCESS_TOKEN").mkdir()
    (secrets / "FACEBOOK_APP_SECRET").write_bytes(b"\xff\xfe")
    (secrets / "FACEBOOK_APP_ID").symlink_to("nowhere")
    with pytest.raises(ConfigError) as caught:
        visible_environment("facebook", (), {"SECRETS_DIRECTORY": str(secrets)})
    begin = f"SECRETS_DIRECTORY: {secrets}"
    assert set(caught.value.findings) == {
        f"{begin}/FACEBOOK_ACCESS_TOKEN stands for FACEBOOK_ACCESS_TOKEN, which cannot be read: Is a directory",
        f"{begin}/FACEBOOK_APP_SECRET stands for FACEBOOK_APP_SECRET, which cannot be read: it is not text",
        f"{begin}/FACEBOOK_APP_ID stands for FACEBOOK_APP_ID, which cannot be read: No such file or directory",
    }


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_directory_that_is_none_is_one_sentence(tmp_path: Path, kind: str) -> None:
    directory = tmp_path / kind
    if kind == "file":
        directory.write_text("a secret")
    with pytest.raises(ConfigError) as caught:
        value_of("MY_TOKEN", {"SECRETS_DIRECTORY": str(directory)})
    assert caught.value.findings == (f"SECRETS_DIRECTORY names {directory}, which is not a directory",)

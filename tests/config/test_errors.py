"""An error says its sentence, and which exit code it leads to."""

from __future__ import annotations

import pytest

from supervisor.config.errors import ConfigError, InstallError, ReportError, SinkError, SupervisorError


def test_a_configuration_error_holds_one_finding_or_many() -> None:
    assert ConfigError("one").findings == ("one",)
    assert ConfigError(f"{number}" for number in range(2)).findings == ("0", "1")
    assert str(ConfigError(["one", "two"])) == "one\ntwo"


@pytest.mark.parametrize(
    ("kind", "code"),
    [(ConfigError, 1), (InstallError, 1), (SinkError, 1), (ReportError, 1), (SupervisorError, 4)],
)
def test_what_can_be_mended_before_a_run_is_a_configuration_error_to_the_shell(
    kind: type[SupervisorError], code: int
) -> None:
    assert kind("sentence").exit_code == code
    assert str(kind("sentence")) == "sentence"

"""The Container Apps job, held against the models of Azure's own SDK and against what the product knows."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from supervisor.config.credentials import BUILT_IN, missing_credentials
from supervisor.config.environment import all_variables
from supervisor.config.schema import load_orchestrator_config

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venvs" / "azure-mgmt-appcontainers" / "bin" / "python"


@pytest.fixture
def job() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "azure" / "job.yaml").read_text())
    return found


def _mistakes(job: dict[str, Any]) -> list[str]:
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("azure_fields.py")],
        input=json.dumps(job), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_every_field_is_one_that_azure_knows(job: dict[str, Any]) -> None:
    assert _mistakes(job) == []


def test_a_field_and_a_word_that_azure_does_not_know_are_found(job: dict[str, Any]) -> None:
    wrong = copy.deepcopy(job)
    wrong["properties"]["configuration"]["triggerType"] = "Nightly"
    wrong["properties"]["template"]["volumes"][0]["storagetype"] = "AzureFile"
    assert sorted(_mistakes(wrong)) == [
        "job.properties.configuration.triggerType: Nightly",
        "job.properties.template.volumes.storagetype",
    ]


def test_secrets_and_volumes_are_there_and_complete(job: dict[str, Any]) -> None:
    template, configuration = job["properties"]["template"], job["properties"]["configuration"]
    (container,) = template["containers"]
    assert {each["volumeName"] for each in container["volumeMounts"]} == {each["name"] for each in template["volumes"]}
    (mounted,) = (each["secrets"] for each in template["volumes"] if each["storageType"] == "Secret")
    assert [each["secretRef"] for each in mounted] == [each["name"] for each in configuration["secrets"]]
    known = {each.name for each in all_variables()} | {name for own in BUILT_IN.values() for name in own.names}
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert variables.keys() - {"SECRETS_DIRECTORY"} <= known
    given = variables | {each["path"]: "set" for each in mounted}
    given.pop("SECRETS_DIRECTORY")
    assert [missing_credentials(platform, given) for platform in BUILT_IN] == [None] * 4
    assert given.keys() <= known


def test_the_supervisor_ends_a_run_before_azure_does(job: dict[str, Any]) -> None:
    configuration = job["properties"]["configuration"]
    limit = load_orchestrator_config(ROOT / "orchestrator_config.yml").global_timeout
    assert configuration["replicaTimeout"] > (limit or 0)
    assert configuration["replicaRetryLimit"] == 0
    assert len(configuration["scheduleTriggerConfig"]["cronExpression"].split()) == 5

"""The manifests: as kubectl renders them, held against the schemas of four versions and against what a schema cannot see."""

from __future__ import annotations

import configparser
import copy
import re
import shutil
import subprocess
import zoneinfo
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from supervisor.cli.exit_codes import RUN
from supervisor.config.credentials import BUILT_IN, SINK_SECRETS
from supervisor.config.environment import all_variables
from supervisor.config.schema import load_orchestrator_config
from supervisor.config.shards import found_by_engine
from supervisor.config.units import size
from wire.shards import Shard

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "deploy" / "kubernetes"
VALIDATE = ROOT / ".venvs" / "kubernetes-validate" / "bin" / "kubernetes-validate"
VERSIONS = ("1.30", "1.31", "1.34", "1.37")
STORAGES = {"duckdb": "duckdb", "vertica": "vertica", "azure-table": "azure_table", "singer": "singer"}
OVERLAYS = (*STORAGES, "sharded")
COMPONENTS = ("pod-monitor", "pushgateway")

_DURATION = r"^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$"
_LABELS = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}}
POD_MONITOR = {
    "type": "object", "required": ["apiVersion", "kind", "metadata", "spec"], "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "monitoring.coreos.com/v1"}, "kind": {"const": "PodMonitor"},
        "metadata": {"type": "object", "properties": {"labels": _LABELS}},
        "spec": {
            "type": "object", "required": ["podMetricsEndpoints", "selector"], "additionalProperties": False,
            "properties": {
                "jobLabel": {"type": "string"},
                "selector": {
                    "type": "object", "additionalProperties": False, "properties": {"matchLabels": _LABELS},
                },
                "podMetricsEndpoints": {"type": "array", "items": {
                    "type": "object", "additionalProperties": False,
                    "properties": {
                        "port": {"type": "string"}, "path": {"type": "string"}, "scheme": {"enum": ["http", "https"]},
                        "interval": {"type": "string", "pattern": _DURATION},
                        "scrapeTimeout": {"type": "string", "pattern": _DURATION},
                        "honorLabels": {"type": "boolean"}, "filterRunning": {"type": "boolean"},
                    },
                }},
            },
        },
    },
}  # fmt: skip
"""Of the fields that a PodMonitor of ours may have; source: pkg/apis/monitoring/v1/podmonitor_types.go of the Prometheus
Operator, v0.80. No Kubernetes and no package of PyPI has it whole."""

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl to render the manifests")


def _rendered(directory: Path) -> str:
    return subprocess.run(["kubectl", "kustomize", directory], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module", params=[*OVERLAYS, *COMPONENTS])
def rendered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An overlay as it is, or the first one with a component, as its comment says."""
    if request.param in OVERLAYS:
        return _rendered(MANIFESTS / "overlays" / request.param)
    copy = tmp_path_factory.mktemp("manifests") / "kubernetes"
    shutil.copytree(MANIFESTS, copy)
    with (copy / "overlays" / "duckdb" / "kustomization.yaml").open("a") as file:
        file.write(f"components: [../../components/{request.param}]\n")
    return _rendered(copy / "overlays" / "duckdb")


@pytest.fixture(scope="module")
def resources(rendered: str) -> dict[str, Any]:
    by_kind: dict[str, Any] = {}
    for each in yaml.safe_load_all(rendered):
        by_kind[each["kind"] if each["kind"] != "ConfigMap" else each["metadata"]["name"].rsplit("-", 1)[0]] = each
    return by_kind


@pytest.fixture(scope="module")
def pod(resources: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = resources["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_the_schema(rendered: str, version: str, tmp_path: Path) -> None:
    for number, each in enumerate(yaml.safe_load_all(rendered)):
        if each["kind"] != "PodMonitor":  # the Prometheus Operator's own, which no Kubernetes has a schema for
            (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(each))
    done = subprocess.run(
        [VALIDATE, "-k", version, "--strict", "--quiet", *sorted(tmp_path.iterdir())], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_pod_monitor_fits_the_schema_of_its_operator(resources: dict[str, Any]) -> None:
    if "PodMonitor" not in resources:
        pytest.skip("this one is not scraped")
    schema = Draft202012Validator(POD_MONITOR)
    assert list(schema.iter_errors(resources["PodMonitor"])) == []
    wrong = copy.deepcopy(resources["PodMonitor"])
    (endpoint,) = wrong["spec"]["podMetricsEndpoints"]
    endpoint |= {"interval": "30 s", "portName": "metrics", "scheme": "HTTP"}
    assert len(list(schema.iter_errors(wrong))) == 3


def test_the_schedule_is_one_and_no_two_runs_meet(resources: dict[str, Any]) -> None:
    spec = resources["CronJob"]["spec"]
    minute, hour, *days = spec["schedule"].split()
    assert 0 <= int(minute) < 60 and 0 <= int(hour) < 24 and days == ["*", "*", "*"]
    assert spec["timeZone"] in zoneinfo.available_timezones()
    assert spec["concurrencyPolicy"] == "Forbid"
    job = spec["jobTemplate"]["spec"]
    assert "completions" in job or job["backoffLimit"] == 0
    assert job["ttlSecondsAfterFinished"] > 24 * 3600, "the logs of a night are read by day"


def test_shards_are_counted_alike_everywhere_and_called_as_the_job(
    resources: dict[str, Any], pod: dict[str, Any]
) -> None:
    job = resources["CronJob"]["spec"]["jobTemplate"]["spec"]
    if "completions" not in job:
        pytest.skip("this one is no Indexed Job")
    (container,) = pod["containers"]
    env = {each["name"]: each for each in container["env"]}
    assert job["completionMode"] == "Indexed"
    assert job["completions"] == job["parallelism"] == int(env["SHARD_COUNT"]["value"])
    assert env["RUN_GROUP"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['batch.kubernetes.io/job-name']"
    assert env["SHARD"]["value"] == "auto"
    for index in range(job["completions"]):
        told = {"JOB_COMPLETION_INDEX": str(index), "SHARD_COUNT": env["SHARD_COUNT"]["value"]}
        assert found_by_engine(told)[0] == Shard(index, job["completions"])
    assert resources["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]
    (spread,) = pod["topologySpreadConstraints"]
    assert (spread["maxSkew"], spread["topologyKey"]) == (1, "kubernetes.io/hostname")
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway", "one node is enough"
    labels = job["template"]["metadata"]["labels"]
    assert spread["labelSelector"]["matchLabels"].items() <= labels.items()


def test_a_shard_is_tried_again_where_that_can_help(resources: dict[str, Any], pod: dict[str, Any]) -> None:
    job = resources["CronJob"]["spec"]["jobTemplate"]["spec"]
    if "completions" not in job:
        pytest.skip("this one is no Indexed Job")
    drained, mended, counted = job["podFailurePolicy"]["rules"]
    assert drained == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    assert (mended["action"], counted["action"]) == ("FailIndex", "Count")
    assert "must be mended" in RUN["1"]
    assert mended["onExitCodes"]["values"] == [1]
    failures = [int(code) for code in RUN if code not in ("0", "130")]
    assert sorted(mended["onExitCodes"]["values"] + counted["onExitCodes"]["values"]) == failures
    for rule in (mended, counted):
        assert rule["onExitCodes"]["containerName"] == pod["containers"][0]["name"]
        assert rule["onExitCodes"]["operator"] == "In"
    assert pod["restartPolicy"] == "Never", "Kubernetes takes no podFailurePolicy beside another"
    assert "backoffLimit" not in job, "it would end the Job at the first failure of any shard"
    assert "maxFailedIndexes" not in job, "it would end the shards that go well"
    config = load_orchestrator_config(MANIFESTS / "base" / "orchestrator_config.yml")
    tries = 1 + job["backoffLimitPerIndex"]
    assert job["activeDeadlineSeconds"] > tries * (config.global_timeout or 0)


def test_the_supervisor_ends_a_run_before_kubernetes_does(resources: dict[str, Any], pod: dict[str, Any]) -> None:
    config = load_orchestrator_config(MANIFESTS / "base" / "orchestrator_config.yml")
    assert pod["terminationGracePeriodSeconds"] > 2 * max(platform.kill_grace for platform in config.platforms)
    assert resources["CronJob"]["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] > (config.global_timeout or 0)


def test_the_pod_is_allowed_by_the_restricted_profile(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    kinds = {key for volume in pod["volumes"] for key in volume if key != "name"}
    assert kinds <= {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


def test_nothing_asks_the_api_server(resources: dict[str, Any], pod: dict[str, Any]) -> None:
    assert pod["serviceAccountName"] == resources["ServiceAccount"]["metadata"]["name"]
    assert pod["automountServiceAccountToken"] is resources["ServiceAccount"]["automountServiceAccountToken"] is False


def test_every_volume_is_there_and_named(resources: dict[str, Any], pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert (
        volumes["data"]["persistentVolumeClaim"]["claimName"] == resources["PersistentVolumeClaim"]["metadata"]["name"]
    )
    assert volumes["config"]["configMap"]["name"] == resources["social-ads"]["metadata"]["name"]
    assert container["envFrom"] == [{"configMapRef": {"name": resources["social-ads-environment"]["metadata"]["name"]}}]
    assert volumes["secrets"]["secret"]["defaultMode"] == 0o440


def test_quantities_are_quantities_and_the_pipelines_fit_into_the_memory(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    for kind in ("requests", "limits"):
        for quantity in container["resources"][kind].values():
            assert re.fullmatch(r"\d+(m|Mi|Gi)?", quantity), quantity
    config = load_orchestrator_config(MANIFESTS / "base" / "orchestrator_config.yml")
    largest = sorted((platform.memory_limit or 0 for platform in config.platforms), reverse=True)
    together = sum(largest[: config.max_parallel or 4])
    assert together + 2**30 <= size(container["resources"]["limits"]["memory"] + "B")


def test_every_variable_is_one_that_the_product_knows(resources: dict[str, Any], pod: dict[str, Any]) -> None:
    known = {variable.name for variable in all_variables()} | {"SECRETS_DIRECTORY"}
    known |= {name for platform in BUILT_IN.values() for name in platform.names}
    data = resources["social-ads-environment"]["data"]
    (container,) = pod["containers"]
    assert data.keys() | {each["name"] for each in container.get("env", ())} <= known
    assert not data.keys() & {*SINK_SECRETS, *(name for own in BUILT_IN.values() for name in own.secret)}
    assert data["STORAGE_TYPE"] in STORAGES.values()
    paths = [value for value in data.values() if value.startswith("/")]
    assert all(path.startswith(("/data/", "/run/secrets/social-ads", "/opt/")) for path in paths)


def test_what_is_scraped_is_served_and_let_in(resources: dict[str, Any], pod: dict[str, Any]) -> None:
    if "PodMonitor" not in resources:
        pytest.skip("this one is not scraped")
    data = resources["social-ads-environment"]["data"]
    (port,) = pod["containers"][0]["ports"]
    (endpoint,) = resources["PodMonitor"]["spec"]["podMetricsEndpoints"]
    (let_in,) = resources["NetworkPolicy"]["spec"]["ingress"]
    assert endpoint["port"] == port["name"]
    assert data["METRICS_PORT"] == str(port["containerPort"]) == str(let_in["ports"][0]["port"])
    assert int(data["METRICS_LINGER_SECONDS"]) > int(endpoint["interval"].removesuffix("s"))
    labels = resources["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert resources["PodMonitor"]["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_image_is_of_this_version_and_the_configuration_the_one_that_is_shipped() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    (image,) = yaml.safe_load((MANIFESTS / "base" / "kustomization.yaml").read_text())["images"]
    assert image["newTag"] == setup["metadata"]["version"]
    shipped = (ROOT / "orchestrator_config.yml").read_text()
    assert (MANIFESTS / "base" / "orchestrator_config.yml").read_text() == shipped

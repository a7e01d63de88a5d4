"""The run's own variables: the log, the report, the metrics and the storage. All that is wrong is reported at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import attrs
from attrs import Factory, evolve, frozen

from supervisor.config.credentials import value_of
from supervisor.config.declared import Variable, declared, read_declared, variables_of
from supervisor.config.errors import ConfigError
from supervisor.config.schema import MetricsConfig
from supervisor.config.shards import PLACE, in_path, told
from supervisor.config.variable_values import (
    Currency,
    ExistingFile,
    FilePath,
    Flag,
    Format,
    GroupName,
    HostName,
    Level,
    LineFormat,
    LogFormat,
    Names,
    Nodes,
    OfShards,
    Patience,
    PlainName,
    PromPath,
    ReadableBy,
    Readers,
    ReportFormat,
    ServedPort,
    ServerPort,
    Storage,
    StorageType,
    Tls,
    TlsMode,
    Url,
    Wait,
    Words,
    flag,
)
from wire.endpoints import is_loopback

__all__ = [
    "AzureAccess", "LogFormat", "Readers", "ReportFormat", "RunEnvironment", "SingerAccess", "StorageType", "TlsMode",
    "VerticaAccess", "all_variables", "read_environment", "wants_html", "wants_log_file",
]  # fmt: skip


def _safe(access: VerticaAccess) -> TlsMode:
    """Between two machines a password needs a server that proves who it is; this machine is itself."""
    return TlsMode.DISABLE if is_loopback(access.host) else TlsMode.VERIFY_FULL


def _with_port(nodes: tuple[tuple[str, int | None], ...], access: Any) -> tuple[tuple[str, int], ...]:
    """The port of the first node where none is given; attrs hands over the half-made `VerticaAccess`."""
    return tuple((host, access.port if port is None else port) for host, port in nodes)


@frozen(kw_only=True)
class VerticaAccess:
    """Where Vertica is, and as whom to log in. `timeout` is the longest that one statement may take, in seconds.

    The nodes in `backup_nodes` without a port have that of the first.
    """

    host: HostName = declared("VERTICA_HOST", "With `STORAGE_TYPE=vertica`.")
    port: ServerPort = declared("VERTICA_PORT", "", default=5433)
    database: PlainName = declared("VERTICA_DATABASE", "")
    user: PlainName = declared("VERTICA_USER", "")
    password: PlainName = declared("VERTICA_PASSWORD", "", default="", secret=True)
    tls_mode: Tls = declared(
        "VERTICA_TLSMODE",
        "How far the connection is encrypted and the server's certificate checked. On this machine (`localhost`) the "
        "default is `disable`.",
        default=Factory(_safe, takes_self=True),
        shown="`verify-full`",
    )
    ca_file: ExistingFile | None = declared(
        "VERTICA_CA_FILE", "The certificate authorities to trust, in PEM; those of the system unless set.", default=None
    )
    backup_nodes: Nodes = declared(
        "VERTICA_BACKUP_NODES",
        "Further hosts of the cluster, `node2, node3:5434`, tried in turn when the first does not answer.",
        default=(),
        converter=attrs.Converter(_with_port, takes_self=True),
    )
    timeout: Patience = declared("VERTICA_TIMEOUT", "The longest that one statement may take.", default=900.0)


@frozen(kw_only=True)
class AzureAccess:
    """Which Azure storage account, and the table (or the prefix of the tables) in it."""

    connection_string: PlainName = declared(
        "AZURE_STORAGE_CONNECTION_STRING", "With `STORAGE_TYPE=azure_table`.", secret=True
    )
    table_name: PlainName = declared(
        "AZURE_TABLE_NAME", "What the names of all tables begin with: letters and digits.", default="socialads"
    )


@frozen(kw_only=True)
class SingerAccess:
    """The Singer target that gets the rows: its command, the variables that it may see, and where its state is kept.

    `environment` holds the variables of `names`. `timeout` is the longest that it may take no rows, or take to end
    after the last one, in seconds.
    """

    command: Words = declared(
        "SINGER_TARGET_COMMAND",
        "With `STORAGE_TYPE=singer`: the target and its arguments, `target-sqlite --config target.json`. They are "
        "split as a shell would; no shell sees them.",
    )
    names: Names = declared(
        "SINGER_TARGET_ENVIRONMENT",
        "Variables that the target may see beside [those of every program](#what-every-pipeline-sees), "
        "`TARGET_TOKEN, AWS_PROFILE`.",
        default=(),
        eq=False,
    )
    timeout: Patience = declared(
        "SINGER_TARGET_TIMEOUT",
        "The longest that the target may take no rows, or take to end after the last one.",
        default=900.0,
    )
    state_path: FilePath = declared(
        "SINGER_STATE_PATH",
        "Where the states are kept that the target has confirmed.",
        default=Path("singer_state.json"),
    )
    environment: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@frozen(kw_only=True)
class MetricsVariables:
    """What the environment says about metrics; what it leaves open (None) the configuration says."""

    port: ServedPort | None = declared(
        "METRICS_PORT",
        "These six stand in place of the keys of the same names in [`metrics:`](#metrics). Serve the metrics at this "
        "port while the run lasts; `0` takes any free one.",
        default=None,
    )
    host: HostName | None = declared("METRICS_HOST", "What to listen on; `0.0.0.0` for all.", default=None)
    linger_seconds: Wait | None = declared(
        "METRICS_LINGER_SECONDS", "How long to go on serving after the end.", default=None
    )
    textfile: PromPath | None = declared(
        "METRICS_TEXTFILE", "Write a file for node_exporter at the end; it ends in `.prom`.", default=None
    )
    pushgateway: Url | None = declared("METRICS_PUSHGATEWAY", "Push to this Pushgateway at the end.", default=None)
    job: PlainName | None = declared("METRICS_JOB", "The `job` under which the Pushgateway groups them.", default=None)

    def over(self, config: MetricsConfig) -> MetricsConfig:
        """The configuration with what is set here in its place; a path here begins at the working directory."""
        given = {name: value for name, value in attrs.asdict(self).items() if value is not None}
        if self.textfile is not None:
            given["textfile"] = self.textfile.absolute()
        return evolve(config, **given)


def _named_after_its_format(run: RunEnvironment) -> Path:
    """Shards that run in one directory have a report each."""
    shard = f"{PLACE}." if run.shard else ""
    return Path(f"execution_report.{shard}{run.report_format}")


def _beside_its_database(run: RunEnvironment) -> Path:
    """`social_ads.duckdb` has `social_ads.snapshot.duckdb`."""
    database = run.duckdb_path
    return database.with_name(f"{database.stem}.snapshot{database.suffix}") if database.name else database


@frozen(kw_only=True)
class RunEnvironment:
    """What the environment says about a run; `vertica`, `azure` or `singer` is there when `storage_type` names it.

    `engine` is what told the shard, where nobody named it.
    """

    log_level: Level = declared("LOG_LEVEL", "What is logged, here and in the pipelines.", default="INFO")
    log_format: LineFormat = declared(
        "LOG_FORMAT",
        "`json` is one object a line with the run's id, for a log collector; see "
        "[docs/observing.md](observing.md#in-the-terminal).",
        default=LogFormat.TEXT,
    )
    log_to_file: Flag = declared(
        "LOG_TO_FILE",
        "Log into `logs/supervisor.log` too; it is rotated at 10 MiB, and five older ones are kept.",
        default=False,
    )
    export_report: Flag = declared("EXPORT_REPORT", "Write the execution report at the end.", default=True)
    shard: OfShards | None = declared(
        "SHARD",
        "Load only the accounts of shard I of N, counted from 0; `auto` asks the engine that started this, see "
        "[scaling.md](scaling.md). `{shard}` in a path below stands for it.",
        default=None,
    )
    shard_count: PlainName | None = declared(
        "SHARD_COUNT", "With `SHARD=auto`: N, where the engine tells the index alone, as Kubernetes does.", default=None
    )
    run_group: GroupName | None = declared(
        "RUN_GROUP",
        "What all runs of a night have in common, as a Job's name: `supervisor show --group`.",
        default=None,
    )
    report_format: Format = declared("REPORT_FORMAT", "How.", default=ReportFormat.JSON)
    report_path: FilePath = declared(
        "REPORT_PATH",
        "Where; with another `REPORT_FORMAT` the default ends in that: `execution_report.csv`. The directory must "
        "exist.",
        default=Factory(_named_after_its_format, takes_self=True),
        shown="`execution_report.json`",
    )
    report_html_path: FilePath | None = declared(
        "REPORT_HTML_PATH", "Write the report as an HTML page there too.", default=None
    )
    readable_by: ReadableBy = declared(
        "READABLE_BY",
        "Who may read the files that a run makes, beside their owner: with `group` those of the directory's group; see "
        "[operating.md](operating.md#who-can-read-what).",
        default=Readers.OWNER,
    )
    storage_type: Storage = declared(
        "STORAGE_TYPE",
        "Where the rows go; [sinks.md](sinks.md) tells what each one promises. `none` checks and counts them and keeps "
        "nothing.",
        default=StorageType.DUCKDB,
    )
    reporting_currency: Currency | None = declared(
        "REPORTING_CURRENCY",
        "A currency like `EUR`, in which the views `ads.*` have their amounts once more; see "
        "[views.md](views.md#one-currency).",
        default=None,
    )
    duckdb_path: FilePath = declared("DUCKDB_PATH", "The database file.", default=Path("social_ads.duckdb"))
    duckdb_snapshot: Flag = declared(
        "DUCKDB_SNAPSHOT",
        "Publish a copy of the file for readers at the end of each run, because nobody can read a DuckDB file while a "
        "run writes it.",
        default=True,
    )
    duckdb_snapshot_path: FilePath = declared(
        "DUCKDB_SNAPSHOT_PATH",
        "Where; beside `DUCKDB_PATH` and named after it unless set.",
        default=Factory(_beside_its_database, takes_self=True),
        shown="`social_ads.snapshot.duckdb`",
    )
    history_path: FilePath = declared(
        "HISTORY_PATH",
        "With `STORAGE_TYPE=none` and `singer`: where past runs are kept. A database keeps them itself.",
        default=Path("supervisor_history.jsonl"),
    )
    vertica: VerticaAccess | None = None
    azure: AzureAccess | None = None
    singer: SingerAccess | None = None
    metrics: MetricsVariables = MetricsVariables()
    engine: str = ""

    @property
    def snapshot(self) -> Path | None:
        """Where the DuckDB file's copy for readers is, if one is wanted."""
        return self.duckdb_snapshot_path.absolute() if self.duckdb_snapshot else None


def all_variables() -> Iterator[Variable]:
    """Every variable of a run, in the order of the documentation."""
    return chain.from_iterable(
        map(variables_of, (RunEnvironment, MetricsVariables, VerticaAccess, AzureAccess, SingerAccess))
    )


def read_environment(environ: Mapping[str, str] = os.environ) -> RunEnvironment:
    """The run's variables, each also from the file that NAME_FILE names; raises ConfigError with all findings."""
    findings: list[str] = []
    environ, engine = told(environ, findings)
    run = read_declared(RunEnvironment, environ, findings)
    metrics = read_declared(MetricsVariables, environ, findings)
    # The storage's variables are looked at even where another one is wrong, so that all findings come at once.
    storage = run.storage_type if run is not None else _storage_type(environ)
    why = f"STORAGE_TYPE={storage}"
    vertica = read_declared(VerticaAccess, environ, findings, why) if storage is StorageType.VERTICA else None
    azure = read_declared(AzureAccess, environ, findings, why) if storage is StorageType.AZURE_TABLE else None
    singer = _singer(environ, findings, why) if storage is StorageType.SINGER else None
    if run is not None:
        run = evolve(run, vertica=vertica, azure=azure, singer=singer, metrics=metrics or run.metrics, engine=engine)
        run = _of_its_shard(run, findings)
        findings += _collisions(run)
    if findings or run is None or metrics is None:
        raise ConfigError(dict.fromkeys(findings))
    return run


def read_metrics(environ: Mapping[str, str] = os.environ) -> MetricsVariables:
    """The variables of the metrics alone; raises ConfigError with all findings about them."""
    findings: list[str] = []
    found = read_declared(MetricsVariables, environ, findings)
    if found is None:
        raise ConfigError(findings)
    return found


def wants_html(environment: RunEnvironment) -> bool:
    """Whether a run writes a page, as its report or beside it."""
    return environment.export_report and (
        environment.report_format is ReportFormat.HTML or environment.report_html_path is not None
    )


def wants_log_file(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether LOG_TO_FILE asks for the log file, whatever is wrong with other variables."""
    try:
        text = value_of("LOG_TO_FILE", environ)
        return text is not None and flag(text)
    except (ConfigError, ValueError):
        return False


def _of_its_shard(run: RunEnvironment, findings: list[str]) -> RunEnvironment:
    """With the shard's own paths; two shards cannot write one file."""
    files = {field.name: field.metadata for field in attrs.fields(RunEnvironment)}
    paths: dict[str, Any] = {}
    for name in ("report_path", "report_html_path", "duckdb_path", "duckdb_snapshot_path", "history_path"):
        path = getattr(run, name)
        if name == "duckdb_snapshot_path" and "duckdb_path" not in paths:
            continue  # it is named after that one, which has its finding
        try:
            paths[name] = in_path(path, run.shard, files[name]["variable"][0]) if path is not None else None
        except ConfigError as error:
            findings.extend(error.findings)
    singer, metrics = run.singer, run.metrics
    try:
        if singer is not None:
            singer = evolve(singer, state_path=in_path(singer.state_path, run.shard, "SINGER_STATE_PATH"))
        if metrics.textfile is not None:
            metrics = evolve(metrics, textfile=in_path(metrics.textfile, run.shard, "METRICS_TEXTFILE"))
    except ConfigError as error:
        findings.extend(error.findings)
    if run.shard is not None:
        findings += _shared(run)
    return evolve(run, **paths, singer=singer, metrics=metrics)


def _shared(run: RunEnvironment) -> Iterator[str]:
    """What several shards would write at the same time."""
    if run.storage_type is StorageType.DUCKDB and PLACE not in str(run.duckdb_path):
        yield (
            "DUCKDB_PATH: a DuckDB file has one writer, so each shard needs its own; put {shard} into the path, as in "
            "social_ads.{shard}.duckdb, and let `supervisor merge` put the files together"
        )
    if run.singer is not None and PLACE not in str(run.singer.state_path):
        yield "SINGER_STATE_PATH: each shard keeps the states of its own accounts; put {shard} into the path"


def _storage_type(environ: Mapping[str, str]) -> StorageType | None:
    try:
        text = value_of("STORAGE_TYPE", environ)
        return StorageType.DUCKDB if text is None else StorageType(text.strip().lower())
    except (ConfigError, ValueError):
        return None


def _singer(environ: Mapping[str, str], findings: list[str], why: str) -> SingerAccess | None:
    access = read_declared(SingerAccess, environ, findings, why)
    if access is None:
        return None
    environment: dict[str, str] = {}
    for name in access.names:
        try:
            value = value_of(name, environ)
        except ConfigError as error:
            findings.extend(error.findings)
            continue
        if value is None:
            findings.append(f"{name} is not set, and SINGER_TARGET_ENVIRONMENT needs it")
        else:
            environment[name] = value
    return evolve(access, environment=environment)


def _collisions(run: RunEnvironment) -> list[str]:
    found = []
    if run.duckdb_snapshot and run.duckdb_snapshot_path.absolute() == run.duckdb_path.absolute():
        found.append("DUCKDB_SNAPSHOT_PATH: it names the file of DUCKDB_PATH, which the snapshot would replace")
    if run.report_html_path == run.report_path and run.report_format is not ReportFormat.HTML:
        found.append("REPORT_HTML_PATH: it names the file of REPORT_PATH, which the page would replace")
    return found

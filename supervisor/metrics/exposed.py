"""The record of a run as Prometheus metrics, by three exits: served over HTTP, in a text file, pushed to a gateway.

What does not work is a warning in the log; the run and its exit code never depend on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from attrs import evolve

from supervisor.config.errors import ConfigError
from supervisor.record.log import log

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.config.schema import OrchestratorConfig
    from supervisor.metrics.endpoint import Endpoint
    from supervisor.record.run_record import RunRecord

_LOOK_SECONDS = 0.1


@contextmanager
def exposed(
    config: OrchestratorConfig, read: Callable[[], RunRecord], *, is_interrupted: Callable[[], bool]
) -> Iterator[None]:
    """Expose, as its configuration says, the run that happens inside; `read` tells how it stands at each look.

    Serving lasts until the end and `linger_seconds` more, unless a signal came; the file and the gateway get the record
    at the end.
    """
    endpoint = None if config.metrics.port is None else _serve(config, read)
    try:
        yield
        run = read()
        if config.metrics.textfile is not None:
            _write(config, config.directory / config.metrics.textfile, run)
        if config.metrics.pushgateway is not None:
            _push(config, config.metrics.pushgateway, run)
        if endpoint is not None:
            _linger(config.metrics.linger_seconds, is_interrupted)
    finally:
        if endpoint is not None:
            endpoint.close()


def tell_refusal(config_path: Path, exit_code: int) -> None:
    """Write and push that a run ended before anything was started, wherever a run would have told its end.

    Without this, the file and the gateway would go on showing the run before. Works as far as the configuration and
    the variables can be read.
    """
    from supervisor.config.environment import MetricsVariables, read_metrics  # noqa: PLC0415 - only a refusal needs it
    from supervisor.config.schema import MetricsConfig, OrchestratorConfig, load_orchestrator_config  # noqa: PLC0415 - as above

    config, variables = OrchestratorConfig(metrics=MetricsConfig()), MetricsVariables()
    with suppress(ConfigError):
        config = load_orchestrator_config(config_path)
    with suppress(ConfigError):
        variables = read_metrics()
    config = evolve(config, metrics=variables.over(config.metrics))
    if config.metrics.textfile is None and config.metrics.pushgateway is None:
        return
    from supervisor.record.run_record import refused_run  # noqa: PLC0415 - only a refusal that is told needs it

    run = refused_run(exit_code)
    if config.metrics.textfile is not None:
        _write(config, config.directory / config.metrics.textfile, run)
    if config.metrics.pushgateway is not None:
        _push(config, config.metrics.pushgateway, run)


def _serve(config: OrchestratorConfig, read: Callable[[], RunRecord]) -> Endpoint | None:
    host, port = config.metrics.host, config.metrics.port or 0
    try:
        from supervisor.metrics.endpoint import Endpoint  # noqa: PLC0415 - only a run that serves needs it

        endpoint = Endpoint(host, port, {platform.name: platform for platform in config.platforms}, read)
    except Exception as error:  # noqa: BLE001 - see the module's second paragraph
        log.warning("The metrics are not served at %s port %d: %s", host, port, _reason(error))
        return None
    log.info("Metrics: %s", endpoint.address)
    return endpoint


def _write(config: OrchestratorConfig, path: Path, run: RunRecord) -> None:
    try:
        from supervisor.metrics.textfile import write_textfile  # noqa: PLC0415 - only a run that writes one needs it

        write_textfile(path, run, config.platforms)
        log.info("Metrics: %s", path)
    except Exception as error:  # noqa: BLE001 - as above
        log.warning("The metrics are not written to %s: %s", path, _reason(error))


def _push(config: OrchestratorConfig, address: str, run: RunRecord) -> None:
    try:
        from supervisor.metrics.pushgateway import push  # noqa: PLC0415 - only a run that pushes needs it

        push(address, config.metrics.job, run, config.platforms)
        log.info("Metrics: %s", address)
    except Exception as error:  # noqa: BLE001 - as above
        log.warning("The metrics are not pushed to %s: %s", address, _reason(error))


def _linger(seconds: float, is_interrupted: Callable[[], bool]) -> None:
    if seconds and not is_interrupted():
        log.info("The metrics stay for %g s more; a signal ends that", seconds)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not is_interrupted():
        time.sleep(min(_LOOK_SECONDS, left))


def _reason(error: Exception) -> str:
    cause = getattr(error, "reason", error)  # a URLError wraps what happened
    return getattr(cause, "strerror", None) or str(cause) or type(error).__name__

"""The command `pipeline-facebook`: all accounts side by side, their entities first, then their reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from facebook_pipeline.settings import api_of, problems, read_credentials, read_settings
from facebook_pipeline.tables import TABLES
from wire import (
    CheckWarning,
    Extraction,
    FieldsLine,
    Invocation,
    Limiter,
    ListedAccount,
    PipelineError,
    Round,
    Table,
    leave,
    load_accounts,
    run_pipeline,
)

if TYPE_CHECKING:
    from facebook_pipeline.insights import Report


def main() -> None:
    status = run_pipeline(
        "pipeline-facebook",
        tables,
        extract,
        check=check,
        probe=probe,
        api=api_of,
        accounts=listed,
        fields=fields,
    )
    leave(status)


def tables(invocation: Invocation) -> tuple[Table, ...]:
    """The built-in tables, and those of the reports that the settings define."""
    if _has_no_reports(invocation):
        return TABLES
    from facebook_pipeline.definitions import own_reports  # noqa: PLC0415 - only runs with reports pay for it

    return (*TABLES, *own_reports(invocation.settings).tables)


def check(invocation: Invocation) -> Iterator[PipelineError | CheckWarning]:
    """All that can be wrong with settings, credentials and reports, found without asking Facebook."""
    yield from problems(invocation)
    if not _has_no_reports(invocation):
        from facebook_pipeline.definitions import own_reports  # noqa: PLC0415 - as above

        yield from own_reports(invocation.settings).findings


def fields() -> FieldsLine:
    """What reports can ask for."""
    from facebook_pipeline.catalog import listed_fields  # noqa: PLC0415 - nothing else needs the catalog

    return listed_fields()


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load what the settings ask for; the SDK is imported here, when standard output already belongs to the wire."""
    from facebook_pipeline.accounts import Listed, blamed_on, listed_accounts  # noqa: PLC0415 - the SDK comes with it
    from facebook_pipeline.client import Graph  # noqa: PLC0415 - the same
    from facebook_pipeline.entities import load_entities  # noqa: PLC0415 - the same
    from facebook_pipeline.reports import load_reports  # noqa: PLC0415 - the same
    from facebook_pipeline.runs import Runs  # noqa: PLC0415 - the same

    settings = read_settings(invocation.settings)
    own = _reports(invocation)
    known = (*TABLES, *(each.table for report in own for each in report.tables))
    wanted = frozenset(table.name for table in known if extraction.wants(table.name))
    limiter = Limiter(settings.concurrency)
    graph = Graph.connect(settings, read_credentials(settings), limiter)
    runs = Runs(graph, settings)

    def load(listed: Listed, within: Round) -> None:
        own_graph = graph.for_account(listed.id)
        with blamed_on(listed.id):
            account = listed.read(own_graph)
        with blamed_on(account.id, is_closed=account.is_closed):
            if within.is_first:
                load_entities(own_graph, extraction, account, wanted)
            load_reports(own_graph, settings, extraction, account, wanted, own=own, runs=runs, within=within)

    load_accounts(
        extraction,
        listed_accounts(graph, settings),
        load,
        account_id=lambda listed: listed.id,
        lookback_days=settings.lookback_days,
        limiter=limiter,
    )


def probe(invocation: Invocation, _: Extraction) -> Iterator[PipelineError | CheckWarning]:
    """What Facebook itself finds wrong with the reports that the settings define."""
    from facebook_pipeline.accounts import listed_accounts  # noqa: PLC0415 - the SDK comes with it
    from facebook_pipeline.client import Graph  # noqa: PLC0415 - the same
    from facebook_pipeline.probing import refused  # noqa: PLC0415 - the same

    settings = read_settings(invocation.settings)
    graph = Graph.connect(settings, read_credentials(settings), Limiter(settings.concurrency))
    yield from refused(graph, settings, listed_accounts(graph, settings), _reports(invocation))


def _has_no_reports(invocation: Invocation) -> bool:
    return invocation.settings.get("reports") in (None, [], ())


def _reports(invocation: Invocation) -> tuple[Report, ...]:
    """The reports that the settings define; raises PipelineError (config) for all that is wrong with them."""
    if _has_no_reports(invocation):
        return ()
    from facebook_pipeline.definitions import reports_to_load  # noqa: PLC0415 - as above

    return reports_to_load(invocation.settings)


def listed(invocation: Invocation, _: Extraction) -> Iterator[ListedAccount]:
    """All accounts that the token can see, whichever are asked for."""
    from facebook_pipeline.accounts import discovered  # noqa: PLC0415 - the SDK comes with it
    from facebook_pipeline.client import Graph  # noqa: PLC0415 - the same

    settings = read_settings(invocation.settings)
    graph = Graph.connect(settings, read_credentials(settings), Limiter(settings.concurrency))
    for account in {each.id: each for each in discovered(graph)}.values():
        yield account.told

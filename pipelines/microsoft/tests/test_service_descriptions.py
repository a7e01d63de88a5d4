"""Time zones and report columns agree with the services' own descriptions in the SDK."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from microsoft_runs import ROOT

from microsoft_pipeline.tables import REPORTS, Report
from microsoft_pipeline.time_zones import IANA, iana_zone, reporting_zone
from wire import PipelineError

_XS = "{http://www.w3.org/2001/XMLSchema}"


def enumeration(service: str, name: str) -> set[str]:
    (package,) = Path(ROOT / ".venvs/microsoft/lib").glob("python3*/site-packages/bingads/v13/proxies/production")
    for kind in ET.parse(package / f"{service}_service.xml").iter(f"{_XS}simpleType"):
        if kind.get("name") == name:
            return {str(each.get("value")) for each in kind.iter(f"{_XS}enumeration")}
    raise AssertionError(name)


def test_every_zone_of_an_account_is_known_and_no_other() -> None:
    assert set(IANA) == enumeration("customermanagement", "TimeZoneType")


def test_every_zone_can_be_asked_for_in_a_report() -> None:
    assert {reporting_zone(zone) for zone in IANA} == enumeration("reporting", "ReportTimeZone")


@pytest.mark.parametrize("zone", sorted(set(IANA.values())))
def test_every_name_is_a_zone(zone: str) -> None:
    assert ZoneInfo(zone)


def test_an_unknown_zone_is_named_with_its_account() -> None:
    with pytest.raises(PipelineError, match="account 42: its time zone 'Atlantis'") as caught:
        iana_zone("42", "Atlantis")
    assert caught.value.account_id == "42"


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.table.name)
def test_every_report_column_exists(report: Report) -> None:
    assert set(report.columns) <= enumeration("reporting", f"{report.kind}Column")
    assert report.columns[0] == "AccountId"

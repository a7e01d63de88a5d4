"""All tables of this pipeline: entities, then daily reports."""

from __future__ import annotations

from facebook_pipeline.objects import ACCOUNT, ENTITIES
from facebook_pipeline.reports import REPORTS

TABLES = (
    ACCOUNT.table,
    *(entity.table for entity in ENTITIES),
    *(each.table for report in REPORTS for each in report.tables),
)

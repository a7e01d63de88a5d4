"""All tables of this pipeline: entities, then daily reports."""

from __future__ import annotations

from facebook_pipeline.insights import REPORTS
from facebook_pipeline.objects import ACCOUNT, ENTITIES

TABLES = (
    ACCOUNT.table,
    *(entity.table for entity in ENTITIES),
    *(each.table for report in REPORTS for each in report.tables),
)

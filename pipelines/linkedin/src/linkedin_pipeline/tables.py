"""The tables as data: each column with its source in the API, each entity with its finder, each report with its pivot.

A further metric is one line in `metrics.METRICS`; a further report is one more `Report`, here or in `breakdowns`.
"""

from __future__ import annotations

from msgspec import Struct

from linkedin_pipeline import levels
from linkedin_pipeline.breakdowns import BREAKDOWNS
from linkedin_pipeline.fields import LOCAL, Field, amount, flag, identifier, moment, structure, text, whole
from linkedin_pipeline.metrics import METRICS
from linkedin_pipeline.report_table import ACCOUNT_COLUMN, Report
from wire import CORE, Table


class Entity(Struct, frozen=True):
    """A kind of thing in an account: its table, and the finder that lists it.

    All `statuses` are asked for by name, because a search without them may hide what is not active. `path` has the
    account's id in place of the braces; a finder called `account` takes its URN instead and pages by offset.
    """

    name: str
    id_column: str
    fields: tuple[Field, ...]
    path: str
    finder: str
    statuses: tuple[str, ...]
    page_size: int
    group: str = CORE

    def resource(self, account_id: str | None) -> str:
        """The path of its finder."""
        return self.path.format(account_id)

    @property
    def pivot(self) -> str:
        """By what adAnalytics tells the numbers of such things."""
        return self.name.upper()

    @property
    def identifier(self) -> Field:
        return next(field for field in self.fields if field.name == self.id_column)

    @property
    def table(self) -> Table:
        own = tuple(field.column for field in self.fields)
        if self.id_column == "account_id":
            return Table(self.name, own, ("account_id",))
        return Table(self.name, (ACCOUNT_COLUMN, *own), ("account_id", self.id_column), group=self.group)


def _audit(*, created: str = "changeAuditStamps.created.time", modified: str) -> tuple[Field, Field]:
    return moment("created_at", created, "UTC"), moment("last_modified_at", modified, "UTC")


_STAMPS = _audit(modified="changeAuditStamps.lastModified.time")

ACCOUNT = Entity(
    name="account",
    id_column="account_id",
    fields=(
        identifier("account_id", "id"),
        text("name", "name"),
        text("currency", "currency", "ISO 4217"),
        text("status", "status", "ACTIVE, DRAFT, CANCELED, PENDING_DELETION, REMOVED"),
        text("type", "type", "BUSINESS, ENTERPRISE"),
        text("reference", "reference", "URN of the organization or person that advertises"),
        flag("test", "test", "a test account, which serves nothing"),
        structure("serving_statuses", "servingStatuses", "what keeps the account from serving, or RUNNABLE"),
        *_STAMPS,
    ),
    path="/adAccounts",
    finder="search",
    statuses=("ACTIVE", "DRAFT", "CANCELED", "PENDING_DELETION", "REMOVED"),
    page_size=1_000,
)

CAMPAIGN_GROUP = Entity(
    name="campaign_group",
    id_column="campaign_group_id",
    fields=(
        identifier("campaign_group_id", "id"),
        text("name", "name"),
        text("status", "status", "ACTIVE, PAUSED, ARCHIVED, CANCELED, DRAFT, PENDING_DELETION, REMOVED"),
        text("objective_type", "objectiveType"),
        amount("daily_budget", "dailyBudget.amount", LOCAL),
        amount("total_budget", "totalBudget.amount", LOCAL),
        moment("run_start", "runSchedule.start", "UTC"),
        moment("run_end", "runSchedule.end", "UTC"),
        flag("test", "test"),
        structure("serving_statuses", "servingStatuses"),
        *_STAMPS,
    ),
    path="/adAccounts/{}/adCampaignGroups",
    finder="search",
    statuses=("ACTIVE", "PAUSED", "ARCHIVED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED"),
    page_size=500,
)

CAMPAIGN = Entity(
    name="campaign",
    id_column="campaign_id",
    fields=(
        identifier("campaign_id", "id"),
        identifier("campaign_group_id", "campaignGroup"),
        text("name", "name"),
        text("status", "status", "ACTIVE, PAUSED, ARCHIVED, COMPLETED, CANCELED, DRAFT, PENDING_DELETION, REMOVED"),
        text("type", "type"),
        text("format", "format"),
        text("objective_type", "objectiveType"),
        text("cost_type", "costType", "CPM, CPC, CPV"),
        text("optimization_target_type", "optimizationTargetType"),
        text("creative_selection", "creativeSelection"),
        text("pacing_strategy", "pacingStrategy"),
        text("locale_country", "locale.country"),
        text("locale_language", "locale.language"),
        amount("daily_budget", "dailyBudget.amount", LOCAL),
        amount("total_budget", "totalBudget.amount", LOCAL),
        amount("unit_cost", "unitCost.amount", f"bid, {LOCAL}"),
        moment("run_start", "runSchedule.start", "UTC"),
        moment("run_end", "runSchedule.end", "UTC"),
        flag("audience_expansion_enabled", "audienceExpansionEnabled"),
        flag("offsite_delivery_enabled", "offsiteDeliveryEnabled"),
        text("associated_entity", "associatedEntity", "URN"),
        structure("targeting_criteria", "targetingCriteria"),
        flag("test", "test"),
        structure("serving_statuses", "servingStatuses"),
        *_STAMPS,
    ),
    path="/adAccounts/{}/adCampaigns",
    finder="search",
    statuses=("ACTIVE", "PAUSED", "ARCHIVED", "COMPLETED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED"),
    page_size=500,
)

CREATIVE = Entity(
    name="creative",
    id_column="creative_id",
    fields=(
        identifier("creative_id", "id", "the digits of its URN"),
        identifier("campaign_id", "campaign"),
        text("name", "name", "many creatives have none"),
        text("status", "intendedStatus", "ACTIVE, PAUSED, ARCHIVED, CANCELED, DRAFT, PENDING_DELETION, REMOVED"),
        flag("is_serving", "isServing"),
        structure("serving_hold_reasons", "servingHoldReasons"),
        text("review_status", "review.status"),
        structure("content", "content"),
        flag("test", "isTest"),
        *_audit(created="createdAt", modified="lastModifiedAt"),
    ),
    path="/adAccounts/{}/creatives",
    finder="criteria",
    statuses=("ACTIVE", "PAUSED", "ARCHIVED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED"),
    page_size=100,
)

CONVERSION = Entity(
    name="conversion",
    id_column="conversion_id",
    fields=(
        identifier("conversion_id", "id"),
        text("name", "name"),
        text("type", "type", "PURCHASE, LEAD, SIGN_UP and the like"),
        text("conversion_method", "conversionMethod", "how conversions are told: the Insight Tag, CONVERSIONS_API"),
        flag("enabled", "enabled"),
        text("attribution_type", "attributionType", "LAST_TOUCH_BY_CAMPAIGN, LAST_TOUCH_BY_CONVERSION"),
        whole("post_click_attribution_window_size", "postClickAttributionWindowSize", "days: 1, 7, 30, 90 or 365"),
        whole("view_through_attribution_window_size", "viewThroughAttributionWindowSize", "days: 1, 7, 30, 90 or 365"),
        text("value_type", "valueType", "DYNAMIC, FIXED, NO_VALUE"),
        amount("value", "value.amount", "of one conversion, in value_currency"),
        text("value_currency", "value.currencyCode", "ISO 4217"),
        moment("created_at", "created", "UTC"),
        moment("last_modified_at", "lastModified", "UTC"),
    ),
    path="/conversions",
    finder="account",
    statuses=(),
    page_size=1_000,
    group="conversions",
)
"""Source: <https://learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/conversions-api-schema>."""

REPORTS = (
    Report(
        name="campaign_group_daily",
        level=levels.CAMPAIGN_GROUP,
        attributes=("campaign_group_name",),
        metrics=METRICS,
    ),
    Report(
        name="campaign_daily",
        level=levels.CAMPAIGN,
        attributes=("campaign_group_id", "campaign_group_name", "campaign_name"),
        metrics=METRICS,
    ),
    Report(
        name="creative_daily",
        level=levels.CREATIVE,
        attributes=("campaign_group_id", "campaign_group_name", "campaign_id", "campaign_name", "creative_name"),
        metrics=METRICS,
    ),
    Report(name="account_daily", level=levels.ACCOUNT, metrics=METRICS),
    *BREAKDOWNS,
)

LEVELS = (CAMPAIGN_GROUP, CAMPAIGN, CREATIVE)
FURTHER = (CONVERSION,)
"""Entities without which an account is loaded nevertheless; reports need no names of them."""

TABLES: tuple[Table, ...] = (
    ACCOUNT.table,
    *(entity.table for entity in (*LEVELS, *FURTHER)),
    *(report.table for report in REPORTS),
)

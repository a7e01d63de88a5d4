"""The levels over all platforms: `ads.account_daily`, `ads.campaign_daily`, `ads.ad_group_daily`, `ads.ad_daily`.

One row per unified column says what it is on each platform. Money stays in the account's currency, clicks are all
clicks, and what a platform does not have is null, so that nothing is compared that is not comparable.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

DECIMAL = "DECIMAL(38,18)"


@frozen
class Measure:
    """A column of an expression over one daily table `d`; `needs` are the columns that it reads."""

    expression: str
    needs: tuple[str, ...]


def column(name: str) -> Measure:
    """A column as it is."""
    return Measure(f"d.{name}", (name,))


def exact(name: str) -> Measure:
    """A double as the decimal that it prints as, so that 12.3 does not become 12.300000000000000711."""
    return Measure(f"CAST(CAST(d.{name} AS VARCHAR) AS {DECIMAL})", (name,))


@frozen
class Source:
    """One platform: its account table, and its own name of each level and column.

    `summed` names the measures that a level does not tell reliably: there they are the sums over the ad groups, for the
    rows that this one has.
    """

    account_table: str
    account_name: str
    currency: str
    timezone: str | None
    levels: Mapping[str, str]
    measures: Mapping[str, Measure]
    summed: Mapping[str, tuple[str, ...]] = {}


LEVELS = ("account", "campaign", "ad_group", "ad")
MEASURES = {
    "impressions": "BIGINT",
    "clicks": "BIGINT",
    "link_clicks": "BIGINT",
    "landing_page_views": "BIGINT",
    "engagements": "BIGINT",
    "spend": DECIMAL,
    "conversions": "DOUBLE",
    "conversions_value": DECIMAL,
    "view_through_conversions": "DOUBLE",
    "leads": "DOUBLE",
    "video_views": "BIGINT",
    "reach": "BIGINT",
    "attribution_setting": "VARCHAR",
    "is_final": "BOOLEAN",
}

SOURCES = {
    "google": Source(
        account_table="customer",
        account_name="descriptive_name",
        currency="currency_code",
        timezone="time_zone",
        levels={"account": "account", "campaign": "campaign", "ad_group": "ad_group", "ad": "ad"},
        measures={
            "impressions": column("impressions"),
            "clicks": column("clicks"),
            "spend": column("cost"),
            "conversions": column("conversions"),
            "conversions_value": exact("conversions_value"),
            "engagements": column("engagements"),
            "view_through_conversions": column("view_through_conversions"),
            "video_views": column("video_trueview_views"),
            "is_final": column("is_final"),
        },
    ),
    "microsoft": Source(
        account_table="account",
        account_name="account_name",
        currency="currency_code",
        timezone="iana_time_zone",
        levels={"account": "account", "campaign": "campaign", "ad_group": "ad_group", "ad": "ad"},
        measures={
            "impressions": column("impressions"),
            "clicks": column("clicks"),
            "spend": column("spend"),
            "conversions": Measure(
                "coalesce(d.conversions_qualified, d.conversions)", ("conversions_qualified", "conversions")
            ),
            "conversions_value": column("revenue"),
            # Below campaigns Microsoft gives 0 in the columns of whole conversions, since 2022.
            "view_through_conversions": Measure(
                "coalesce(d.view_through_conversions_qualified, d.view_through_conversions)",
                ("view_through_conversions_qualified", "view_through_conversions"),
            ),
            "video_views": column("video_views"),
            "is_final": column("is_final"),
        },
    ),
    "facebook": Source(
        account_table="account",
        account_name="name",
        currency="currency",
        timezone="timezone_name",
        levels={"account": "account", "campaign": "campaign", "ad_group": "ad_set", "ad": "ad"},
        measures={
            "impressions": column("impressions"),
            "clicks": column("clicks"),
            "link_clicks": column("inline_link_clicks"),
            "landing_page_views": column("landing_page_views"),
            "engagements": column("inline_post_engagement"),
            "spend": column("spend"),
            "conversions": column("conversions"),
            "conversions_value": column("conversions_value"),
            "view_through_conversions": column("view_through_conversions"),
            "leads": column("leads"),
            "video_views": column("video_views"),
            "reach": column("reach"),
            "attribution_setting": column("attribution_setting"),
            "is_final": column("is_final"),
        },
        # Meta does not tell them of a campaign or an account whose ad sets have different attribution settings.
        summed=dict.fromkeys(
            LEVELS[:2],
            ("landing_page_views", "conversions", "conversions_value", "view_through_conversions", "leads"),
        ),
    ),
    "linkedin": Source(
        account_table="account",
        account_name="name",
        currency="currency",
        timezone=None,
        levels={"account": "account", "campaign": "campaign_group", "ad_group": "campaign", "ad": "creative"},
        measures={
            "impressions": column("impressions"),
            "clicks": column("clicks"),
            "link_clicks": column("landing_page_clicks"),
            "engagements": column("total_engagements"),
            "spend": column("cost_in_local_currency"),
            "conversions": Measure(
                "coalesce(d.external_website_conversions, 0) + coalesce(d.one_click_leads, 0)",
                ("external_website_conversions", "one_click_leads"),
            ),
            "conversions_value": column("conversion_value_in_local_currency"),
            "view_through_conversions": column("external_website_post_view_conversions"),
            "leads": column("one_click_leads"),
            "video_views": column("video_views"),
            "reach": column("approximate_member_reach"),
            "is_final": column("is_final"),
        },
    ),
}
_AD_NAMES = {"microsoft": "ad_title"}


def unified_views(columns: Mapping[str, set[str]], *, types: Mapping[str, str] | None = None) -> dict[str, str]:
    """View name -> query, for the tables that exist; `columns` maps `platform.table` to its column names.

    `types` maps a type of MEASURES to another name that the database has for it.
    """
    views = {}
    for depth, level in enumerate(LEVELS):
        parts = [_part(platform, source, depth, columns, types or {}) for platform, source in SOURCES.items()]
        queries = [part for part in parts if part is not None]
        if queries:
            views[f"{level}_daily"] = "\nUNION ALL\n".join(queries)
    return views


def _part(
    platform: str, source: Source, depth: int, columns: Mapping[str, set[str]], types: Mapping[str, str]
) -> str | None:
    table = f"{source.levels[LEVELS[depth]]}_daily"
    daily = columns.get(f"{platform}.{table}")
    accounts = columns.get(f"{platform}.{source.account_table}")
    if not daily or not accounts:
        return None
    chosen = account_columns(platform, source, "d")
    for level in LEVELS[1 : depth + 1]:
        chosen += _identity(platform, source, level, daily)
    sums = _sums(platform, source, depth, columns, daily)
    for name, kind in MEASURES.items():
        told = measured(source.measures.get(name), name, types.get(kind, kind), daily)
        chosen.append(_from_below(name, told, types.get(kind, kind)) if name in sums.names else told)
    return (
        f"SELECT {', '.join(chosen)} FROM {platform}.{table} d "
        f"LEFT JOIN {platform}.{source.account_table} a ON a.account_id = d.account_id{sums.join}"
    )


def account_columns(platform: str, source: Source, rows: str) -> list[str]:
    """What a view says of the account and the day of `rows`, beside which its account's row is joined as `a`."""
    timezone = f"a.{source.timezone}" if source.timezone else "'UTC'"
    return [
        f"'{platform}' AS platform",
        f"{rows}.account_id",
        f"a.{source.account_name} AS account_name",
        f"a.{source.currency} AS account_currency",
        f"{timezone} AS account_timezone",
        f"{rows}.date",
    ]


@frozen
class _Sums:
    """The measures that come from the ad groups, and the join that has them as `s`; nothing where it is not there."""

    names: tuple[str, ...] = ()
    join: str = ""


def _sums(platform: str, source: Source, depth: int, columns: Mapping[str, set[str]], daily: set[str]) -> _Sums:
    names = source.summed.get(LEVELS[depth], ())
    if not names:
        return _Sums()
    table = f"{platform}.{source.levels['ad_group']}_daily"
    there = columns.get(table, set())
    place = ("account_id", *(f"{source.levels[level]}_id" for level in LEVELS[1 : depth + 1]), "date")
    needed = tuple(name for name in names if there.issuperset(source.measures[name].needs))
    if not needed or not there.issuperset(place) or not daily.issuperset(place):
        return _Sums()
    chosen = ", ".join(f"sum({source.measures[name].expression}) AS {name}" for name in needed)
    keys = ", ".join(f"d.{name}" for name in place)
    same = " AND ".join(f"s.{name} = d.{name}" for name in place)
    return _Sums(needed, f" LEFT JOIN (SELECT {keys}, {chosen} FROM {table} d GROUP BY {keys}) s ON {same}")


def _from_below(name: str, told: str, kind: str) -> str:
    own = told.removesuffix(f" AS {name}")
    return f"coalesce(CAST(s.{name} AS {kind}), {own}) AS {name}"


def _identity(platform: str, source: Source, level: str, daily: set[str]) -> list[str]:
    own = source.levels[level]
    name = _AD_NAMES.get(platform, f"{own}_name") if level == "ad" else f"{own}_name"
    pairs = ((f"{own}_id", f"{level}_id"), (name, f"{level}_name"))
    return [f"{f'd.{mine}' if mine in daily else 'CAST(NULL AS VARCHAR)'} AS {unified}" for mine, unified in pairs]


def measured(measure: Measure | None, name: str, kind: str, daily: set[str]) -> str:
    """A column of the view; null where the table lacks what it is made of."""
    known = measure is not None and daily.issuperset(measure.needs)
    return f"CAST({measure.expression if measure is not None and known else 'NULL'} AS {kind}) AS {name}"

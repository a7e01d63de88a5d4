"""Run where the SDK is: random answers, read by the pipeline's own classes and field by field by the SDK's."""

from __future__ import annotations

import random
import sys
from decimal import Decimal
from importlib import import_module

from google_pipeline.messages import pages
from google_pipeline.queries import As, Field, Query
from google_pipeline.rows import converter, page_class, steps
from google_pipeline.tables import QUERIES

OWN = Query(
    "own",
    "user_location_view",
    ("country_criterion_id", "targeting_location", "device", "year", "geo_target_region", "date"),
    (
        Field("date", "segments.date", As.DAY),
        Field("country_criterion_id", "user_location_view.country_criterion_id", As.ID),
        Field("targeting_location", "user_location_view.targeting_location", As.WORD),
        Field("device", "segments.device", As.ENUM),
        Field("year", "segments.year", As.ID),
        Field("geo_target_region", "segments.geo_target_region", As.TEXT),
        Field("adjusted", "segments.conversion_adjustment", As.FLAG),
        Field("status", "campaign.status", As.ENUM),
        Field("interaction_event_types", "metrics.interaction_event_types", As.LIST),
        Field("average_cpc", "metrics.average_cpc", As.AVERAGE),
        Field("units_sold", "metrics.units_sold", As.NUMBER),
        Field("revenue", "metrics.revenue_micros", As.MICROS),
    ),
    daily=True,
    fingerprint="0123456789abcdef",
)
"""A report of the user's own, of everything that the built-in tables have nothing of."""

INTEGERS = (0, 1, -1, 999_999, 1_000_000, 1_234_567, -1_500_000, 2**63 - 1, -(2**63) + 1)
DOUBLES = (0.0, -0.0, 0.1, 1e-300, -2.5, 1e300)
TEXTS = ("", "a", "Käse 🌻", 'quote"d, \\ and\nbroken')


def fill(chance, message, along):
    for step in along[:-1]:
        message = getattr(message, step.name)
    leaf = along[-1]
    if leaf.enum_type is not None:
        value = chance.choice([*(each.number for each in leaf.enum_type.values), 9999])
    else:
        kinds = {leaf.TYPE_DOUBLE: DOUBLES, leaf.TYPE_STRING: TEXTS, leaf.TYPE_BOOL: (True, False)}
        value = chance.choice(kinds.get(leaf.type, INTEGERS if leaf.type == leaf.TYPE_INT64 else (0, 1, 10)))
    if leaf.is_repeated:
        several = (
            [each.number for each in leaf.enum_type.values if each.number] if leaf.enum_type is not None else TEXTS
        )
        getattr(message, leaf.name).extend(chance.sample(several, chance.randrange(3)))
    else:
        setattr(message, leaf.name, value)


def read(query, field, message, along):
    """One field through the SDK's full message, the slow and obvious way."""
    nullable, own = field.column not in query.key, query.is_divided
    empty = "" if own and not nullable else None
    for step in along[:-1]:
        message = getattr(message, step.name)
    leaf = along[-1]
    value = getattr(message, leaf.name)
    names = {each.number: each.name for each in leaf.enum_type.values} if leaf.enum_type is not None else {}
    if field.kind is As.LIST:
        return [names[each] for each in value] if names else list(value)
    if field.kind is As.ENUM:
        return names.get(value, f"UNKNOWN_{value}") if value or not (nullable or own) else empty
    if (nullable or field.kind in (As.ID, As.WORD)) and leaf.has_presence and not message.HasField(leaf.name):
        return empty
    if field.kind is As.WORD:
        return "true" if value else "false"
    if field.kind is As.AVERAGE:
        return value / 1_000_000
    if field.kind is As.MICROS:
        return Decimal(value) / 1_000_000
    return str(value) if field.kind is As.ID else value


def mismatches(version, rows):
    """How many fields of random rows were compared; exits with the first that differs."""
    types = import_module(f"google.ads.googleads.{version}.services.types.google_ads_service")
    full = types.SearchGoogleAdsStreamResponse.pb()
    row_descriptor = full.DESCRIPTOR.fields_by_name["results"].message_type
    chance = random.Random(7)
    compared = 0
    for query in (*QUERIES, OWN):
        page = full(request_id="noise", field_mask={"paths": list(query.paths)})
        along = {field.column: steps(row_descriptor, field.path) for field in query.fields}
        for _ in range(rows):
            row = page.results.add()
            for field in query.fields:
                if chance.random() < 0.7 or field.kind is As.DAY:
                    fill(chance, row, along[field.column])
            row.metrics.ctr = 0.5
            row.ad_group.tracking_url_template = "never asked for"
        ours = pages(query.paths, version)
        assert (ours is full.DESCRIPTOR) == (query is OWN)
        slim = page_class(query, ours).FromString(page.SerializeToString())
        made = list(
            converter(query, ours.fields_by_name["results"].message_type)(
                slim.results, "1234567890", "EUR", "2026-11-22"
            )
        )
        assert len(made) == rows
        for got, row in zip(made, page.results, strict=True):
            for field in query.fields:
                expected = read(query, field, row, along[field.column])
                value = got[field.column]
                if field.kind is As.MICROS and value is not None:
                    assert "E" not in value
                    value = Decimal(value)
                if (value, type(value)) != (expected, type(expected)):
                    sys.exit(f"{version} {query.name}.{field.column}: got {value!r}, the SDK says {expected!r}")
                compared += 1
    return compared


assert pages(["metrics.clicks", "ad_group.tracking_url_template"], "v26").full_name.startswith(
    "google.ads.googleads.v26"
)
print(sum(mismatches(version, 200) for version in ("v25", "v26")))

"""Run where the SDK is, with a sandbox's environment: what the unmodified client is told, as one JSON object."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import yaml
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException
from google.api_core import gapic_v1
from google.oauth2.credentials import Credentials

MANAGER = os.environ["GOOGLE_MANAGER_CUSTOMER_ID"].replace("-", "")
OWN, OTHER, CLOSED = sys.argv[1:]
DAY = "segments.date BETWEEN '2026-11-16' AND '2026-11-22'"

keys = yaml.safe_load(Path(os.environ["GOOGLE_CONFIG_FILE"]).read_text())
user = {name: keys[name] for name in ("client_id", "client_secret", "refresh_token")}


def client(login=MANAGER, version="v26"):
    credentials = Credentials(None, token_uri=os.environ["GOOGLE_TOKEN_URI"], **user)
    endpoint = os.environ["GOOGLE_ADS_ENDPOINT"]
    return GoogleAdsClient(
        credentials, endpoint=endpoint, login_customer_id=login, version=version, use_proto_plus=True
    )


def refusal(customer, query, login=MANAGER, **more):
    """The code that the SDK's exception carries."""
    service = client(login).get_service("GoogleAdsService")
    try:
        list(service.search(request={"customer_id": customer, "query": query, **more}, timeout=20))
    except GoogleAdsException as caught:
        return str(caught.failure.errors[0].error_code).strip()
    return "no refusal"


service = client().get_service("GoogleAdsService")
paused = "SELECT campaign.status FROM campaign WHERE campaign.status = 'PAUSED'"
open_ended = "SELECT campaign.id, segments.date FROM campaign WHERE segments.date >= '2026-11-01'"
keywords = f"SELECT ad_group.id, ad_group_criterion.criterion_id, segments.date FROM keyword_view WHERE {DAY}"
keywords = keywords.replace("segments.date FROM", "segments.date, metrics.clicks FROM")
batches = [len(batch.results) for batch in service.search_stream(customer_id=OWN, query=keywords, timeout=20)]
pages = service.search(request={"customer_id": OWN, "query": keywords}, timeout=20).pages
clicks = "SELECT campaign.id, metrics.clicks FROM campaign"
answers = {
    "batches": batches,
    "pages": [len(page.results) for page in pages],
    "accessible": list(client(None).get_service("CustomerService").list_accessible_customers().resource_names),
    "unknown field": refusal(OWN, "SELECT campaign.budget_color FROM campaign"),
    "unknown metric": refusal(OWN, f"SELECT metrics.video_views, segments.date FROM campaign WHERE {DAY}"),
    "not a leaf": refusal(OWN, "SELECT campaign FROM campaign"),
    "no such resource": refusal(OWN, "SELECT campaign.id FROM campains"),
    "other resource": refusal(OWN, "SELECT ad_group.id FROM campaign"),
    "no dates": refusal(OWN, f"{clicks.replace(' FROM', ', segments.date FROM')}"),
    "half a date range": refusal(OWN, open_ended),
    "metric of another report": refusal(
        OWN, f"SELECT metrics.search_impression_share, segments.date FROM ad_group_ad WHERE {DAY}"
    ),
    "a segment that is not made": refusal(
        OWN, f"SELECT metrics.clicks, segments.click_type, segments.date FROM campaign WHERE {DAY}"
    ),
    "cost by conversion": refusal(
        OWN, f"SELECT metrics.cost_micros, segments.conversion_action, segments.date FROM campaign WHERE {DAY}"
    ),
    "hours of an ad": refusal(OWN, f"SELECT metrics.clicks, segments.hour FROM ad_group_ad WHERE {DAY}"),
    "nonsense": refusal(OWN, "SELEC campaign.id"),
    "metrics of a manager": refusal(MANAGER, f"SELECT metrics.clicks, segments.date FROM campaign WHERE {DAY}"),
    "page size": refusal(OWN, "SELECT campaign.id FROM campaign", page_size=100),
    "closed": refusal(CLOSED, "SELECT campaign.id FROM campaign"),
    "not through the manager": refusal(OTHER, "SELECT campaign.id FROM campaign", login=None),
    "direct": refusal(OWN, "SELECT campaign.id FROM campaign", login=None),
    "filtered": [row.campaign.status.name for row in service.search(customer_id=OWN, query=paused)],
}


def rows(query, customer=OWN):
    return list(service.search(request={"customer_id": customer, "query": query}, timeout=20))


own = f"metrics.clicks FROM customer WHERE {DAY}"
answers["account by day"] = {row.segments.date: row.metrics.clicks for row in rows(f"SELECT segments.date, {own}")}
answers["account in all"] = [row.metrics.clicks for row in rows(f"SELECT {own}")]
answers["campaigns in all"] = [row.campaign.id for row in rows(clicks)]
budgets = "SELECT campaign_budget.id, campaign.id FROM campaign_budget"
answers["budgets"] = [[row.campaign_budget.id, row.campaign.id] for row in rows(budgets)]
ads = rows("SELECT ad_group_ad.ad.responsive_search_ad.headlines FROM ad_group_ad")
answers["headlines"] = [asset.text for row in ads for asset in row.ad_group_ad.ad.responsive_search_ad.headlines]
answers["resource name"] = ads[0].ad_group_ad.resource_name
campaigns = {"customer_id": OWN, "query": "SELECT campaign.id FROM campaign ORDER BY campaign.id DESC LIMIT 2"}
answers["validated"] = len(list(service.search(request=campaigns | {"validate_only": True})))
answers["validated wrong"] = refusal(OWN, "SELECT campaign.ids FROM campaign", validate_only=True)
settings = {"return_total_results_count": True, "omit_results": True}
pager = service.search(request=campaigns | {"search_settings": settings})
answers["counted"] = [pager.total_results_count, len(list(pager))]
answers["ordered"] = [row.campaign.id for row in service.search(request=campaigns)]
fields = client().get_service("GoogleAdsFieldService")
found = fields.get_google_ads_field(resource_name="googleAdsFields/campaign.status")
answers["field"] = [found.name, found.category.name, found.data_type.name, found.selectable]
answers["field values"] = list(found.enum_values)
answers["selectable with"] = list(
    fields.get_google_ads_field(resource_name="googleAdsFields/metrics.clicks").selectable_with
)
wanted = "SELECT name, category WHERE name LIKE 'campaign.%'"
answers["fields"] = [field.name for field in fields.search_google_ads_fields(query=wanted)]
oldest = client(version="v23").get_service("GoogleAdsService")
answers["v23"] = len(list(oldest.search(customer_id=OWN, query="SELECT campaign.id FROM campaign")))
try:
    channel = service.transport.grpc_channel
    call = channel.unary_unary("/google.ads.googleads.v22.services.GoogleAdsService/Search")
    gapic_v1.method.wrap_method(call)(b"")
except Exception as caught:
    answers["v22"] = str(caught)
user["refresh_token"] = "1//wrong"
try:
    client().get_service("GoogleAdsService").search(customer_id=OWN, query=paused, timeout=20)
except Exception as caught:
    answers["wrong token"] = str(caught)
print(json.dumps(answers))

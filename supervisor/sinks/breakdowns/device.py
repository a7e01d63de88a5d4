"""`ads.device_daily`: the devices on which ads were seen, in five words and in the platform's own."""

from __future__ import annotations

from collections.abc import Mapping

from supervisor.sinks.breakdowns.definition import COUNTS, Breakdown, Dimension, Part, told, vocabulary
from supervisor.sinks.unified import Measure


def _devices(name: str, **words: str) -> Mapping[str, tuple[Measure, ...]]:
    """`words` are the platform's of each device, with blanks between them; what is not among them is `other`."""
    known = {theirs: ours for ours, listed in words.items() for theirs in listed.split()}
    return {"device": vocabulary(name, {**known, "": "unknown"}, "other"), "platform_device": told(name)}


DEVICE = Breakdown(
    "device_daily",
    "the devices on which ads were seen",
    ("campaign",),
    (
        Dimension("device", "desktop, mobile, tablet, tv, other or unknown"),
        Dimension("platform_device", "the platform's own word; empty where it does not know"),
    ),
    COUNTS,
    (
        Part(
            "google",
            "campaign_device_network_daily",
            _devices(
                "device",
                desktop="DESKTOP",
                mobile="MOBILE",
                tablet="TABLET",
                tv="CONNECTED_TV",
                unknown="UNKNOWN UNSPECIFIED",
            ),
        ),
        Part(
            "microsoft",
            "campaign_device_daily",
            _devices("device_type", desktop="Computer", mobile="Smartphone", tablet="Tablet", unknown="Unknown"),
        ),
        Part(
            "facebook",
            "ad_daily_device",
            _devices(
                "impression_device",
                desktop="desktop",
                mobile="iphone ipod android_smartphone",
                tablet="ipad android_tablet",
                unknown="unknown",
            ),
        ),
        Part(
            "linkedin",
            "campaign_device_daily",
            _devices(
                "impression_device_type",
                desktop="DESKTOP_WEB",
                mobile="MOBILE_WEB MOBILE_APP",
                unknown="UNDETECTED UNKNOWN",
            ),
        ),
    ),
)

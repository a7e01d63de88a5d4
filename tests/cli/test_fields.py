"""`supervisor fields`: what reports of one's own can ask for, as the pipeline says it."""

from __future__ import annotations

import json
from typing import Any

FIELDS = [
    {"name": "clicks", "role": "metrics", "type": "integer", "note": "chargeable ones"},
    {"name": "device", "role": "by", "type": "string", "of": ["campaign"], "excludes": ["hour", "\x1b[2J"]},
    {"name": "name", "role": "attributes", "type": "string", "of": ["ad"]},
    {"name": "name", "role": "by", "type": "string", "note": "of the day", "of": ["a", "b", "c", "d"]},
]
LISTS = f"""
if "--fields" in sys.argv:
    say(type="FIELDS", of=["campaign", "ad"], source="the SDK 1.0", fields={FIELDS!r})
    sys.exit(0)
sys.exit("it was started")
"""


def test_fields_are_listed_chosen_and_given_as_json(house: Any) -> None:
    house.tap("one", LISTS)
    house.write()
    assert house.run("fields", "one").stdout.splitlines() == [
        "of: campaign, ad",
        "",
        "field   under       type     meaning",
        "name    attributes  string   in ad",
        "device  by          string   not beside hour, \\x1b[2J",
        "name    by          string   in a, b, c and 1 more; of the day",
        "clicks  metrics     integer  chargeable ones",
        "4 fields, from the SDK 1.0",
    ]
    assert "device" not in house.run("fields", "one", "--of", "ad").stdout
    assert house.run("fields", "one", "--like", "CHARGE").stdout.splitlines()[-1] == "1 field, from the SDK 1.0"
    found = json.loads(house.run("fields", "one", "--json", "--of", "campaign").stdout)
    assert (found["of"], [field["name"] for field in found["fields"]]) == (["campaign"], ["clicks", "device"])


def test_what_cannot_be_listed_is_said(house: Any) -> None:
    house.tap("one", LISTS)
    house.tap("two", "sys.exit('no such option')")
    house.write()
    wrong = house.run("fields", "one", "--of", "campain")
    assert (wrong.returncode, wrong.stderr) == (1, "error: one has no reports of 'campain'; did you mean 'campaign'?\n")
    silent = house.run("fields", "two")
    assert silent.returncode == 1
    assert (
        "platform 'two': its pipeline lists no fields (exit status 1); its last line was: no such option"
        in silent.stderr
    )
    assert "platform 'thre' is not in the configuration" in house.run("fields", "thre").stderr

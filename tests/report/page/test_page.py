"""The page says what the record says, needs nothing else, is safe from the names in it and looks right in a browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_records import NASTY, busy_night, nasty_night

from supervisor.report.page.document import html_report
from supervisor.report.page.scale import binary_ticks, clock, decimal_ticks, time_ticks
from supervisor.report.page.words import seconds, size
from supervisor.run.monitor import ExecutionMonitor

BUSY = html_report(busy_night())
STYLE = re.search(r"<style>(.*?)</style>", BUSY, re.S).group(1)
CHROMIUM = shutil.which("chromium")
VOID = {"meta", "link"}
PROBE = """
<script>onload = () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, charts = [...page.querySelectorAll("svg.chart")];
    const shapes = [...page.querySelectorAll(".bar, .day, .curve")].map(each => each.getBoundingClientRect());
    return {
      name: frame.name, charts: charts.length, shapes: shapes.length,
      wide: page.documentElement.scrollWidth - page.documentElement.clientWidth,
      smallest: Math.min(...charts.map(each => Math.min(each.clientWidth, each.clientHeight))),
      outside: shapes.filter(each => each.left < 0 || each.right > frame.clientWidth + 1).length,
      background: getComputedStyle(page.body).backgroundColor, scripts: page.scripts.length,
      text: Math.min(...[...page.querySelectorAll("svg text")].map(each => each.getBoundingClientRect().height)),
    };
  });
  console.log("the probe has run");
  document.body.replaceChildren(document.createTextNode(JSON.stringify(found)));
}</script>
"""


class Page(HTMLParser):
    """Checks that elements nest, and gathers what is said and what is referred to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.said: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href", "action", "data"):
                self.references.append(value or "")
            if name == "aria-labelledby":
                self.said.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_the_page_needs_no_network_and_no_script() -> None:
    page = Page(BUSY)
    assert page.references == ["data:,"]
    assert page.handlers == []
    assert {"script", "img", "iframe", "object", "embed", "form"}.isdisjoint(page.tags)
    assert not re.search(r"@import|@font-face|url\((?!#hatch\))|https?:", BUSY)
    assert "default-src 'none'" in html.unescape(BUSY)


def test_names_and_messages_with_markup_stay_text() -> None:
    page = Page(html_report(nasty_night()))
    assert {"script", "img"}.isdisjoint(page.tags)
    assert page.handlers == []
    assert page.tags.count("style") == 1
    # Control and direction characters are shown as such, everything else as it is.
    shown = NASTY.replace("\x00", "\N{REPLACEMENT CHARACTER}").replace("\u202e", "\N{REPLACEMENT CHARACTER}")
    assert sum(shown in said for said in page.said) >= 10
    assert not re.search("[\x00\u202e]", "".join(page.said))


def test_failures_come_first_with_their_sentence() -> None:
    page = Page(BUSY)
    said = [text.strip() for text in page.said]
    assert said.index("What did not complete") < said.index("Timeline")
    assert any(text.startswith("2 account(s) failed: 508812: the member has no access") for text in said)
    assert "the daily limit of the application is used up until 00:00 UTC" in said
    assert ": stopped after 300 s, its timeout; raise `timeout` or load fewer days at once" in said


def test_the_numbers_are_those_of_the_record_with_separators() -> None:
    record = busy_night()
    said = [text.strip() for text in Page(BUSY).said]
    assert f"{record.summary.total_rows_processed:,}" in said
    for platform in record.platforms:
        assert f"{platform.rows_processed:,} rows in {platform.tables_processed} tables" in said
        for attempt in platform.attempts:
            assert f"{attempt.rows:,}" in said
    euros = sum(row.amount for row in record.spend if (row.platform, row.currency) == ("google", "EUR"))
    assert f"{euros:,.2f} EUR" in said
    assert "peak 414 MiB of 512 MiB (81%)" in said


def test_money_of_different_currencies_is_never_added() -> None:
    record = busy_night()
    charts = re.findall(r'<title id="spend\S+">Spend of (\w+) in (\w+)</title>', BUSY)
    assert sorted(charts) == sorted({(row.platform, row.currency) for row in record.spend})
    linkedin = sum(row.amount for row in record.spend if row.platform == "linkedin")
    assert f"{linkedin:,.2f}" not in BUSY


def test_every_chart_has_a_name_and_a_description_of_its_own() -> None:
    page = Page(BUSY)
    assert len(page.ids) == len(set(page.ids))
    labels = re.findall(r'role="img"[^>]*aria-labelledby="(\S+) (\S+)"', BUSY)
    assert len(labels) == BUSY.count('role="img"') == 4 + 4 + 7
    assert {each for pair in labels for each in pair} <= set(page.ids)
    assert all(re.search(rf'<desc id="{text}">[^<]{{10,}}</desc>', BUSY) for _, text in labels)


def test_a_big_run_is_at_most_a_mebibyte() -> None:
    assert len(html_report(busy_night(accounts=1000)).encode()) <= 2**20


def test_a_run_without_anything_is_a_page_too() -> None:
    monitor = ExecutionMonitor([], run_id="empty")
    assert Page(html_report(monitor.record())).said
    monitor = ExecutionMonitor(["waiting"], run_id="started")
    assert "It was still under way." in Page(html_report(monitor.record())).said


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_lines_stand_out_in_both_themes(theme: int) -> None:
    palette = dict(re.findall(r"--([\w-]+): (#\w{6});", re.findall(r":root \{(.*?)\}", STYLE, re.S)[theme]))
    for front, back, least in [
        *((text, ground, 4.5) for text in ("ink", "soft", "good", "bad") for ground in ("paper", "card")),
        *((text, "bad-ground", 4.5) for text in ("ink", "soft", "bad")),
        *((shape, "paper", 3.0) for shape in ("data", "good", "bad", "cut")),
    ]:
        light, dark = sorted((luminance(palette[front]), luminance(palette[back])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= least, f"{front} on {back}"


def test_ticks_are_round_and_few() -> None:
    assert decimal_ticks(5989.3) == (2000, 4000)
    assert decimal_ticks(0) == ()
    assert [size(tick) for tick in binary_ticks(700 * 2**20)] == ["256 MiB", "512 MiB"]
    assert [clock(tick) for tick in time_ticks(1335)] == ["0", "5 min", "10 min", "15 min", "20 min"]
    assert [clock(tick) for tick in time_ticks(3 * 3600)] == ["0", "1 h", "2 h", "3 h"]
    for highest in (1e-6, 0.3, 1, 7, 99, 12345, 1e12):
        assert len(decimal_ticks(highest)) <= 4
        assert len(binary_ticks(highest)) <= 3
        assert len(time_ticks(highest)) <= 6
    assert [seconds(value) for value in (0.421, 12.34, 59.99, 192, 7500)] == ["0.42 s", "12.3 s", "60.0 s", "3 min 12 s", "2 h 05 min"]  # fmt: skip


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a browser makes of the pages: by name, each in a frame of its own width."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    directory = tmp_path_factory.mktemp("browser")
    dark = BUSY.replace("(prefers-color-scheme: dark)", "all")
    nasty = html_report(nasty_night())
    frames = "".join(
        f'<iframe name="{name}" style="width:{width}px;height:800px;border:0" srcdoc="{html.escape(page)}"></iframe>'
        for name, page, width in (
            ("desktop", BUSY, 1280), ("phone", BUSY, 360), ("dark", dark, 1280), ("nasty", nasty, 1280), ("nasty phone", nasty, 360),
        )
    )  # fmt: skip
    (directory / "all.html").write_text(f'<!doctype html><meta charset="utf-8"><body>{frames}{PROBE}')
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--timeout=100000",
            f"--user-data-dir={directory / 'profile'}", "--window-size=1400,900", "--dump-dom", f"file://{directory / 'all.html'}",
        ],
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert len(console) == 1 and "the probe has run" in console[0], console
    found = json.loads(html.unescape(re.search(r"<body>(.*)</body>", done.stdout, re.S).group(1)))
    return {each["name"]: each for each in found}


def test_charts_have_size_in_a_browser(seen: dict[str, dict[str, Any]]) -> None:
    for name in ("desktop", "phone", "dark"):
        assert seen[name]["charts"] == 16
        assert seen[name]["shapes"] > 500
        assert seen[name]["smallest"] >= 20
        assert seen[name]["outside"] == 0
        assert seen[name]["text"] >= 11


def test_nothing_is_wider_than_the_screen(seen: dict[str, dict[str, Any]]) -> None:
    assert {name: page["wide"] for name, page in seen.items()} == dict.fromkeys(seen, 0)


def test_a_browser_finds_no_script_in_names(seen: dict[str, dict[str, Any]]) -> None:
    assert seen["nasty"]["scripts"] == seen["nasty phone"]["scripts"] == 0


def test_dark_is_dark(seen: dict[str, dict[str, Any]]) -> None:
    assert seen["desktop"]["background"] == "rgb(251, 250, 247)"
    assert seen["dark"]["background"] == "rgb(22, 22, 21)"


DAILY = """
schema("campaign_daily", key=("account_id", "campaign_id", "date"), day="date", account_id="string", campaign_id="string",
       campaign_name="string", spend="number", is_final="boolean")
row("campaign_daily", account_id="1", campaign_id="2", campaign_name="c", date="2026-01-01", spend=1234.5, is_final=True)
row("campaign_daily", account_id="1", campaign_id="3", campaign_name="d", date="2026-01-01", spend=0.25, is_final=True)
state({"a": 1})
schema("account", key=("account_id",), account_id="string", name="string", currency="string", timezone_name="string")
row("account", account_id="1", name="n", currency="CHF", timezone_name="UTC")
state({"a": 2})
"""


def test_a_run_writes_the_page_beside_its_report_with_what_was_spent(house: Any) -> None:
    house.tap("facebook", DAILY)
    house.write()
    done = house.run("run", REPORT_HTML_PATH="page.html")
    assert done.returncode == 0, done.stderr
    page = (house.directory / "page.html").read_text()
    assert "1,234.75 CHF" in Page(page).said
    assert (house.directory / "execution_report.json").exists()
    assert "| Report: page.html" in done.stderr


def test_the_page_can_be_the_report_and_a_storage_that_cannot_add_up_is_no_trouble(house: Any) -> None:
    house.tap("one", "schema(); row(id='1', n=1); state({'a': 1})")
    house.write()
    done = house.run("run", REPORT_FORMAT="html", STORAGE_TYPE="none")
    assert done.returncode == 0, done.stderr
    assert "It completed" in Page((house.directory / "execution_report.html").read_text()).said
    assert "WARNING" not in done.stderr


def test_a_page_that_cannot_be_written_is_a_warning_and_known_to_check(house: Any) -> None:
    house.tap("one", "schema(); row(id='1', n=1); state({'a': 1})")
    house.write()
    sentence = "the report cannot be written to /nowhere/page.html: No such file or directory"
    done = house.run("run", REPORT_HTML_PATH="/nowhere/page.html")
    assert done.returncode == 0
    assert re.search(rf"\| WARNING  \| {sentence}$", done.stderr, re.M)
    assert house.rows("SELECT count(*) FROM one.t") == [(1,)]
    assert json.loads(Path(house.directory / "execution_report.json").read_text())["exit_code"] == 0
    checked = house.run("check", REPORT_HTML_PATH="/nowhere/page.html")
    assert checked.returncode == 1
    assert f"REPORT_HTML_PATH: {sentence}" in checked.stderr


def test_spend_that_cannot_be_read_is_a_warning(house: Any) -> None:
    house.tap("one", "schema(); row(id='1', n=1); state({'a': 1})")
    house.write()
    house.run("run")
    import duckdb

    with duckdb.connect(str(house.directory / "social_ads.duckdb")) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS ads; CREATE VIEW ads.campaign_daily AS SELECT 1 AS other")
    done = house.run("run", REPORT_HTML_PATH="page.html")
    assert done.returncode == 0
    assert "The report will not show spend:" in done.stderr
    assert "It completed" in (house.directory / "page.html").read_text()

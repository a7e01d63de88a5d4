"""A small advertising world: accounts, campaigns and what happened in them, the same for the same seed.

The world is asked as of an instant. What a day looks like depends on when one looks: conversions keep arriving for
four weeks, clicks found invalid are taken back, and some rows vanish with them. Every number is an integer (micros,
hundredths), so that sums over ads are exact at every level; only reach is not a sum.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from zlib import crc32
from zoneinfo import ZoneInfo

PLATFORMS = ("google", "microsoft", "facebook", "linkedin")

_ENDED = ("google", "facebook")
"""The platforms on which an account that has ended can still be asked for its days."""
_REMOVING = ("google",)
"""The platforms on which ad groups, ads and keywords are removed one by one."""

_MASK = 2**64 - 1
_DAY = dt.timedelta(days=1)
_WEEK = (100, 104, 108, 105, 96, 62, 55)
_PLACES = (
    ("EUR", "Europe/Berlin"),
    ("USD", "America/Los_Angeles"),
    ("JPY", "Asia/Tokyo"),
    ("BRL", "America/Sao_Paulo"),
    ("INR", "Asia/Kolkata"),
    ("AUD", "Australia/Sydney"),
)
_NAMES = (
    "Brand | Search | DE",
    "Total Brand",
    'Say "hello", she\'s back',
    "Käse & Brötchen – Frühling",
    "夏のセール 🌻",
    "Generic; semicolon,comma",
    "Total",
    "back\\slash /slash",
    "=SUM(A1:A9)",
    "مرحبا العالم",
    "NULL",
    "  padded  ",
)
_WORDS = (
    "shoes",
    "running shoes",
    "best shoes 2026",
    "schuhe günstig",
    'shoes "red"',
    "scarpe, rosse",
    "靴",
    "total shoes",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a world there is: accounts a platform, and children of each parent; days before the first look."""

    accounts: int
    campaigns: int
    groups: int
    ads: int
    keywords: int
    days: int


SIZES = {
    "tiny": Size(accounts=2, campaigns=3, groups=1, ads=2, keywords=2, days=40),
    "small": Size(accounts=3, campaigns=7, groups=2, ads=2, keywords=3, days=75),
    "big": Size(accounts=4, campaigns=50, groups=5, ads=5, keywords=10, days=60),
    "agency": Size(accounts=200, campaigns=5, groups=1, ads=1, keywords=1, days=45),
    "huge": Size(accounts=1, campaigns=2000, groups=10, ads=2, keywords=5, days=40),
}


@dataclass(slots=True)
class Metrics:
    """What happened. Money is in micros of the currency, conversions in hundredths; None is "not available"."""

    impressions: int = 0
    clicks: int = 0
    link_clicks: int = 0
    cost_micros: int = 0
    conversions_centi: int = 0
    value_micros: int = 0
    view_through: int = 0
    leads: int = 0
    engagements: int = 0
    video_views: int | None = None
    video_quartiles: tuple[int, int, int, int] | None = None

    def __iadd__(self, other: Metrics) -> Metrics:
        self.impressions += other.impressions
        self.clicks += other.clicks
        self.link_clicks += other.link_clicks
        self.cost_micros += other.cost_micros
        self.conversions_centi += other.conversions_centi
        self.value_micros += other.value_micros
        self.view_through += other.view_through
        self.leads += other.leads
        self.engagements += other.engagements
        if other.video_views is not None:
            self.video_views = (self.video_views or 0) + other.video_views
        if other.video_quartiles is not None:
            mine = self.video_quartiles or (0, 0, 0, 0)
            a, b, c, d = (x + y for x, y in zip(mine, other.video_quartiles, strict=True))
            self.video_quartiles = (a, b, c, d)
        return self

    @property
    def reach(self) -> int:
        """People reached: a function of this level's impressions, so it does not add up over its children."""
        return self.impressions * 62 // 100 + (1 if self.impressions else 0)


_SUMS = tuple(f.name for f in fields(Metrics) if not f.name.startswith("video"))


@dataclass(frozen=True, slots=True)
class Keyword:
    """`id` is unique only within its ad group, as Google's criterion ids are."""

    id: int
    text: str
    match: str
    removed_on: dt.date | None = None

    def removed(self, on: dt.date) -> bool:
        return self.removed_on is not None and on >= self.removed_on


@dataclass(frozen=True, slots=True)
class Ad:
    """Has nothing to show from the day on which it is removed."""

    id: int
    name: str
    paused: bool
    removed_on: dt.date | None = None

    def removed(self, on: dt.date) -> bool:
        return self.removed_on is not None and on >= self.removed_on


@dataclass(frozen=True, slots=True)
class Group:
    """Has nothing to show from the day on which it is removed."""

    id: int
    name: str
    paused: bool
    ads: tuple[Ad, ...]
    keywords: tuple[Keyword, ...]
    removed_on: dt.date | None = None

    def removed(self, on: dt.date) -> bool:
        return self.removed_on is not None and on >= self.removed_on


@dataclass(frozen=True, slots=True)
class Campaign:
    """Runs from `start` until the day before it is paused or removed."""

    id: int
    name: str
    start: dt.date
    paused_on: dt.date | None
    removed_on: dt.date | None
    budget_micros: int
    video: bool
    groups: tuple[Group, ...]

    def status(self, on: dt.date) -> str:
        """`enabled`, `paused` or `removed`, as the platform would say on that day."""
        if self.removed_on and on >= self.removed_on:
            return "removed"
        return "paused" if self.paused_on and on >= self.paused_on else "enabled"

    def runs(self, on: dt.date) -> bool:
        return on >= self.start and self.status(on) == "enabled"


@dataclass(frozen=True, slots=True)
class Account:
    """An account; a closed one cannot be asked for reports, an empty one has no campaigns.

    One that ended has nothing to show from `ended_on` on, but can be asked for the days before.
    """

    platform: str
    id: str
    name: str
    currency: str
    timezone: str
    closed: bool
    campaigns: tuple[Campaign, ...]
    ended_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of a report: what happened on a day, at the level whose fields are set."""

    day: dt.date
    campaign: Campaign
    group: Group | None
    ad: Ad | None
    keyword: Keyword | None
    search_term: str | None
    metrics: Metrics


@dataclass(frozen=True)
class World:
    """Everything the sandbox serves. `first_day` is where the story begins; `as_of` is the instant of the look."""

    as_of: dt.datetime
    first_day: dt.date
    size: Size
    seed: int = 7
    _seeds: dict[int, int] = field(default_factory=dict, repr=False, compare=False)
    _todays: dict[str, dt.date] = field(default_factory=dict, repr=False, compare=False)
    _accounts: dict[str, tuple[Account, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def at(
        cls,
        as_of: dt.datetime,
        size: str = "small",
        *,
        first_day: dt.date | None = None,
        seed: int = 7,
        accounts: int | None = None,
    ) -> World:
        """A world of a named size; its story begins so many days before `as_of` unless `first_day` is given.

        `accounts` of each platform take the place of the size's number of them.
        """
        chosen = SIZES[size] if accounts is None else replace(SIZES[size], accounts=accounts)
        return cls(as_of, first_day or as_of.date() - _DAY * chosen.days, chosen, seed)

    def accounts(self, platform: str) -> tuple[Account, ...]:
        """All accounts of a platform: the live ones, perhaps one that ended, then an empty one, then a closed one."""
        if platform not in self._accounts:
            self._accounts[platform] = tuple(self._make_accounts(platform))
        return self._accounts[platform]

    def account(self, platform: str, account_id: str) -> Account:
        """One account; raises KeyError."""
        for account in self.accounts(platform):
            if account.id == account_id:
                return account
        raise KeyError(account_id)

    def today(self, account: Account) -> dt.date:
        """The date that `as_of` is in the account's time zone."""
        today = self._todays.get(account.timezone)
        if today is None:
            today = self._todays[account.timezone] = self.as_of.astimezone(ZoneInfo(account.timezone)).date()
        return today

    def ad_facts(self, account: Account, first: dt.date, last: dt.date) -> Iterator[Fact]:
        """The ads that have something to show, day by day; days after today have nothing."""
        for day in self._days(account, first, last):
            for campaign in account.campaigns:
                if campaign.runs(day):
                    for group in campaign.groups:
                        for ad in () if group.removed(day) else group.ads:
                            metrics = self._look(account, campaign, ad, day)
                            if metrics is not None:
                                yield Fact(day, campaign, group, ad, None, None, metrics)

    def group_facts(self, account: Account, first: dt.date, last: dt.date) -> Iterator[Fact]:
        """The sums of the ads of each group and day."""
        totals: dict[tuple[dt.date, int], Fact] = {}
        for fact in self.ad_facts(account, first, last):
            assert fact.group is not None
            key = (fact.day, fact.group.id)
            if key not in totals:
                totals[key] = Fact(fact.day, fact.campaign, fact.group, None, None, None, Metrics())
            total = totals[key].metrics
            total += fact.metrics
        yield from totals.values()

    def campaign_facts(self, account: Account, first: dt.date, last: dt.date) -> Iterator[Fact]:
        """The sums of the ads of each campaign and day."""
        totals: dict[tuple[dt.date, int], Fact] = {}
        for fact in self.ad_facts(account, first, last):
            key = (fact.day, fact.campaign.id)
            if key not in totals:
                totals[key] = Fact(fact.day, fact.campaign, None, None, None, None, Metrics())
            total = totals[key].metrics
            total += fact.metrics
        yield from totals.values()

    def keyword_facts(self, account: Account, first: dt.date, last: dt.date) -> Iterator[Fact]:
        """Each group's numbers shared out over its keywords; a keyword without impressions has no row."""
        for fact in self.group_facts(account, first, last):
            assert fact.group is not None
            keywords = [keyword for keyword in fact.group.keywords if not keyword.removed(fact.day)]
            for keyword, metrics in zip(keywords, _shared(fact.metrics, len(keywords)), strict=True):
                if metrics.impressions:
                    yield Fact(fact.day, fact.campaign, fact.group, None, keyword, None, metrics)

    def search_term_facts(self, account: Account, first: dt.date, last: dt.date) -> Iterator[Fact]:
        """Each keyword's numbers shared out over what people had typed."""
        for fact in self.keyword_facts(account, first, last):
            assert fact.keyword is not None
            terms = (fact.keyword.text, f"{fact.keyword.text} {_WORDS[fact.day.day % len(_WORDS)]}")
            for term, metrics in zip(terms, _shared(fact.metrics, 2), strict=True):
                if metrics.impressions:
                    yield Fact(fact.day, fact.campaign, fact.group, None, fact.keyword, term, metrics)

    def _days(self, account: Account, first: dt.date, last: dt.date) -> Iterator[dt.date]:
        last = min(last, self.today(account))
        if account.ended_on is not None:
            last = min(last, account.ended_on - _DAY)
        for n in range(max(0, (last - first).days + 1)):
            day = first + _DAY * n
            # Some days are empty for a whole account: a holiday, a payment that failed.
            if (day.toordinal() * 31 + int(account.id[-3:])) % 23:
                yield day

    def _look(self, account: Account, campaign: Campaign, ad: Ad, day: dt.date) -> Metrics | None:
        seed = self._seeds.get(ad.id)
        if seed is None:
            seed = self._seeds[ad.id] = _mix(self.seed * 1_000_003 + crc32(account.platform.encode()), ad.id)
        dice = _mix(seed, day.toordinal())
        if ad.paused or ad.removed(day) or dice % 41 == 0:
            return None
        today = self.today(account)
        age = (today - day).days
        vanishes = (dice >> 7) % 23 == 0
        if vanishes and age >= 3 + (dice >> 13) % 6:
            return None
        impressions = (200 + seed % 2800) * _WEEK[day.weekday()] * (50 + (dice >> 19) % 100) // 10_000
        if age == 0:
            hour = self.as_of.astimezone(ZoneInfo(account.timezone)).hour
            impressions = impressions * (hour + 1) // 24
        if not impressions:
            return None
        clicks = impressions * (1 + (dice >> 26) % 8) // 100
        if (dice >> 30) % 13 == 0 and age >= 5:
            clicks -= clicks // 10
        seen = min(100, 20 + 3 * age)
        conversions = clicks * (3 + (dice >> 34) % 9) * seen // 100
        value = conversions * (150_000 + seed % 900_000)
        metrics = Metrics(
            impressions=impressions,
            clicks=clicks,
            link_clicks=clicks * 3 // 4,
            cost_micros=clicks * (90_000 + (seed >> 11) % 2_000_000),
            conversions_centi=conversions,
            value_micros=value,
            view_through=impressions * seen // 100_000,
            leads=conversions // 250,
            engagements=clicks + impressions // 50,
        )
        if campaign.video:
            views = impressions * 3 // 10
            metrics.video_views = views
            metrics.video_quartiles = (views * 8 // 10, views * 6 // 10, views * 4 // 10, views * 2 // 10)
        return metrics

    def _make_accounts(self, platform: str) -> Iterator[Account]:
        base = 1_000_000_000 * (PLATFORMS.index(platform) + 2)
        for n in range(self.size.accounts):
            currency, timezone = _PLACES[n % len(_PLACES)]
            number = base + 1_234_567 * (n + 1)
            campaigns = tuple(self._make_campaign(platform, number, n, c) for c in range(self.size.campaigns))
            yield Account(
                platform,
                str(number),
                f"{platform.title()} Shop {n + 1} – “{currency}”",
                currency,
                timezone,
                False,
                campaigns,
            )
        if platform in _ENDED:
            number, n = base + 1_234_567 * (self.size.accounts + 1), self.size.accounts
            yield Account(
                platform,
                str(number),
                "Ended last week",
                "CHF",
                "Europe/Zurich",
                False,
                (self._make_campaign(platform, number, n, 0),),
                self.first_day + _DAY * (self.size.days - 7),
            )
        yield Account(platform, str(base + 77), "Empty, for now", "GBP", "Europe/London", False, ())
        yield Account(platform, str(base + 99), "Closed years ago", "USD", "America/New_York", True, ())

    def _make_campaign(self, platform: str, account: int, place: int, n: int) -> Campaign:
        number = account * 100 + n
        length = self.size.days
        start = self.first_day + _DAY * (length // 4 if n % 4 == 3 else 0)
        paused_on = self.first_day + _DAY * (length * 2 // 3) if n % 5 == 2 else None
        removed_on = self.first_day + _DAY * (length - 6) if n % 7 == 5 else None
        name = _NAMES[(n + place) % len(_NAMES)] + (f" #{n}" if n >= len(_NAMES) else "")
        groups = tuple(self._make_group(number, g) for g in range(self.size.groups))
        if platform in _REMOVING:
            groups = self._with_removals(groups, n)
        return Campaign(number, name, start, paused_on, removed_on, 25_000_000 + n * 1_500_000, n % 3 == 1, groups)

    def _with_removals(self, groups: tuple[Group, ...], n: int) -> tuple[Group, ...]:
        """The groups of the nth campaign, in which the last of some kind was removed days before the first look."""
        removed_on = self.first_day + _DAY * (self.size.days - 5)
        *before, last = groups
        if n % 3 == 0:
            last = replace(last, ads=(*last.ads[:-1], replace(last.ads[-1], removed_on=removed_on)))
        elif n % 3 == 2:
            last = replace(last, keywords=(*last.keywords[:-1], replace(last.keywords[-1], removed_on=removed_on)))
        elif n % 6 == 4 and before:
            last = replace(last, removed_on=removed_on)
        return (*before, last)

    def _make_group(self, campaign: int, n: int) -> Group:
        number = campaign * 10 + n
        ads = tuple(
            Ad(number * 10 + a, f"Ad {a} ‘{_NAMES[(n + a) % len(_NAMES)]}’", (n + a) % 9 == 8)
            for a in range(self.size.ads)
        )
        keywords = tuple(
            Keyword(
                300_000 + k,
                f"{_WORDS[k % len(_WORDS)]}{'' if k < len(_WORDS) else f' {k}'}",
                ("EXACT", "PHRASE", "BROAD")[k % 3],
            )
            for k in range(self.size.keywords)
        )
        return Group(number, f"Group {n} / {_WORDS[n % len(_WORDS)]}", n % 6 == 5, ads, keywords)


def _mix(a: int, b: int) -> int:
    """64 well-mixed bits of two numbers (the finisher of splitmix64)."""
    z = (a + b * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def _shared(whole: Metrics, parts: int) -> list[Metrics]:
    """The whole in `parts` parts that add up to it; the first gets most."""
    out = [Metrics() for _ in range(parts)]
    for name in _SUMS:
        left = getattr(whole, name)
        for part in out[:0:-1]:
            share = left // (parts + 1)
            setattr(part, name, share)
            left -= share
        setattr(out[0], name, left)
    if whole.video_views is not None:
        out[0].video_views, out[0].video_quartiles = whole.video_views, whole.video_quartiles
    return out

"""What the operator decides: the settings of `--config`, and the credentials of the environment and google-ads.yaml.

A run and `--check` look through the same functions, which find everything that is wrong without asking Google.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from google_pipeline.credential_files import read_key_file, read_yaml
from google_pipeline.queries import Query
from wire import Api, Backoff, CheckWarning, Invocation, Kind, PipelineError, checked_endpoint, wrong_settings

T = TypeVar("T")
Days = Annotated[int, Meta(ge=1, le=1200)]
Positive = Annotated[float, Meta(gt=0)]

DEFAULT_CONCURRENCY = 16
MOST_CONCURRENCY = 64
"""Requests under way at once. One connection takes 100 streams at most, as servers of HTTP/2 commonly allow."""

DEFAULT_ENDPOINT = "googleads.googleapis.com"
_DEFAULT_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, no secret
_VENDOR_HOSTS = ("googleapis.com",)
_LOOPBACK = re.compile(r"^(https?://)?(localhost|127\.0\.0\.1|\[::1\])(:|/|$)")
_CUSTOMER_ID = re.compile(r"\d{10}")
_USER = ("client_id", "client_secret", "refresh_token")

SUNSET_DATES = "https://developers.google.com/google-ads/api/docs/sunset-dates"
VERSIONS = {
    version: Api(version, ends, SUNSET_DATES)
    for version, ends in (
        ("v23", dt.date(2027, 2, 1)),
        ("v24", dt.date(2027, 5, 1)),
        ("v25", dt.date(2027, 8, 1)),
        ("v26", dt.date(2027, 11, 1)),
    )
}
"""The versions that the SDK speaks. Google names the month of an end ahead, and it may be any day of that month."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of `--config`. `accounts`: only these; empty means all that the login customer reaches.

    `request_timeout` is in seconds and limits one whole query, all its pages included; `concurrency` is how many
    queries may be under way at once; `backfill_budget`, in seconds, is for how long days before the lookback are begun;
    what is in `reports` is read by `google_pipeline.definitions`.
    """

    accounts: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    reports: tuple[Any, ...] | None = None
    start_date: str | None = None
    lookback_days: Annotated[int, Meta(ge=0, le=90)] = 30
    window_days: Days = 7
    request_timeout: Positive = 300.0
    concurrency: Annotated[int, Meta(ge=1, le=MOST_CONCURRENCY)] = DEFAULT_CONCURRENCY
    backfill_budget: Annotated[float, Meta(ge=0)] | None = None
    api_version: Annotated[str, Meta(pattern=r"^v\d+$")] = "v26"
    retry_attempts: Annotated[int, Meta(ge=1, le=20)] = 5
    retry_first_wait: Annotated[float, Meta(ge=0)] = 2.0
    config_file: str | None = None
    manager_customer_id: str | None = None
    customer_ids: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    developer_token: str | None = None

    @property
    def backoff(self) -> Backoff:
        return Backoff(attempts=self.retry_attempts, first=self.retry_first_wait)


class Access(Struct, frozen=True):
    """Whom to ask, and as whom: a user's refresh token, or the key file of a service account.

    `developer_token` is optional: since September 2026 access belongs to the Cloud project of the OAuth client.
    """

    endpoint: str
    token_uri: str | None
    manager_customer_id: str | None
    developer_token: str | None
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    key_file: str | None = None
    key: Mapping[str, Any] | None = None
    impersonated_email: str | None = None
    proxy: str | None = None

    def __repr__(self) -> str:
        return "Access(...)"


class Configuration(Struct, frozen=True):
    """All that a run must know before it asks Google. Empty `accounts` mean all that the login reaches.

    `reports` are those of the user's own, and `warnings` what to beware of in them.
    """

    settings: Settings
    access: Access
    accounts: tuple[str, ...]
    reports: tuple[Query, ...] = ()
    warnings: tuple[str, ...] = ()


class Problems:
    """Everything that is wrong with a configuration, each in a sentence of its own."""

    def __init__(self) -> None:
        self.errors: list[PipelineError] = []

    def add(self, sentence: str) -> None:
        self.errors.append(PipelineError(Kind.CONFIG, sentence))

    def attempt(self, call: Callable[[], T]) -> T | None:
        """What the call returns; None where it raises, which is noted."""
        try:
            return call()
        except PipelineError as error:
            self.errors.append(error)
            return None

    def raise_all(self) -> None:
        """Raise one PipelineError (config) that says all of them, if there are any."""
        if self.errors:
            raise PipelineError(Kind.CONFIG, "; ".join(error.message for error in self.errors))


def check(invocation: Invocation, environment: Mapping[str, str] = os.environ) -> list[PipelineError | CheckWarning]:
    """Everything that is wrong with settings, credentials and reports, found without the network and the SDK."""
    problems = Problems()
    configuration = _configuration(invocation.settings, environment, problems)
    return [*problems.errors, *map(CheckWarning, configuration.warnings)]


def spoken_version(invocation: Invocation) -> Api | None:
    """The version of the API that a run speaks; None where the setting makes no sense."""
    return VERSIONS.get(str(invocation.settings.get("api_version", Settings().api_version)))


def read_configuration(given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Configuration:
    """All of a run's configuration; raises one PipelineError (config) that says everything that is wrong with it."""
    problems = Problems()
    configuration = _configuration(given, environment, problems)
    problems.raise_all()
    return configuration


def read_settings(given: Mapping[str, Any]) -> Settings:
    """The settings; raises one PipelineError (config) that names every wrong key."""
    problems = Problems()
    settings = _settings(given, problems)
    problems.raise_all()
    return settings


def wanted_accounts(settings: Settings, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The account filter, GOOGLE_CUSTOMER_IDS before `accounts`; empty means all. Raises PipelineError (config)."""
    problems = Problems()
    accounts = _accounts(settings, environment, problems)
    problems.raise_all()
    return accounts


def read_access(settings: Settings, environment: Mapping[str, str] = os.environ) -> Access:
    """Collect the credentials: the environment wins over `--config`, and both over google-ads.yaml.

    Raises one PipelineError (config) that says everything that is missing or wrong.
    """
    problems = Problems()
    access = _access(settings, environment, problems)
    problems.raise_all()
    return access


def customer_id(text: str, source: str) -> str:
    """Ten digits, from either spelling; `123-456-7890` is how the UI shows it."""
    digits = text.strip().replace("-", "")
    if not _CUSTOMER_ID.fullmatch(digits):
        raise PipelineError(Kind.CONFIG, f"{source}: {text.strip()!r} is not a customer id like 123-456-7890")
    return digits


def _configuration(given: Mapping[str, Any], environment: Mapping[str, str], problems: Problems) -> Configuration:
    settings = _settings(given, problems)
    accounts = _accounts(settings, environment, problems)
    access = _access(settings, environment, problems)
    if not given.get("reports"):
        return Configuration(settings, access, accounts)
    from google_pipeline.definitions import reports  # noqa: PLC0415 - reads the catalog, which few runs need

    read = reports(given, settings.api_version)
    problems.errors += read.findings
    return Configuration(settings, access, accounts, read.queries, read.warnings)


def _settings(given: Mapping[str, Any], problems: Problems) -> Settings:
    """The settings; without those that are wrong, so that what follows is looked at too."""
    accounts = given.get("accounts")
    if isinstance(accounts, (list, tuple)):
        given = {**given, "accounts": [str(each) if isinstance(each, int) else each for each in accounts]}
    wrong = list(wrong_settings(given, Settings))
    problems.errors += wrong
    named = {error.message.split(":")[0] for error in wrong}
    own = {key: value for key, value in given.items() if key != "reports" and f"settings.{key}" not in named}
    settings = msgspec.convert(own, Settings)
    if settings.api_version not in VERSIONS:
        known = ", ".join(VERSIONS)
        problems.add(f"settings.api_version: this pipeline does not speak {settings.api_version}, but {known}")
    return settings


def _accounts(settings: Settings, environment: Mapping[str, str], problems: Problems) -> tuple[str, ...]:
    found = [problems.attempt(partial(customer_id, *pair)) for pair in _asked_for(settings, environment)]
    return tuple(dict.fromkeys(each for each in found if each))


def _asked_for(settings: Settings, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(account as it is written, where); from the first place that names any."""
    for source, text in (
        ("GOOGLE_CUSTOMER_IDS", environment.get("GOOGLE_CUSTOMER_IDS") or ""),
        ("settings.customer_ids", settings.customer_ids or ""),
        ("settings.accounts", ",".join(settings.accounts)),
    ):
        names = [each for each in text.split(",") if each.strip()]
        if names:
            yield from ((name, source) for name in names)
            return


def _access(settings: Settings, environment: Mapping[str, str], problems: Problems) -> Access:
    def own(name: str) -> str | None:
        return environment.get(f"GOOGLE_{name.upper()}") or getattr(settings, name)

    path = own("config_file")
    file = problems.attempt(lambda: read_yaml(Path(path))) if path else {}
    unread, file = file is None, file or {}

    def value(name: str) -> str | None:
        return own(name) or (str(file[name]) if file.get(name) else None)

    def endpoint(variable: str, default: str) -> str:
        return problems.attempt(lambda: checked_endpoint(variable, default, _VENDOR_HOSTS, environment)) or default

    manager = own("manager_customer_id") or file.get("login_customer_id")
    token_uri = endpoint("GOOGLE_TOKEN_URI", _DEFAULT_TOKEN_URI)
    common: dict[str, Any] = {
        "endpoint": endpoint("GOOGLE_ADS_ENDPOINT", DEFAULT_ENDPOINT).removeprefix("https://"),
        "manager_customer_id": manager
        and problems.attempt(lambda: customer_id(str(manager), _source_of_manager(own("manager_customer_id"), path))),
        "developer_token": value("developer_token"),
        "proxy": file.get("http_proxy"),
    }
    key_file = file.get("json_key_file_path")
    if key_file and not own("refresh_token"):
        key = problems.attempt(lambda: _key(Path(str(key_file)), token_uri, environment))
        return Access(
            **common,
            token_uri=key["token_uri"] if key else None,
            key_file=str(key_file),
            key=key,
            impersonated_email=file.get("impersonated_email"),
        )
    user = {name: value(name) or "" for name in _USER}
    missing = [name for name, each in user.items() if not each]
    if missing and not unread:
        problems.add(_missing(missing, path))
    for name, each in user.items():
        if each != each.strip() or any(character.isspace() for character in each):
            # The value is not quoted: it is the secret, with a blank in it.
            problems.add(f"GOOGLE_{name.upper()}: there is a blank or a line break in it; copy it again")
    return Access(
        **common,
        token_uri=token_uri,
        client_id=user["client_id"],
        client_secret=user["client_secret"],
        refresh_token=user["refresh_token"],
    )


def _key(path: Path, token_uri: str, environment: Mapping[str, str]) -> Mapping[str, Any]:
    """A service account's key, with the address that its assertions go to."""
    key = read_key_file(path)
    given = environment.get("GOOGLE_TOKEN_URI")
    return {**key, "token_uri": token_uri if given else checked_token_uri(str(key["token_uri"]), environment)}


def _source_of_manager(own: str | None, path: str | None) -> str:
    return "GOOGLE_MANAGER_CUSTOMER_ID" if own else f"{path}: login_customer_id"


def checked_token_uri(uri: str, environment: Mapping[str, str] = os.environ) -> str:
    """The token address that a service account's key file names, if a signed assertion may go there."""
    allowed = {**environment, "token_uri of the service account's key file": uri}
    return checked_endpoint("token_uri of the service account's key file", _DEFAULT_TOKEN_URI, _VENDOR_HOSTS, allowed)


def arrange_proxies(access: Access, environment: MutableMapping[str, str] = os.environ) -> None:
    """Name the proxy of google-ads.yaml, if it has one, and keep calls to this machine off any proxy.

    gRPC would tunnel even localhost through one.
    """
    if access.proxy:
        environment.setdefault("https_proxy", access.proxy)
    if not any(_LOOPBACK.match(address) for address in (access.endpoint, access.token_uri or "")):
        return
    usual = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    # requests reads the first, gRPC the second, which then hides the first from it.
    for variable, given in (("no_proxy", usual), ("no_grpc_proxy", environment.get("no_grpc_proxy") or usual)):
        environment[variable] = ",".join(filter(None, [given, "localhost", "127.0.0.1"]))


def _missing(missing: list[str], path: str | None) -> str:
    variables = ", ".join(f"GOOGLE_{name.upper()}" for name in missing)
    if path:
        return f"{path} has no {', '.join(missing)}, and {variables} is not set either"
    return f"set GOOGLE_CONFIG_FILE to a google-ads.yaml, or set {variables}"

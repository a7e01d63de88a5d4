"""What the operator decides: the settings of `--config`, and the credentials of the environment and google-ads.yaml."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from wire import Backoff, Kind, PipelineError, checked_endpoint

Days = Annotated[int, Meta(ge=1, le=1200)]
Positive = Annotated[float, Meta(gt=0)]

_DEFAULT_ENDPOINT = "googleads.googleapis.com"
_DEFAULT_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, no secret
_VENDOR_HOSTS = ("googleapis.com",)
_LOOPBACK = re.compile(r"^(https?://)?(localhost|127\.0\.0\.1|\[::1\])(:|/|$)")
_CUSTOMER_ID = re.compile(r"\d{10}")


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of `--config`. `accounts`: only these; empty means all that the login customer reaches.

    `request_timeout` is in seconds and limits one whole query, all its pages included.
    """

    accounts: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    start_date: str | None = None
    lookback_days: Annotated[int, Meta(ge=0, le=90)] = 30
    window_days: Days = 7
    request_timeout: Positive = 300.0
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
    impersonated_email: str | None = None
    proxy: str | None = None


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Check the settings; raises PipelineError (config) with the key and the reason."""
    known = Settings.__struct_fields__
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise PipelineError(
            Kind.CONFIG, f"settings.{unknown[0]}: there is no such setting; there are {', '.join(known)}"
        )
    if isinstance(given.get("accounts"), (list, tuple)):
        given = {**given, "accounts": [str(account) for account in given["accounts"]]}
    try:
        return msgspec.convert(given, Settings)
    except msgspec.ValidationError as cause:
        reason, _, path = str(cause).partition(" - at `$.")
        raise PipelineError(Kind.CONFIG, f"settings.{path.rstrip('`')}: {reason[0].lower()}{reason[1:]}") from cause


def wanted_accounts(settings: Settings, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The account filter, GOOGLE_CUSTOMER_IDS before `accounts`; empty means all."""
    text = environment.get("GOOGLE_CUSTOMER_IDS") or settings.customer_ids or ""
    names = [each for each in text.split(",") if each.strip()] or list(settings.accounts)
    return tuple(dict.fromkeys(customer_id(each, "GOOGLE_CUSTOMER_IDS or settings.accounts") for each in names))


def customer_id(text: str, source: str) -> str:
    """Ten digits, from either spelling; `123-456-7890` is how the UI shows it."""
    digits = text.strip().replace("-", "")
    if not _CUSTOMER_ID.fullmatch(digits):
        raise PipelineError(Kind.CONFIG, f"{source}: {text.strip()!r} is not a customer id like 123-456-7890")
    return digits


def read_access(settings: Settings, environment: Mapping[str, str] = os.environ) -> Access:
    """Collect the credentials: the environment wins over `--config`, and both over google-ads.yaml.

    Raises PipelineError (config) that names everything missing at once.
    """

    def own(name: str) -> str | None:
        return environment.get(f"GOOGLE_{name.upper()}") or getattr(settings, name)

    path = own("config_file")
    file = _read_yaml(Path(path)) if path else {}

    def value(name: str) -> str | None:
        return own(name) or (str(file[name]) if file.get(name) else None)

    manager = own("manager_customer_id") or file.get("login_customer_id")
    endpoint = checked_endpoint("GOOGLE_ADS_ENDPOINT", _DEFAULT_ENDPOINT, _VENDOR_HOSTS, environment)
    token_uri = checked_endpoint("GOOGLE_TOKEN_URI", _DEFAULT_TOKEN_URI, _VENDOR_HOSTS, environment)
    common: dict[str, Any] = {
        "endpoint": endpoint.removeprefix("https://"),
        "manager_customer_id": customer_id(str(manager), "GOOGLE_MANAGER_CUSTOMER_ID") if manager else None,
        "developer_token": value("developer_token"),
        "proxy": file.get("http_proxy"),
    }
    if file.get("json_key_file_path") and not own("refresh_token"):
        override = token_uri if environment.get("GOOGLE_TOKEN_URI") else None
        return Access(
            **common,
            token_uri=override,
            key_file=str(file["json_key_file_path"]),
            impersonated_email=file.get("impersonated_email"),
        )
    user = {name: value(name) for name in ("client_id", "client_secret", "refresh_token")}
    missing = [f"GOOGLE_{name.upper()}" for name, each in user.items() if not each]
    if missing:
        raise PipelineError(Kind.CONFIG, _missing(missing, path))
    return Access(**common, token_uri=token_uri, **{name: str(each) for name, each in user.items()})


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
    if path:
        keys = ", ".join(name.removeprefix("GOOGLE_").lower() for name in missing)
        return f"{path} has no {keys}, and {', '.join(missing)} is not set either"
    return f"set GOOGLE_CONFIG_FILE to a google-ads.yaml, or set {', '.join(missing)}"


def _read_yaml(path: Path) -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415 - comes with the SDK, and only a configuration file needs it

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or "it is not UTF-8 text"
        raise PipelineError(Kind.CONFIG, f"GOOGLE_CONFIG_FILE: {path} cannot be read: {reason}") from cause
    except yaml.YAMLError as cause:
        # The parser's own words quote the line, which may hold a secret.
        raise PipelineError(Kind.CONFIG, f"GOOGLE_CONFIG_FILE: {path} is not valid YAML") from cause
    if not isinstance(content, dict):
        raise PipelineError(Kind.CONFIG, f"GOOGLE_CONFIG_FILE: {path} does not hold keys and values")
    return content

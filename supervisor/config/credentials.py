"""Which environment variables one pipeline sees, which of them are secret, and which must be there.

A pipeline sees its own platform's variables, those that any program needs, and what `pass_environment` names; never
another platform's and never the sink's. Wherever NAME is read, a file named by NAME_FILE (a mounted secret) serves as
well, and so does a file called NAME in SECRETS_DIRECTORY.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from supervisor.config.errors import ConfigError
from supervisor.config.redaction import secrets_within, spellings
from supervisor.config.secret_files import value_in_files


@frozen(kw_only=True)
class PlatformVariables:
    """The variables of one platform. `required` lists alternatives: one of them must be there in full."""

    secret: tuple[str, ...]
    plain: tuple[str, ...]
    required: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.secret + self.plain


BUILT_IN: Mapping[str, PlatformVariables] = {
    "google": PlatformVariables(
        secret=("GOOGLE_CLIENT_SECRET", "GOOGLE_REFRESH_TOKEN", "GOOGLE_DEVELOPER_TOKEN"),
        plain=(
            "GOOGLE_CONFIG_FILE",
            "GOOGLE_CLIENT_ID",
            "GOOGLE_MANAGER_CUSTOMER_ID",
            "GOOGLE_CUSTOMER_IDS",
            "GOOGLE_ADS_ENDPOINT",
            "GOOGLE_TOKEN_URI",
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
            "grpc_proxy",
            "no_grpc_proxy",
            "GRPC_VERBOSITY",
        ),
        required=(
            ("GOOGLE_CONFIG_FILE",),
            ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "GOOGLE_REFRESH_TOKEN"),
        ),
    ),
    "microsoft": PlatformVariables(
        secret=("MICROSOFT_CLIENT_SECRET", "MICROSOFT_DEVELOPER_TOKEN", "MICROSOFT_REFRESH_TOKEN"),
        plain=(
            "MICROSOFT_CLIENT_ID",
            "MICROSOFT_TENANT_ID",
            "MICROSOFT_ACCOUNT_IDS",
            "MICROSOFT_TOKEN_STORE",
            "MICROSOFT_API_URL",
            "MICROSOFT_TOKEN_URL",
        ),
        required=(
            (
                "MICROSOFT_CLIENT_ID",
                "MICROSOFT_CLIENT_SECRET",
                "MICROSOFT_DEVELOPER_TOKEN",
                "MICROSOFT_REFRESH_TOKEN",
            ),
        ),
    ),
    "facebook": PlatformVariables(
        secret=("FACEBOOK_APP_SECRET", "FACEBOOK_ACCESS_TOKEN"),
        plain=("FACEBOOK_APP_ID", "FACEBOOK_AD_ACCOUNT_IDS", "FACEBOOK_GRAPH_URL"),
        required=(("FACEBOOK_ACCESS_TOKEN", "FACEBOOK_APP_ID", "FACEBOOK_APP_SECRET"),),
    ),
    "linkedin": PlatformVariables(
        secret=("LINKEDIN_CLIENT_SECRET", "LINKEDIN_ACCESS_TOKEN", "LINKEDIN_REFRESH_TOKEN"),
        plain=("LINKEDIN_CLIENT_ID", "LINKEDIN_AD_ACCOUNT_IDS", "LINKEDIN_API_URL", "LINKEDIN_TOKEN_URL"),
        required=(
            ("LINKEDIN_ACCESS_TOKEN",),
            ("LINKEDIN_REFRESH_TOKEN", "LINKEDIN_CLIENT_ID", "LINKEDIN_CLIENT_SECRET"),
        ),
    ),
}

SINK_SECRETS = ("VERTICA_PASSWORD", "AZURE_STORAGE_CONNECTION_STRING")
SINK_VARIABLES = frozenset({
    *("VERTICA_HOST", "VERTICA_PORT", "VERTICA_DATABASE", "VERTICA_USER", "VERTICA_TLSMODE", "VERTICA_CA_FILE"),
    *("VERTICA_BACKUP_NODES", "VERTICA_TIMEOUT", "AZURE_TABLE_NAME", "SINGER_TARGET_COMMAND"),
    *("SINGER_TARGET_ENVIRONMENT", "SINGER_TARGET_TIMEOUT", "SINGER_STATE_PATH", *SINK_SECRETS),
})  # fmt: skip

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
ALWAYS_VISIBLE = (
    *("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LOG_LEVEL", "PIPELINE_NOW", "ALLOW_INSECURE_ENDPOINTS"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *_PROXIES,
)

_PROXY_PASSWORD = re.compile(r"//[^/@]*?:([^/@]+)@")
_KEPT_IN_FILES = re.compile(r"(?:developer_token|client_secret|refresh_token|password)[\"']?\s*:\s*[\"']?([^\s\"',}]+)")


def value_of(name: str, environ: Mapping[str, str]) -> str | None:
    """NAME, or what a file says instead (NAME_FILE, SECRETS_DIRECTORY); an empty value counts as none.

    Raises ConfigError where a file that should say it cannot be read.
    """
    return environ.get(name) or value_in_files(name, environ)


def visible_environment(
    platform: str, pass_environment: Iterable[str] = (), environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """What the platform's process gets as its whole environment. Raises ConfigError for unreadable secret files."""
    visible = {name: environ[name] for name in ALWAYS_VISIBLE if name in environ}
    visible.update((name, value) for name, value in environ.items() if name.startswith("LC_"))
    own = BUILT_IN[platform].names if platform in BUILT_IN else ()
    findings: list[str] = []
    for name in (*own, *pass_environment):
        try:
            value = value_of(name, environ)
        except ConfigError as error:
            findings.extend(error.findings)
        else:
            if value is not None:
                visible[name] = value
    if findings:
        raise ConfigError(findings)
    return visible


def missing_credentials(
    platform: str, environ: Mapping[str, str] = os.environ, settings: Mapping[str, Any] | None = None
) -> str | None:
    """One sentence about what a built-in platform still needs, or None; of other platforms nothing is known.

    A pipeline also takes GOOGLE_CLIENT_ID as `client_id` from its settings, and so on.
    """
    if platform not in BUILT_IN:
        return None
    alternatives = BUILT_IN[platform].required
    given = {f"{platform}_{key}".upper() for key, value in (settings or {}).items() if value}
    try:
        lacking = [
            tuple(name for name in names if name not in given and value_of(name, environ) is None)
            for names in alternatives
        ]
    except ConfigError as error:
        return f"platform {platform!r}: {error}"
    if not all(lacking):
        return None
    choices = ", or ".join(_enumerated(names) for names in alternatives)
    started = [missing for names, missing in zip(alternatives, lacking, strict=True) if len(missing) < len(names)]
    missing = (
        f"{_enumerated(started[0])} {'is' if len(started[0]) == 1 else 'are'} not set" if started else "none is set"
    )
    return f"platform {platform!r} has no credentials: set {choices}; {missing}"


def secret_values(
    environ: Mapping[str, str] = os.environ, names: Iterable[str] = (), settings: Iterable[Mapping[str, Any]] = ()
) -> frozenset[str]:
    """All secrets in `environ` and `settings`, as a log could spell them; `names` are further secret variables."""
    values = (*_secrets(environ, names), *(value for each in settings for value in secrets_within(each)))
    return frozenset(spelling for value in dict.fromkeys(values) for spelling in spellings(value))


def _secrets(environ: Mapping[str, str], names: Iterable[str]) -> Iterator[str]:
    for name in (*(name for own in BUILT_IN.values() for name in own.secret), *SINK_SECRETS, *names):
        value = _readable(name, environ)
        if value:
            yield value
            yield from secrets_within(value)
            yield from re.findall(r"(?:AccountKey|SharedAccessSignature)=([^;]+)", value)
    for name in _PROXIES:
        found = _PROXY_PASSWORD.search(environ.get(name, ""))
        if found:
            yield found.group(1)
    for name in ("GOOGLE_CONFIG_FILE", "MICROSOFT_TOKEN_STORE"):
        yield from _in_file(_readable(name, environ))


def _readable(name: str, environ: Mapping[str, str]) -> str | None:
    """The value, or None also where its file cannot be read, which a check has said before."""
    try:
        return value_of(name, environ)
    except ConfigError:
        return None


def _in_file(path: str | None) -> list[str]:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError):
        return []
    return _KEPT_IN_FILES.findall(text)


def _enumerated(names: tuple[str, ...]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

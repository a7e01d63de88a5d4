"""The walk through one consent: what is needed, the owner's answer, what is kept, when it ends, and the accounts."""

from __future__ import annotations

import datetime as dt
import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path

import click
import yaml
from attrs import frozen

from supervisor.cli import exit_codes
from supervisor.cli.consent import Consent, Granted
from supervisor.cli.keeping import (
    DEFAULT,
    Place,
    before_the_first,
    check_writable,
    keep,
    not_read,
    occupied,
    place_for,
    printed,
)
from supervisor.cli.options import CONFIG
from supervisor.cli.printing import print_lines
from supervisor.cli.redirect import Loopback, awaited, redirect_address
from supervisor.cli.token_exchange import Client
from supervisor.config.credentials import value_of
from supervisor.config.errors import ConfigError
from supervisor.config.schema import PlatformConfig, load_orchestrator_config
from supervisor.config.vendors import FIXED_PORT, VENDORS, Vendor, endpoints, told_end
from supervisor.report.display import say, table
from supervisor.run.account_list import account_list
from supervisor.run.registry import PlatformRegistry, create_default_registry
from wire.days import now
from wire.failures import PipelineError

_NO_BROWSER = "No browser could be opened here: open the address above in one."
_SCREENS = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")


@frozen(kw_only=True)
class Wishes:
    """What the command line says; `browser` is whether to open one, and catch the answer, on this machine."""

    platform: str
    config: Path
    to: Path | None
    printing: bool
    replace: bool
    browser: bool
    port: int | None
    redirect: str | None
    timeout: float


def authorize(wishes: Wishes) -> int:
    """All that `supervisor authorize` does, to its exit code; whatever can be wrong is found before the consent.

    Raises ConfigError for what must be mended first, AuthorizationError where the consent leads to no token.
    """
    vendor = VENDORS[wishes.platform]
    # Only the default may be missing: before `supervisor init` there is nothing to say about a platform.
    is_there = wishes.config.exists() or wishes.config != CONFIG
    configured = load_orchestrator_config(wishes.config) if is_there else None
    environ, instant = before_the_first(os.environ), _now()
    addresses = endpoints(vendor, environ)
    own = next((each for each in configured.platforms if each.name == wishes.platform), None) if configured else None
    known = _known_client(wishes.platform, vendor, own, environ)
    lacking = [name for name in vendor.client if name not in known]
    try:
        _check_client(wishes, vendor, lacking)
        place = _place(wishes, vendor, lacking)
        typed = {name: _asked(name) for name in lacking}
        client = Client(id=(known | typed)[vendor.client[0]], secret=(known | typed)[vendor.client[1]])
        granted = _consented(wishes, vendor, lambda redirect: Consent(vendor, addresses, client, redirect))
    except (KeyboardInterrupt, click.Abort):
        say("error: interrupted before there was an answer; nothing was stored")
        return exit_codes.INTERRUPTED
    values = {**typed, granted.token.variable: granted.value}
    show = say if wishes.printing else _print
    if place is None:
        print_lines(printed(values))
    else:
        for file in keep(place, values):
            show(f"{file} is written")
    show(f"{granted.token.variable} {told_end(granted.token, granted.answer, instant)}")
    for sentence in (*not_read(place, values, os.environ), *_hidden_by_better(vendor, granted, environ)):
        show(sentence)
    registry = create_default_registry()
    _show_accounts(
        wishes.platform,
        registry.with_configured(configured) if configured else registry,
        own,
        {**known, **values},
        show,
    )
    return 0


def _now() -> dt.datetime:
    try:
        return now()
    except PipelineError as wrong:
        raise ConfigError(wrong.message) from wrong


def _hidden_by_better(vendor: Vendor, granted: Granted, environ: Mapping[str, str]) -> list[str]:
    """A better kind of token that is still set is what the pipeline would go on using."""
    before = vendor.tokens[: vendor.tokens.index(granted.token)]
    return [
        f"{better.variable} is set too, and is used before {granted.token.variable}: take it away"
        for better in before
        if value_of(better.variable, environ)
    ]


def _known_client(
    platform: str, vendor: Vendor, own: PlatformConfig | None, environ: Mapping[str, str]
) -> dict[str, str]:
    """The client's id and secret as far as a run would find them: variables, settings, google-ads.yaml."""
    settings = own.settings if own else {}
    yaml_file = value_of("GOOGLE_CONFIG_FILE", environ) if platform == "google" else None
    file = _google_ads_yaml(Path(yaml_file).expanduser()) if yaml_file else {}
    found = {}
    for name in vendor.client:
        key = name.removeprefix(f"{platform.upper()}_").lower()
        value = value_of(name, environ) or settings.get(key) or file.get(key)
        if value:
            found[name] = str(value).strip()
    return found


def _google_ads_yaml(path: Path) -> Mapping[str, object]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as cause:
        reason = getattr(cause, "strerror", None) or "it is no YAML text"
        raise ConfigError(f"GOOGLE_CONFIG_FILE names {path}, which cannot be read: {reason}") from cause
    return content if isinstance(content, dict) else {}


def _check_client(wishes: Wishes, vendor: Vendor, lacking: list[str]) -> None:
    if not lacking:
        return
    registers = vendor.registers.format(redirect=_by_hand(wishes, vendor))
    if not sys.stdin.isatty():
        raise ConfigError(
            f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not set (NAME, NAME_FILE or a file in "
            f"SECRETS_DIRECTORY); {vendor.name} gives them to who registers there: {registers}"
        )
    say(f"{vendor.name} must know this application: register {registers}.")


def _asked(name: str) -> str:
    secret = name.endswith("_SECRET")
    value: str = click.prompt(name, hide_input=secret, err=True)
    return value.strip()


def _place(wishes: Wishes, vendor: Vendor, lacking: list[str]) -> Place | None:
    """Where to keep what comes, asked about where nothing says it; None for printing."""
    if wishes.printing:
        if wishes.to is not None:
            raise ConfigError("--to and --print: choose one")
        return None
    place = place_for(wishes.to, [vendor.tokens[0].variable, *lacking], os.environ)
    if place is None:
        place = Place(wishes.config.absolute().parent / DEFAULT)
        if not sys.stdin.isatty():
            raise ConfigError(
                f"say where to keep what {vendor.name} gives: --to {place.path} (any directory), SECRETS_DIRECTORY, "
                "or --print"
            )
        if not click.confirm(f"Keep the token in {place.path}?", default=True, err=True):
            raise ConfigError("--to names another directory, --print prints the variables; nothing was done")
    check_writable(place)
    there = occupied(place, [*(token.variable for token in vendor.tokens), *lacking])
    if there and not wishes.replace:
        named = " and ".join(map(str, there))
        are = "is" if len(there) == 1 else "are"
        if not sys.stdin.isatty() or not click.confirm(f"{named} {are} there already; replace?", err=True):
            hint = "--replace replaces, --to names another place"
            raise ConfigError(f"{named} {are} there already, and nothing was done; {hint}")
    return place


def _consented(wishes: Wishes, vendor: Vendor, ask: Callable[[str], Consent]) -> Granted:
    """What the owner's answer leads to. An answer's second coming gets its page while the first is worked on."""
    if not wishes.browser:
        consent = ask(wishes.redirect or _by_hand(wishes, vendor))
        say(f"Open this address in a browser, anywhere:\n\n{consent.address}\n")
        say(
            f"Then paste the address that the browser was sent to ({consent.redirect}…; it need not show a page), or "
            "the code in it, and press Enter:"
        )
        return consent.granted(awaited(None, wishes.timeout, typed=True))
    loopback = Loopback(vendor.host, vendor.port if wishes.port is None else wishes.port, vendor.path)
    try:
        consent = ask(loopback.address)
        say(f"{vendor.name} asks for your consent in the browser; if none opens, open this address:")
        say(f"\n{consent.address}\n")
        say(f"The answer is awaited at {consent.redirect} for {wishes.timeout:g} s (Ctrl-C ends it).")
        if vendor.port:
            registers = vendor.registers.format(redirect=consent.redirect)
            say(f"{vendor.name} refuses this unless you registered {registers}.")
        if sys.stdin.isatty():
            say("If the browser is on another machine, paste the address that it was sent to, and press Enter.")
        if sys.platform == "linux" and not any(os.environ.get(name) for name in _SCREENS):
            # There are browsers for terminals only, which can show no vendor's page.
            say(_NO_BROWSER)
        else:
            threading.Thread(target=_open, args=(consent.address,), daemon=True).start()
        return consent.granted(awaited(loopback, wishes.timeout, typed=sys.stdin.isatty()))
    finally:
        loopback.close()


def _by_hand(wishes: Wishes, vendor: Vendor) -> str:
    """The redirect address of an answer that is pasted, and the one to register."""
    return redirect_address(vendor.host, wishes.port or vendor.port or FIXED_PORT, vendor.path)


def _open(address: str) -> None:
    """In a thread of its own, because some browsers hold whoever starts them until they are closed."""
    try:
        opened = webbrowser.open(address)
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        say(_NO_BROWSER)


def _show_accounts(
    name: str,
    registry: PlatformRegistry,
    own: PlatformConfig | None,
    values: Mapping[str, str],
    show: Callable[[str], None],
) -> None:
    """What the platform's own pipeline finds with what was kept; where it cannot be asked, why."""
    if own is not None and own.command is not None:
        show(f"The accounts are not listed: platform {name!r} has a command of its own.")
        return
    try:
        pipeline = registry.get_pipeline(name, values)
    except ConfigError as error:
        show(f"The accounts of this login cannot be listed yet: {error}")
        return
    say("Asking for the accounts that this login can see…")
    found = account_list(pipeline, own.given if own else {}, run_as=own.run_as if own else None)
    if found.accounts:
        show("")
        for line in table([("account", "name", "currency", "status"), *found.rows]):
            show(line)
        show("")
    for problem in found.problems:
        show(f"warning: {problem}")
    if not found.accounts and not found.problems:
        show("warning: this login can see no account; give its user access, or authorize as another one")


def _print(line: str) -> None:
    print_lines([line])

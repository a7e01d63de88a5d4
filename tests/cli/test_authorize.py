"""`supervisor authorize` against the vendors' consent pages in the sandbox; a plain HTTP client plays the browser."""

from __future__ import annotations

import contextlib
import http.client
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from attrs import astuple, evolve
from starting import SUPERVISOR, Forked, ForkedSandbox

from sandbox.facebook import oauth as facebook
from sandbox.faults import Faults
from sandbox.google import oauth as google
from sandbox.linkedin import oauth as linkedin
from sandbox.microsoft import oauth as microsoft
from sandbox.pace import Pace
from supervisor.cli.consent import Consent
from supervisor.cli.keeping import keep, not_read, place_for
from supervisor.cli.main import main
from supervisor.cli.redirect import pasted, redirect_address
from supervisor.cli.token_exchange import Client
from supervisor.config.errors import AuthorizationError, ConfigError
from supervisor.config.vendors import VENDORS, endpoints

PLATFORMS = tuple(VENDORS)
PATIENCE = 120
CLIENTS = {
    "google": Client(id=google.CLIENT_ID, secret=google.CLIENT_SECRET),
    "microsoft": Client(id=microsoft.CLIENT_ID, secret=microsoft.CLIENT_SECRET),
    "facebook": Client(id=facebook.APP_ID, secret=facebook.APP_SECRET),
    "linkedin": Client(id=linkedin.CLIENT_ID, secret=linkedin.CLIENT_SECRET),
}
DENIED = {
    "google": "access_denied",
    "microsoft": "access_denied: AADSTS65004: User declined to consent to access the app",
    "facebook": "access_denied: Permissions error",
    "linkedin": "user_cancelled_authorize: The user cancelled the authorization",
}
USED = {
    "google": "invalid_grant: Malformed auth code",
    "microsoft": "invalid_grant: AADSTS54005: OAuth2 Authorization code was already redeemed",
    "facebook": "100: This authorization code has been used",
    "linkedin": "invalid_request: Unable to retrieve access token",
}
WRONG_SECRET = {
    "google": "invalid_client: Unauthorized",
    "microsoft": "invalid_client: AADSTS7000215: Invalid client secret provided",
    "facebook": "1: Error validating client secret",
    "linkedin": "invalid_client: Client authentication failed",
}
WRONG = {
    "google": "redirect_uri_mismatch: Bad Request",
    "microsoft": "invalid_grant: AADSTS500112",
    "facebook": "100: Error validating verification code. Please make sure your redirect_uri is identical",
    "linkedin": "invalid_request: Unable to retrieve access token",
}


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[Mapping[str, str]]:
    """The variables of all four platforms' sandbox, with clients and without any token; of Google the OAuth alone."""
    endpoint = google.TokenEndpoint(google.Tokens(), Faults(), threading.Event(), Pace())
    own = {
        "GOOGLE_TOKEN_URI": endpoint.uri,
        **dict(zip(VENDORS["google"].client, astuple(CLIENTS["google"]), strict=True)),
    }
    with ForkedSandbox(("microsoft", "facebook", "linkedin"), options=("--size", "tiny")) as sandbox:
        yield clients_only(sandbox.environment) | own
    endpoint.close()


def clients_only(environment: Mapping[str, str]) -> dict[str, str]:
    tokens = [token.variable for vendor in VENDORS.values() for token in vendor.tokens]
    return {name: value for name, value in environment.items() if name not in tokens}


class Walk:
    """One `supervisor authorize`, and the owner in front of it. Whatever hangs is killed, and fails its test."""

    def __init__(self, house: Any, environment: Mapping[str, str], *arguments: str, **variables: str) -> None:
        self.process = Forked(
            [SUPERVISOR, "authorize", *arguments], cwd=house.directory,
            env={**house.environment, **environment, **variables}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._watch = threading.Timer(PATIENCE, self.process.kill)
        self._watch.start()
        self._said: list[str] = []

    def address(self) -> str:
        """The address of the consent page, once it is told."""
        return self.until("http")

    def until(self, beginning: str) -> str:
        """The next line of standard error that begins so."""
        assert self.process.stderr is not None
        while line := self.process.stderr.readline():
            self._said.append(line)
            if line.startswith(beginning):
                return line.strip()
        raise AssertionError("".join(self._said))

    def ended(self, typed: str = "") -> tuple[int, str, str]:
        """Exit code, standard output, and all of standard error, after the owner `typed` something."""
        assert self.process.stdin is not None and self.process.stdout is not None and self.process.stderr is not None
        with contextlib.suppress(BrokenPipeError), self.process.stdin as terminal:
            terminal.write(typed)
        # Neither is long enough to fill its pipe while the other is read.
        with self.process.stderr as err, self.process.stdout as out:
            self._said.append(err.read())
            printed = out.read()
        status = self.process.wait(PATIENCE)
        self._watch.cancel()
        return status, printed, "".join(self._said)


@pytest.fixture
def walk(house: Any, sandboxed: Mapping[str, str]) -> Callable[..., Walk]:
    def start(*arguments: str, **variables: str) -> Walk:
        return Walk(house, sandboxed, *arguments, **variables)

    return start


def fetched(method: str, address: str, body: str | None = None) -> http.client.HTTPResponse:
    """One request, without following a redirect."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", body, headers)
    response = connection.getresponse()
    response.text = response.read().decode()
    connection.close()
    return response


def pressed(button: str, address: str) -> str:
    """Where the browser is sent by the consent page's button."""
    page = fetched("GET", address)
    assert page.status == 200, page.text
    fields = {
        unescape(name): unescape(value) for name, value in re.findall(r'name="([^"]*)" value="([^"]*)">', page.text)
    }
    fields.pop("decision", None)
    parts = urlsplit(address)
    answer = fetched("POST", f"{parts.scheme}://{parts.netloc}{parts.path}", urlencode({**fields, "decision": button}))
    assert answer.status == 302, answer.text
    return answer.headers["Location"]


def sentence(err: str) -> str:
    """The one error of a run."""
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "Traceback" not in err
    return line


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_code_is_good_once_for_its_own_question_and_client(sandboxed: Mapping[str, str], platform: str) -> None:
    """Each refusal is in the vendor's own words, without what is secret; the question holds what the vendor wants."""
    vendor, client = VENDORS[platform], CLIENTS[platform]
    redirect = redirect_address(vendor.host, 8765, vendor.path)
    consent = Consent(vendor, endpoints(vendor, sandboxed), client, redirect)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(consent.address).query).items()}
    assert asked["scope"] == vendor.separator.join(vendor.scopes) and asked["redirect_uri"] == redirect
    assert ("code_challenge" in asked) == vendor.pkce and client.secret not in consent.address
    given = pressed("allow", consent.address)
    granted = consent.granted(pasted(given))
    assert granted.token is vendor.tokens[0] and granted.value not in repr(granted)
    strange = evolve(consent, client=evolve(client, secret="not-the-secret-of-anybody"))
    questions = [
        (
            consent,
            pressed("deny", consent.address),
            f"the consent was refused ({DENIED[platform]}); nothing was stored",
        ),
        (consent, given, USED[platform]),
        (strange, pressed("allow", strange.address), WRONG_SECRET[platform]),
        (
            evolve(consent, redirect=redirect.replace("8765", "8766")),
            pressed("allow", consent.address),
            WRONG[platform],
        ),
    ]
    if vendor.pkce:
        questions.append((evolve(consent, verifier="x" * 64), pressed("allow", consent.address), "erifier"))
    for question, answer, says in questions:
        with pytest.raises(AuthorizationError) as refused:
            question.granted(pasted(answer))
        told = str(refused.value)
        assert says in told
        code = parse_qs(urlsplit(answer).query).get("code", ["-----"])[0]
        assert not any(word in told for word in (code, question.client.secret, question.verifier))
        assert ("check " + " and ".join(vendor.client) in told) == (question is strange)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("http://localhost:8765/callback?code=abc&state=forged", "the answer has another state"),
        ("http://localhost:8765/callback?code=abc", "the answer has no state"),
        ("http://localhost:8765/callback", "the pasted address has no answer in it"),
        ("'code=&state=mine'", "the answer holds no code"),
        ("?error=invalid_scope&error_description=%22r_ads%22+%1b%5b2J", 'no consent (invalid_scope: "r_ads" \\x1b[2J)'),
        ("code=1&state=mine&granted_scopes=public_profile", "the consent does not include ads_read"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none(sandboxed: Mapping[str, str], typed: str, says: str) -> None:
    vendor = VENDORS["facebook"]
    consent = Consent(vendor, endpoints(vendor, sandboxed), CLIENTS["facebook"], "http://localhost:8765/callback")
    if "granted_scopes" in typed:
        code = parse_qs(urlsplit(pressed("allow", consent.address)).query)["code"][0]
        typed = typed.replace("code=1", f"code={code}")
    with pytest.raises(AuthorizationError, match=re.escape(says)):
        consent.granted(pasted(typed.replace("mine", consent.state)))


def test_a_bare_code_can_be_pasted_as_the_address_spells_it() -> None:
    assert pasted(" 4%2F0AbC\n") == {"code": "4/0AbC"}


def test_what_is_no_answer_is_waited_past_and_the_first_answer_counts(walk: Any, house: Any) -> None:
    started = walk("facebook", "--to", "kept", "--port", "0")
    address = started.address()
    redirect = parse_qs(urlsplit(address).query)["redirect_uri"][0]
    assert re.fullmatch(r"http://localhost:\d+/callback", redirect)
    base = redirect.removesuffix("/callback")
    assert fetched("GET", f"{base}/favicon.ico").status == 404
    assert fetched("GET", f"{base}/?code=1&state=2").status == 404
    assert fetched("HEAD", redirect).status == 501
    assert fetched("POST", redirect, "code=1").status == 501
    assert fetched("GET", redirect).status == 400
    assert fetched("GET", f"{redirect}?%ff%00&state=x&&&").status == 400
    port = urlsplit(redirect).port
    with socket.create_connection(("127.0.0.1", port)) as silent, socket.create_connection(("127.0.0.1", port)) as rude:
        rude.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        answer = fetched("GET", pressed("deny", address))
        silent.close()
    assert answer.status == 200 and "no-store" in answer.headers["Cache-Control"]
    with contextlib.suppress(ConnectionError):  # it may have ended by now
        assert fetched("GET", f"{redirect}?code=later&state=x").status == 409
    status, _, err = started.ended()
    assert (status, sentence(err)) == (1, f"error: the consent was refused ({DENIED['facebook']}); nothing was stored")
    assert "No browser could be opened here" in err and f"registered the redirect address {redirect}" in err


def test_what_is_wrong_before_the_consent_asks_nobody(
    tmp_path: Path, sandboxed: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept" / "LINKEDIN_REFRESH_TOKEN").mkdir(parents=True)
    (tmp_path / "full").mkdir()
    full = tmp_path / "full" / "LINKEDIN_REFRESH_TOKEN"
    full.write_text("old")
    monkeypatch.chdir(tmp_path)
    for name, value in sandboxed.items():
        monkeypatch.setenv(name, value)

    def refused(*arguments: str, **variables: str) -> str:
        with pytest.MonkeyPatch.context() as context:
            for name, value in variables.items():
                context.setenv(name, value)
            with pytest.raises(SystemExit) as end:
                main(["authorize", *arguments])
        out, err = capsys.readouterr()
        assert (end.value.code, out) == (1, ""), err
        return sentence(err)

    assert "say where to keep what LinkedIn gives: --to" in refused("linkedin")
    assert "is a directory, and a value is to be kept there" in refused("linkedin", "--to", "kept")
    assert f"{full.relative_to(tmp_path)} is there already, and nothing was done" in refused("linkedin", "--to", "full")
    assert "is there already, and nothing was done" in refused("linkedin", LINKEDIN_REFRESH_TOKEN_FILE=str(full))
    assert "is not a directory" in refused("linkedin", "--to", "full/LINKEDIN_REFRESH_TOKEN/deeper")
    assert "--to and --print: choose one" in refused("linkedin", "--to", "new", "--print")
    assert "LINKEDIN_CLIENT_ID and LINKEDIN_CLIENT_SECRET are not set" in refused(
        "linkedin", "--print", LINKEDIN_CLIENT_ID="", LINKEDIN_CLIENT_SECRET=""
    )
    assert "GOOGLE_CONFIG_FILE names nowhere.yaml, which cannot be read" in refused(
        "google", "--print", GOOGLE_CONFIG_FILE="nowhere.yaml"
    )
    assert "PIPELINE_NOW: 'soon' is not an ISO 8601 instant" in refused("linkedin", "--print", PIPELINE_NOW="soon")
    evil = {"LINKEDIN_TOKEN_URL": "http://evil.example/oauth"}
    assert "LINKEDIN_TOKEN_URL points to http://evil.example" in refused("linkedin", "--print", **evil)
    assert "there was no answer within 0.2 s" in refused("linkedin", "--print", "--port", "0", "--timeout", "200ms")
    assert "nowhere.yml" in refused("linkedin", "--print", "--config", "nowhere.yml")
    assert "--redirect: expected an address like https://" in refused(
        "facebook", "--print", "--redirect", "example.com"
    )
    assert "--port: expected a port from 1 to 65535" in refused("facebook", "--print", "--port", "65536")
    assert "PLATFORM: expected one of google, microsoft, facebook, linkedin" in refused("linkdin")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port} of localhost is in use; --port names another" in refused(
            "linkedin", "--print", "--port", port
        )
    assert full.read_text() == "old" and not (tmp_path / "new").exists()


def test_where_a_value_is_kept_and_what_keeps_it_from_being_read(tmp_path: Path) -> None:
    file, other = tmp_path / "token", tmp_path / "other"
    file.touch()
    name = "LINKEDIN_REFRESH_TOKEN"
    named, directory = {f"{name}_FILE": str(file)}, {"SECRETS_DIRECTORY": str(other)}
    assert place_for(None, [name], {}) is None
    for value, (place, environ, kept, told) in enumerate((
        (place_for(None, [name], {**named, **directory}), named, file, []),
        (place_for(None, [name, "LINKEDIN_CLIENT_ID"], named), named, file, []),
        (place_for(None, [name], directory), directory, other / name, []),
        (place_for(file, [name], directory), directory, file, [f"for the runs, set {name}_FILE={file}"]),
        (place_for(other, [name], {}), {}, other / name, [f"for the runs, set SECRETS_DIRECTORY={other}"]),
        (place_for(other, [name], named), named, other / name, [f"{name}_FILE names {file}, which is read before: let it name {other / name}"]),
        (place_for(other, [name], directory), {name: "old"}, other / name, [f"{name} is set in the environment and is read before the file: unset it"]),
    )):  # fmt: skip
        values = {name: f"token-{value}"}
        assert place is not None and keep(place, values) == [kept]
        assert kept.read_text() == f"token-{value}\n" and kept.stat().st_mode & 0o777 == 0o600
        assert not_read(place, values, environ) == told
    assert other.stat().st_mode & 0o777 == 0o700
    beside = place_for(None, [name, "LINKEDIN_CLIENT_ID"], named)
    assert beside is not None and beside.file_of("LINKEDIN_CLIENT_ID") == tmp_path / "LINKEDIN_CLIENT_ID"
    with pytest.raises(ConfigError, match="is a file, and LINKEDIN_REFRESH_TOKEN, LINKEDIN_CLIENT_ID are to be kept"):
        place_for(file, [name, "LINKEDIN_CLIENT_ID"], {})


def test_ctrl_c_while_it_waits(walk: Any) -> None:
    started = walk("google", "--print", BROWSER="/nowhere/browser")
    started.address()
    started.until("No browser could be opened here")
    started.process.send_signal(signal.SIGINT)
    status, out, err = started.ended()
    assert (status, out) == (130, "") and "interrupted before there was an answer; nothing was stored" in sentence(err)


def test_an_address_elsewhere_and_an_end_of_input(walk: Any) -> None:
    started = walk("facebook", "--print", "--redirect", "https://example.com/callback")
    asked = parse_qs(urlsplit(started.address()).query)
    assert asked["redirect_uri"] == ["https://example.com/callback"]
    status, out, err = started.ended()
    assert (status, out) == (1, "") and "standard input ended without the address" in sentence(err)


def test_without_a_refresh_token(house: Any) -> None:
    """Google and Microsoft would fail in an hour; LinkedIn's application is not approved, and has sixty days."""
    faults = {"microsoft": ["no_refresh_token"], "linkedin": ["no_refresh_token"]}
    with ForkedSandbox(("microsoft", "linkedin"), options=("--size", "tiny"), faults=faults) as sandbox:
        environment = {**clients_only(sandbox.environment), "PIPELINE_NOW": "2026-11-20T12:00:00Z"}
        short = Walk(house, environment, "microsoft", "--no-browser", "--to", "kept")
        poor = Walk(house, environment, "linkedin", "--no-browser", "--print")
        status, _, err = short.ended(pressed("allow", short.address()) + "\n")
        assert status == 1 and "Microsoft answered without a refresh token" in sentence(err)
        assert not (house.directory / "kept").exists()
        status, out, err = poor.ended(pressed("allow", poor.address()) + "\n")
    assert status == 0, err
    assert out == "LINKEDIN_ACCESS_TOKEN=sandbox-linkedin-access-token-1\n"
    assert "LINKEDIN_ACCESS_TOKEN ends on 2027-01-19; LinkedIn gives refresh tokens" in err


def test_at_a_terminal_it_asks_for_what_is_missing(house: Any, sandboxed: Mapping[str, str]) -> None:
    """Client, secret (not shown) and place; then the pasted answer, the files, when it ends, and the accounts."""
    own, other = pty.openpty()
    environment = {name: value for name, value in sandboxed.items() if not name.startswith("LINKEDIN_CLIENT")}
    process = subprocess.Popen(
        [SUPERVISOR, "authorize", "linkedin"], cwd=house.directory, stdin=other, stdout=other, stderr=other,
        env={**house.environment, **environment, "PIPELINE_NOW": "2026-11-20T12:00:00Z", "COLUMNS": "500"},
        start_new_session=True,
    )  # fmt: skip
    os.close(other)
    watch = threading.Timer(PATIENCE, process.kill)
    watch.start()
    seen = ""

    def until(pattern: str) -> re.Match[str]:
        nonlocal seen
        while (found := re.search(pattern, seen)) is None:
            try:
                seen += os.read(own, 65536).decode()
            except OSError:  # the other end is closed
                raise AssertionError(f"{pattern} in {seen}") from None
        return found

    until(r"Keep the token in \S+/secrets\?")
    os.write(own, b"\n")
    until("LINKEDIN_CLIENT_ID: ")
    os.write(own, linkedin.CLIENT_ID.encode() + b"\n")
    until("LINKEDIN_CLIENT_SECRET: ")
    os.write(own, linkedin.CLIENT_SECRET.encode() + b"\n")
    address = until(r"\r\n(http://\S+oauth/v2/authorization\S+)\r\n")[1]
    until("paste the address")
    os.write(own, pressed("allow", address).encode() + b"\n")
    with contextlib.suppress(AssertionError):
        until("no such words, so that everything is read")
    assert process.wait(PATIENCE) == 0, seen
    watch.cancel()
    os.close(own)
    secrets = house.directory / "secrets"
    kept = {path.name: path.read_text().strip() for path in secrets.iterdir()}
    assert kept.keys() == {"LINKEDIN_CLIENT_ID", "LINKEDIN_CLIENT_SECRET", "LINKEDIN_REFRESH_TOKEN"}
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir()} == {0o600}
    assert kept["LINKEDIN_CLIENT_SECRET"] == linkedin.CLIENT_SECRET and linkedin.CLIENT_SECRET not in seen
    assert kept["LINKEDIN_REFRESH_TOKEN"].startswith(linkedin.REFRESH_TOKEN) and linkedin.REFRESH_TOKEN not in seen
    assert "LINKEDIN_REFRESH_TOKEN ends on 2027-11-20" in seen
    assert f"for the runs, set SECRETS_DIRECTORY={shlex.quote(str(secrets))}" in seen
    assert re.search(r"account +name +currency +status", seen)

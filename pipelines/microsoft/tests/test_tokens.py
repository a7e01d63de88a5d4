"""The newest refresh token survives, and a newly configured one wins."""

from __future__ import annotations

import json
import stat
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from microsoft_pipeline.connections import Connections
from microsoft_pipeline.settings import Settings
from microsoft_pipeline.sign_in import SignIn
from microsoft_pipeline.tokens import TokenStore
from wire import Kind, PipelineError


def test_a_kept_token_is_used_next_time(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "deep" / "token", "configured")
    store.check_writable()
    assert store.newest() == "configured"
    store.keep("second")
    store.keep("third")
    assert TokenStore(tmp_path / "deep" / "token", "configured").newest() == "third"


def test_a_newly_configured_token_wins(tmp_path: Path) -> None:
    TokenStore(tmp_path / "token", "old").keep("newest of the old")
    assert TokenStore(tmp_path / "token", "new").newest() == "new"


def test_nobody_else_may_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "token", "configured")
    store.check_writable()
    store.keep("second")
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["token"]
    assert "configured" not in (tmp_path / "token").read_text()


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "token").symlink_to(tmp_path / "real" / "token")
    TokenStore(tmp_path / "token", "configured").keep("second")
    assert (tmp_path / "token").is_symlink()
    assert json.loads((tmp_path / "real" / "token").read_text())["refresh_token"] == "second"


@pytest.mark.parametrize("place", ["file/token", "directory"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    with pytest.raises(PipelineError, match="MICROSOFT_TOKEN_STORE") as caught:
        TokenStore(tmp_path / place, "configured").check_writable()
    assert caught.value.kind is Kind.CONFIG
    assert place in caught.value.message


@pytest.mark.parametrize("content", [b"", b"{", b'{"refresh_token": 7}', b"\xff\xfe"])
def test_a_broken_file_is_named_not_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(PipelineError, match="delete it to start again") as caught:
        TokenStore(tmp_path / "token", "configured").newest()
    assert caught.value.kind is Kind.CONFIG
    assert (tmp_path / "token").read_bytes() == content


class Exchange(ThreadingHTTPServer):
    """Gives a new refresh token for each, after a while; `used` are those that it was given."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.used: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Exchange

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.used += form["refresh_token"]
        given = f"token-{len(self.server.used)}"
        time.sleep(0.3)
        body = json.dumps({"access_token": "access", "refresh_token": given}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with Exchange() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_who_shares_the_file_uses_each_token_once(exchange: Exchange, tmp_path: Path) -> None:
    """Shards begin at the same time; of two that used the same token, one would leave a replaced one in the file."""
    settings = Settings(
        client_id="id", client_secret="secret", developer_token="developer", refresh_token="configured",
        token_store=str(tmp_path / "token"), token_url=f"http://127.0.0.1:{exchange.server_port}/token",
    )  # fmt: skip
    shards = [SignIn(settings, Connections(timeout=20, most=1)) for _ in range(4)]
    threads = [threading.Thread(target=lambda shard=shard: shard.token) for shard in shards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert exchange.used == ["configured", "token-1", "token-2", "token-3"]
    assert TokenStore(tmp_path / "token", "configured").newest() == "token-4"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["token", "token.lock"]
    assert stat.S_IMODE((tmp_path / "token.lock").stat().st_mode) == 0o600

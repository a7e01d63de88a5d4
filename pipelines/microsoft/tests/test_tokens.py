"""The newest refresh token survives, and a newly configured one wins."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

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

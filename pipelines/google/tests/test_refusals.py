"""A wrong configuration is told in one sentence that names what to change, before anything is loaded."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from google_pipeline.tables import TABLES
from wire import Kind

FEW = {"tables": ["customer", "campaign"]}


def refused(result, *words):
    assert (result.status, [error.kind for error in result.errors]) == (78, [Kind.CONFIG])
    assert result.regions == []
    for word in words:
        assert word in result.errors[0].message
    return True


def test_all_missing_credentials_are_named_at_once(sandbox):
    result = sandbox.run(environment={"GOOGLE_CONFIG_FILE": None})
    names = ("GOOGLE_CONFIG_FILE", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "GOOGLE_REFRESH_TOKEN")
    assert refused(result, *names)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"acounts": []}, ("settings.acounts", "accounts, tables")),
        ({"tables": ["campaigns"]}, ("campaigns", "campaign_daily")),
        ({"api_version": "v19"}, ("api_version", "v19")),
        ({"start_date": "yesterday", "tables": ["ad_daily"]}, ("start_date", "yesterday")),
    ],
)
def test_a_wrong_setting_is_named(sandbox, settings, words):
    assert refused(sandbox.run(settings), *words)


def test_a_foreign_endpoint_sees_no_token(sandbox):
    result = sandbox.run(environment={"GOOGLE_TOKEN_URI": "http://oauth2.googleapis.com/token"})
    assert refused(result, "GOOGLE_TOKEN_URI", "ALLOW_INSECURE_ENDPOINTS")


@pytest.mark.parametrize("content", ["client_secret: [sandbox-hidden", "just text sandbox-hidden"])
def test_a_broken_yaml_is_named_and_not_quoted(sandbox, tmp_path, content):
    path = tmp_path / "google-ads.yaml"
    path.write_text(content)
    result = sandbox.run(environment={"GOOGLE_CONFIG_FILE": str(path)})
    assert refused(result, str(path))
    assert "sandbox-hidden" not in result.log


def test_missing_keys_of_the_yaml_are_named(sandbox, tmp_path):
    path = tmp_path / "google-ads.yaml"
    path.write_text("client_id: some\n")
    result = sandbox.run(environment={"GOOGLE_CONFIG_FILE": str(path)})
    assert refused(result, str(path), "client_secret", "refresh_token")
    assert "client_id" not in result.errors[0].message


def test_an_unknown_account_fails_alone(sandbox):
    known = sandbox.world.accounts("google")[0].id
    spelled = f"{known[:3]}-{known[3:6]}-{known[6:]}"
    result = sandbox.run({**FEW, "accounts": ["123-456-7890", spelled]})
    assert result.status == 78
    assert [(error.kind, error.account_id) for error in result.errors] == [(Kind.CONFIG, "1234567890")]
    assert "is not among the accounts" in result.errors[0].message
    assert {row["account_id"] for row in result.database.rows["campaign"]} == {known}


def test_the_environment_wins_over_the_settings(sandbox):
    first, second = (account.id for account in sandbox.world.accounts("google")[:2])
    settings = {**FEW, "accounts": [first], "refresh_token": "1//wrong", "manager_customer_id": "1111111111"}
    result = sandbox.run(
        settings, environment={"GOOGLE_CUSTOMER_IDS": f"{second},", "GOOGLE_CONFIG_FILE": None, **user(sandbox)}
    )
    assert result.status == 0
    assert {row["account_id"] for row in result.database.rows["campaign"]} == {second}


def user(sandbox):
    """The user's credentials as variables instead of a file."""
    lines = Path(sandbox.environment["GOOGLE_CONFIG_FILE"]).read_text().splitlines()
    keys = dict(line.split(": ", 1) for line in lines)
    return {f"GOOGLE_{name.upper()}": keys[name] for name in ("client_id", "client_secret", "refresh_token")}


def test_a_manager_is_no_account(sandbox):
    result = sandbox.run({**FEW, "accounts": ["9474097201"]})
    assert result.status == 78
    assert "is a manager account" in result.errors[0].message


def test_a_wrong_refresh_token_is_refused_credentials(sandbox):
    result = sandbox.run(environment={"GOOGLE_REFRESH_TOKEN": "1//wrong"})
    assert (result.status, result.errors[0].kind) == (77, Kind.AUTH)


def test_a_wrong_client_is_refused_credentials(sandbox):
    result = sandbox.run(environment={"GOOGLE_CLIENT_ID": "wrong"})
    assert (result.status, result.errors[0].kind) == (77, Kind.AUTH)
    assert "invalid_client" in result.errors[0].message


def test_a_manager_without_access_is_told(sandbox):
    result = sandbox.run(environment={"GOOGLE_MANAGER_CUSTOMER_ID": "1111111111"})
    assert refused(result, "1111111111", "USER_PERMISSION_DENIED")


def test_without_a_manager_everything_accessible_is_loaded(sandbox):
    result = sandbox.run(FEW, environment={"GOOGLE_MANAGER_CUSTOMER_ID": None})
    assert result.status == 0
    rows = {row["account_id"]: row for row in result.database.rows["customer"]}
    assert set(rows) == {account.id for account in sandbox.world.accounts("google")}
    own = sandbox.world.accounts("google")[0].id
    assert (rows[own]["manager_customer_id"], rows[own]["manager_level"]) == (None, 0)


def test_a_service_account_works_too(sandbox, tmp_path):
    key = tmp_path / "key.json"
    made = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
    account = {"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "private_key": made}
    key.write_text(json.dumps({**account, "private_key_id": "1", "token_uri": sandbox.environment["GOOGLE_TOKEN_URI"]}))
    yaml = tmp_path / "google-ads.yaml"
    yaml.write_text(f"json_key_file_path: {key}\nlogin_customer_id: 9474097201\nuse_proto_plus: true\n")
    changed = {"GOOGLE_CONFIG_FILE": str(yaml), "GOOGLE_TOKEN_URI": None, "GOOGLE_MANAGER_CUSTOMER_ID": None}
    assert sandbox.run(FEW, environment=changed).status == 0
    key.write_text(json.dumps({**account, "token_uri": "https://evil.example/token"}))
    assert refused(sandbox.run(FEW, environment=changed), "key file", "evil.example")


def test_a_proxy_in_the_environment_does_not_swallow_the_loopback(sandbox):
    proxies = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    assert sandbox.run(FEW, environment=proxies).status == 0


def test_discover_needs_no_credentials(pipeline):
    found = subprocess.run([pipeline, "--discover"], env={}, capture_output=True, check=True, timeout=120)
    catalog = json.loads(found.stdout)
    assert [stream["stream"] for stream in catalog["streams"]] == [table.name for table in TABLES]


def test_a_catalog_selects_tables(sandbox, tmp_path):
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps({"streams": [{"tap_stream_id": "ad_group", "schema": {"selected": True}}]}))
    result = sandbox.run({}, arguments=("--catalog", str(path)))
    assert set(result.database.rows) == {"ad_group"}

"""`supervisor rates load`: a file is loaded whole, or not at all with everything named that is wrong with it."""

from __future__ import annotations

from typing import Any

WRONG = """rate, to,date,from
0.92,EUR,2026-11-20,USD
0,EUR,2026-11-21,USD
x,eur,2026-13-01,USD
0.93,EUR,2026-11-20,USD
1,EUR,2026-11-22,EUR
0.1234567890123,EUR,2026-11-23,USD
0.92,EUR,2026-11-24,USD,more
0.92,EUR
"""


def test_everything_that_is_wrong_is_named_by_its_line(house: Any) -> None:
    (house.directory / "rates.csv").write_text(WRONG)
    done = house.run("rates", "load", "rates.csv")
    number = "rate: expected a number above zero, at most 7 digits before the point and 12 after it, got"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f'error: rates.csv:3: {number} "0"',
        'error: rates.csv:4: date: expected a day like 2026-01-31, got "2026-13-01"; to: expected a currency like EUR, '
        f'got "eur"; {number} "x"',
        "error: rates.csv:5: line 2 has the rate of USD in EUR on that day",
        "error: rates.csv:6: from and to are both EUR",
        f'error: rates.csv:7: {number} "0.1234567890123"',
        "error: rates.csv:8: more than four values",
        'error: rates.csv:9: date: expected a day like 2026-01-31, got ""; from: expected a currency like EUR, got ""',
    ]
    assert not (house.directory / "social_ads.duckdb").exists(), "nothing was opened for it"


def test_what_is_no_file_of_rates(house: Any) -> None:
    (house.directory / "empty.csv").write_text("")
    (house.directory / "none.csv").write_text("date,from,to,rate\n")
    (house.directory / "latin.csv").write_bytes(b"date,from,to,rate\n\xff\n")
    for name, sentence in (
        ("empty.csv", "empty.csv:1: expected the columns date, from, to, rate, got nothing"),
        ("none.csv", "none.csv: holds no rate"),
        ("latin.csv", "latin.csv cannot be read: "),
        ("missing.csv", "missing.csv cannot be read: No such file or directory"),
    ):
        done = house.run("rates", "load", name)
        assert done.returncode == 1 and done.stderr.startswith(f"error: {sentence}"), done.stderr
    done = house.run("rates", "load", "none.csv", STORAGE_TYPE="none")
    assert done.stderr == "error: STORAGE_TYPE: rates are kept in DuckDB and Vertica, not in none\n"
    assert "REPORTING_CURRENCY: expected a currency like EUR, got 'euro'" in house.run("rates", "load", "x", REPORTING_CURRENCY="euro").stderr  # fmt: skip


def test_a_good_file_is_loaded_and_loaded_again(house: Any) -> None:
    (house.directory / "rates.csv").write_text("\ufeffdate,from,to,rate\r\n2026-11-20,USD,EUR,0.92\r\n")
    done = house.run("rates", "load", "rates.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 rate of 2026-11-20 to 2026-11-20, into duckdb file ")
    assert "set REPORTING_CURRENCY" in done.stdout
    (house.directory / "rates.csv").write_text("date,from,to,rate\n2026-11-20,USD,EUR,0.93\n2026-11-21,USD,EUR,0.94\n")
    done = house.run("rates", "load", "rates.csv", REPORTING_CURRENCY="EUR")
    assert "set REPORTING_CURRENCY" not in done.stdout
    found = house.rows("SELECT CAST(date AS VARCHAR), CAST(rate AS VARCHAR) FROM ads.exchange_rates ORDER BY 1")
    assert found == [("2026-11-20", "0.930000000000"), ("2026-11-21", "0.940000000000")]

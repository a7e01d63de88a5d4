"""What a unit of each currency is worth in US dollars, in ten-thousandths; a fact of the sandbox's world."""

from __future__ import annotations

RATES = {"EUR": 10_842, "USD": 10_000, "JPY": 67, "BRL": 1_783, "INR": 119, "AUD": 6_511, "GBP": 12_706}

"""Extracts Google Ads accounts, entities and daily reports, and writes them to the wire."""

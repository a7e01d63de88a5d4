"""Extracts LinkedIn ad data, accounts to creatives with their daily numbers, as Singer messages."""

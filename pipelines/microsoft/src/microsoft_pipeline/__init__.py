"""Extracts Microsoft Advertising accounts, campaigns, ads and their daily reports as Singer messages."""

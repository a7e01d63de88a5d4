"""Extracts Facebook (Meta) ad data through the Marketing API and writes it as Singer messages."""

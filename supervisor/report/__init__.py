"""In here: the record of a run for people: JSON, CSV, page, summary, live view, texts for a terminal.
Used by: run and cli.
May import: record, config.
"""

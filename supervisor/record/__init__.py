"""In here: what is known of a run: outcomes, progress, the record, its log, kept history, state and freshness.
Used by: every room but config.
May import: config, wire.
"""

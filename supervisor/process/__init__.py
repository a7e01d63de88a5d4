"""In here: one child and its whole tree: keeper, limits, signals, its standard error, temporary directories.
Used by: run, environments, and the sink that feeds a Singer target.
May import: record, config; keeper imports nothing.
"""

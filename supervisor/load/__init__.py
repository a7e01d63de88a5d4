"""In here: one child's lines into one sink's transactions.
Used by: run.
May import: sinks, record, config, wire.
"""

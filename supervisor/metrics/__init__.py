"""In here: the record of a run as Prometheus metrics, by three exits: served, in a text file, pushed to a gateway.
Used by: cli.
May import: record, config.
"""

"""In here: one virtual environment per pipeline, built from its lock file.
Used by: run and cli.
May import: process, config.
"""

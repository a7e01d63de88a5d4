"""In here: what a run is told (orchestrator_config.yml, environment variables, credentials, units), and the errors.
Used by: every room.
May import: wire.
"""

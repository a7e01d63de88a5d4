"""In here: one run from the first group to the exit code: plan, scheduler, registry, orchestrator, attempt, monitor.
Used by: cli and Python users.
May import: every room but cli.
"""

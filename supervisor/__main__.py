"""`python -m supervisor` is the command `supervisor`."""

from supervisor.cli.main import entry

entry()

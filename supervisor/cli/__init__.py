"""In here: the commands, one module each, and what ends the process with an exit code.
Used by: whoever types `supervisor`.
May import: every room; each command imports what it needs when it runs.
"""

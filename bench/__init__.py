"""Measurements of the whole and of its parts, each against the tool that a user would pick instead."""

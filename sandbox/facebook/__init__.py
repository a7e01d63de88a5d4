"""The Graph API of the sandbox."""

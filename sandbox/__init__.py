"""The four ad platforms on localhost, speaking their own protocols over one deterministic world whose numbers are known."""

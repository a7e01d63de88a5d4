"""The four ad platforms on localhost, speaking their own protocols over one world whose numbers are known."""

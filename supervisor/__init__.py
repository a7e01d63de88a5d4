"""One supervisor that runs ad-platform pipelines."""

"""Speed against a plain app: `python -m tests.bench`."""

"""Three demos: small data and trained dense models."""

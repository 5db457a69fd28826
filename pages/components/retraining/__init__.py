"""Parts of the retraining page."""

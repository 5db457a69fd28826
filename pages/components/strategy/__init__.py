"""Parts of the strategy page."""

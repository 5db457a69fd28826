"""Parts of the runs page."""

"""A model before and after, on the same samples."""

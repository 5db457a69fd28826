"""Model files and data files: read, checked, stored once."""

"""Runs: folders, status, workers, the queue."""

"""Widgets and state that more than one page uses."""

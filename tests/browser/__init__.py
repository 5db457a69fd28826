"""The whole journey in a real browser, on a real server with real workers."""

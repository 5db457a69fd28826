"""Charts: a DataFrame in, an Altair chart out, nothing else. One module per page."""

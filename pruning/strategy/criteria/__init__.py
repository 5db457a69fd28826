"""How important a channel or a weight is, one criterion a file."""

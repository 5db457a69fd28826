"""Plans: what to remove, what it will cost, when. NumPy only."""

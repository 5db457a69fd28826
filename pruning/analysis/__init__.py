"""What is known of a model: layers, cost, channel groups, statistics."""

"""How channels pass through each type of layer, one file per type."""

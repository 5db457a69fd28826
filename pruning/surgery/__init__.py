"""Cutting channels and masking weights; every cut proves itself."""

"""Bytes of a saved model from its numbers alone: raw exactly, compressed estimated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pruning.analysis.profile import ModelProfile

BYTES_PER_WEIGHT = 4  # float32
SMALL_ZIP = 2_000_000_000  # above, near 2 GiB, a .keras file's zip needs larger tables

# gzip -6 of float32 weights drawn from a normal distribution with a share of exact zeros at random
# places: compressed ÷ raw bytes. Measured with zlib on 300,000 values; the sample's seed moves the
# figures by less than .01. tests/strategy/test_sizes.py measures them again.
_ZEROS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
_GZIP = (
    *(0.926, 0.871, 0.801, 0.724, 0.642, 0.553, 0.462),
    *(0.362, 0.257, 0.139, 0.0744, 0.0328, 0.0172, 0.001),
)
_GZIP_CONTAINER = 0.2  # the JSON of the configuration and HDF5's tables


def file_bytes(profile: ModelProfile, weight_bytes: int) -> int:
    """Bytes of the file that the studio saves, for a model whose weights have ``weight_bytes``.

    Exact for the original and all its cuts: ``frameworks.canonical`` says why.
    """
    return _container(profile) + weight_bytes


def file_bytes_without(profile: ModelProfile, params: Mapping[str, int]) -> int:
    """Estimated bytes of the file without some layers.

    What the file holds beside the weights is taken to shrink with the number of layers.

    Args:
        profile: The whole model.
        params: What each layer that stays has left.
    """
    layers = {layer.name: layer.value_bytes for layer in profile.layers}
    weights = sum(layers[name] * count for name, count in params.items())
    return round(_container(profile) * len(params) / max(1, len(layers))) + weights


def cuts_are_exact(profile: ModelProfile) -> bool:
    """Whether :func:`file_bytes` tells the size of every cut to the byte."""
    if profile.bytes_vary:
        return False
    return profile.file_format != "keras" or whole_bytes(profile) < SMALL_ZIP


def whole_bytes(profile: ModelProfile) -> int:
    """Bytes of the file with all weights."""
    return file_bytes(profile, sum(layer.value_bytes * layer.params for layer in profile.layers))


def gzip_share(zeros: float) -> float:
    """Compressed ÷ raw bytes of float32 weights of which a fraction ``zeros`` is exactly zero."""
    return float(np.interp(zeros, _ZEROS, _GZIP))


def gzip_bytes(profile: ModelProfile, weights_and_zeros: list[tuple[int, float]]) -> int:
    """Estimated gzip-6 size of the file, from ``(weights, fraction of zeros)`` of each part."""
    weights = sum(
        BYTES_PER_WEIGHT * count * gzip_share(zeros) for count, zeros in weights_and_zeros
    )
    return round(_GZIP_CONTAINER * _container(profile) + weights)


def _container(profile: ModelProfile) -> int:
    if profile.container_bytes is None:
        raise ValueError("a profile that was not made for pricing has no file size")
    return profile.container_bytes

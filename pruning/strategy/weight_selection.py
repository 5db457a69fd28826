"""Which weights stay, given their scores: pure functions. Larger scores stay."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from pruning.strategy.patterns import Pattern, kept_weights, largest

LayerScores = Mapping[str, Sequence[np.ndarray]]
"""Layer name -> the scores of its kernels, each of the kernel's shape."""

MOST_ZEROS = 0.999  # of a layer: one weight in a thousand stays


def kept_masks(
    scores: LayerScores,
    sparsities: Mapping[str, float],
    pattern: Pattern,
    *,
    competing: Collection[str] | None = None,
) -> dict[str, list[np.ndarray]]:
    """Masks of all kernels. -> bool, in the shapes of ``scores``; True = stays.

    Args:
        scores: Of kernels that the pattern applies to.
        sparsities: Share of zeros by layer name.
        pattern: What is zeroed together.
        competing: ``None``: every kernel loses the share of its layer, as in TF-MOT. Otherwise
            (scope ``global``) the layers whose weights compete under one threshold: together they
            lose what their shares add up to. The kernels of any other layer compete among
            themselves.
    """
    if competing is None or pattern.fixed is not None:
        return {
            layer: [pattern.mask(kernel, sparsities[layer]) for kernel in kernels]
            for layer, kernels in scores.items()
        }
    masks: dict[str, list[np.ndarray]] = {}
    for layer in scores:
        if layer not in competing:
            masks |= _one_threshold({layer: scores[layer]}, sparsities, pattern)
    together = {layer: kernels for layer, kernels in scores.items() if layer in competing}
    masks |= _one_threshold(together, sparsities, pattern) if together else {}
    return {layer: masks[layer] for layer in scores}


def _one_threshold(
    scores: LayerScores, sparsities: Mapping[str, float], pattern: Pattern
) -> dict[str, list[np.ndarray]]:
    """One threshold for all these kernels; in no layer it takes more than ``MOST_ZEROS``."""
    units: dict[str, np.ndarray] = {}
    for layer, kernels in scores.items():
        parts = [part for kernel in kernels if (part := pattern.units(kernel)) is not None]
        units[layer] = np.concatenate(parts) if len(parts) > 1 else parts[0]
    kept = {layer: kept_weights(part.size, sparsities[layer]) for layer, part in units.items()}
    floors = {
        layer: min(kept[layer], kept_weights(part.size, MOST_ZEROS))
        for layer, part in units.items()
    }
    stays = _split(_largest_together(list(units.values()), sum(kept.values())), units)
    # A layer that the threshold would empty keeps its best; the others make room for them.
    while short := [layer for layer in units if stays[layer].sum() < floors[layer]]:
        for layer in short:
            best = largest(units[layer], floors[layer])
            units[layer] = np.where(best, np.inf, units[layer])
        stays = _split(_largest_together(list(units.values()), sum(kept.values())), units)
    return {layer: _spread(pattern, stays[layer], scores[layer]) for layer in scores}


def _largest_together(parts: Sequence[np.ndarray], kept: int) -> np.ndarray:
    return largest(np.concatenate(parts) if len(parts) > 1 else parts[0], kept)


def _split(mask: np.ndarray, units: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    ends = np.cumsum([part.size for part in units.values()])[:-1]
    return dict(zip(units, np.split(mask, ends), strict=True))


def _spread(pattern: Pattern, stays: np.ndarray, kernels: Sequence[np.ndarray]) -> list[np.ndarray]:
    masks, start = [], 0
    for kernel in kernels:
        end = start + pattern.count(kernel.shape)
        masks.append(pattern.spread(stays[start:end], kernel.shape))
        start = end
    return masks

"""Block influence: blocks that hardly change what passes through them go first."""

from __future__ import annotations

import numpy as np

from pruning.strategy.criteria._base import Criterion


def block_influence(pair: np.ndarray) -> np.ndarray:
    """1 - cosine similarity of a block's input and output, at each position.

    Args:
        pair: (2, positions, channels), input before output. Where both are zero nothing is changed;
            where one is, all is.

    Returns:
        (positions,), from 0 (only the length changed) to 2; larger = keep. Their mean is the
        influence of the block.
    """
    one, other = np.asarray(pair, np.float64)
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    zero = ~one.any(axis=-1) & ~other.any(axis=-1)
    products = (one * other).sum(axis=-1)
    cosine = np.divide(products, lengths, out=zero.astype(np.float64), where=lengths > 0)
    scores: np.ndarray = 1 - np.clip(cosine, -1, 1)
    return scores


CRITERION = Criterion(
    name="block_influence",
    title="Block influence",
    sentence="Removes the blocks whose outputs point most nearly where their inputs pointed, over "
    "samples of the training split.",
    source="https://arxiv.org/abs/2403.03853",
    kind="layers",
    needs=(),
    score=block_influence,
)

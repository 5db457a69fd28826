"""Channel scores of a group from the kernels of all the layers that make its channels.

A group's channels may come from several layers: the two branches of a residual add. Each producer's
scores are divided by their mean over the channels, so that a layer with large weights does not
outvote the others, then averaged over the producers:

    score(c) = mean over producers p of  s_p(c) / mean over channels of s_p

A group's scores thus have the mean 1 (0 when all its kernels are zero), whatever the size of its
kernels, which is what lets the global scope compare channels of different groups. This is the
"mean" normalisation and the "mean" reduction of DepGraph, https://arxiv.org/abs/2301.12900.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pruning.strategy.criteria import Criterion


def group_scores(
    criterion: Criterion, channel_weights: Mapping[str, Sequence[np.ndarray]]
) -> dict[str, np.ndarray]:
    """Score the channels of every group.

    Args:
        criterion: One for the method *channels*.
        channel_weights: For each group the kernels of its producers, each (channels, values).

    Returns:
        Group id -> float32 (channels,), larger = keep. Weights that are not finite count as zero.
    """
    return {
        group: np.mean([_normalised(criterion, rows) for rows in kernels], axis=0).astype(
            np.float32
        )
        for group, kernels in channel_weights.items()
    }


def indistinct_groups(scores: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Groups of several channels whose scores are all equal: the choice is by index alone."""
    return tuple(
        group for group, values in scores.items() if len(values) > 1 and np.all(values == values[0])
    )


def _normalised(criterion: Criterion, rows: np.ndarray) -> np.ndarray:
    scores = criterion.score(np.nan_to_num(rows, nan=0.0, posinf=0.0, neginf=0.0))
    mean = scores.mean()
    return scores / mean if mean > 0 else scores

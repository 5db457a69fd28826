"""Channel scores of a group from everything that is known of its channels.

A group's channels may come from several layers: the two branches of a residual add. Each of them
gives one score to every channel, and the group's score is their mean. What a number means depends
on the criterion's ``unit``:

- ``relative``: a criterion like L1 compares filters of one kernel. Each producer's scores are
  divided by their mean over the channels, so that a layer with large weights does not outvote the
  others:

      score(c) = mean over producers p of  s_p(c) / mean over channels of s_p

  A group's scores thus have the mean 1 (0 when all its kernels are zero), whatever the size of its
  kernels, which is what lets the global scope compare channels of different groups. This is the
  "mean" normalisation and the "mean" reduction of DepGraph, https://arxiv.org/abs/2301.12900.
- ``absolute``: the number means the same in every group (a change of the loss, a share of values,
  a factor), and the global scope compares it as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pruning.strategy.criteria import Criterion

Item = np.ndarray | tuple[np.ndarray, ...]
"""What a criterion is handed at once; an array alone stands for a tuple of one."""


def group_scores(
    criterion: Criterion, evidence: Mapping[str, Sequence[Item]]
) -> dict[str, np.ndarray]:
    """Score the channels of every group.

    Args:
        criterion: One for the method *channels*.
        evidence: For each group what the criterion needs of each of its producers, each array
            (channels, …).

    Returns:
        Group id -> float32 (channels,), larger = keep. Values that are not finite count as zero.
        Groups without evidence are left out.
    """
    return {
        group: np.mean([_scores(criterion, item) for item in items], axis=0).astype(np.float32)
        for group, items in evidence.items()
        if len(items)
    }


def indistinct_groups(scores: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Groups of several channels whose scores are all equal: the choice is by index alone."""
    return tuple(
        group for group, values in scores.items() if len(values) > 1 and np.all(values == values[0])
    )


def _scores(criterion: Criterion, item: Item) -> np.ndarray:
    arrays = item if isinstance(item, tuple) else (item,)
    scores = criterion.score(*map(_finite, arrays))
    if criterion.unit == "absolute":
        return scores
    mean = scores.mean()
    return scores / mean if mean > 0 else scores


def _finite(array: np.ndarray) -> np.ndarray:
    """The same with zeros for what is not finite; the array itself where nothing is to be done."""
    if np.isfinite(array).all():
        return array
    return np.asarray(np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0))

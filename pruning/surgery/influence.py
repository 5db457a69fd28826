"""How much each block changes what passes through it, measured on samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pruning.analysis.profiler import Analysis
from pruning.errors import Cancelled
from pruning.frameworks.running import answers, fixed_batch
from pruning.strategy.criteria._base import Criterion

BATCH = 16  # samples at once: the inputs and outputs of all blocks are held


def block_scores(
    analysis: Analysis,
    criterion: Criterion,
    inputs: Sequence[np.ndarray],
    *,
    report: Callable[[float, str], None] = lambda fraction, words: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, float]:
    """Mean score of every removable block over all samples and positions.

    Args:
        analysis: Of the model; it is not changed.
        criterion: Scores pairs (2, positions, channels) of what goes in and what comes out.
        inputs: One array (samples, …) per input of the model.
        report: Told how far it is.
        should_stop: Asked after every batch.

    Raises:
        Cancelled: ``should_stop`` said so.
    """
    blocks = analysis.profile.removable_blocks
    numbers = sorted({tensor for block in blocks for pair in block.bypasses for tensor in pair})
    if not numbers:
        return {}
    places = {number: place for place, number in enumerate(numbers)}
    entries = list(analysis.flat.inputs)
    probe = analysis.framework.keras.Model(
        entries if len(entries) > 1 else entries[0],
        [analysis.graph.tensors[number] for number in numbers],
    )
    sums = {block.id: 0.0 for block in blocks}
    counts = {block.id: 0 for block in blocks}
    fixed = fixed_batch(analysis.flat)
    step = fixed or BATCH
    total = len(inputs[0]) // step * step if fixed else len(inputs[0])
    for start in range(0, total, step):
        if should_stop():
            raise Cancelled
        part = [np.asarray(array[start : start + step]) for array in inputs]
        seen = answers(probe, part)
        for block in blocks:
            for target, origin in block.bypasses:
                pair = [_rows(seen[places[number]], block.axis) for number in (origin, target)]
                scores = criterion.score(np.stack(pair))
                sums[block.id] += float(scores.sum())
                counts[block.id] += scores.size
        done = min(start + step, total)
        report(done / total, f"{done:,} of {total:,} training samples")
    return {name: sums[name] / max(1, counts[name]) for name in sums}


def _rows(value: Any, axis: int) -> np.ndarray:
    """(…, channels at ``axis``, …) -> float32 (positions, channels)."""
    array = np.moveaxis(np.asarray(value, np.float32), axis, -1)
    return array.reshape(-1, array.shape[-1])

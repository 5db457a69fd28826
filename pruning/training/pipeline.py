"""From arrays on disk to batches, without reading all of them into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def batches(x: np.ndarray, y: np.ndarray, batch_size: int, *, seed: int | None = None) -> Any:
    """A ``tf.data`` pipeline over one split.

    Args:
        x: (n, …), usually memory-mapped: rows are read when their batch is due.
        y: (n, …).
        batch_size: Samples in a batch; the last may be smaller.
        seed: Shuffle with this seed, in a new order each epoch; ``None`` keeps the order.
    """
    import tensorflow as tf

    epoch = 0

    def generate() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        nonlocal epoch
        order = np.arange(len(x))
        if seed is not None:
            order = np.random.default_rng([seed, epoch]).permutation(len(x))
            epoch += 1
        for start in range(0, len(x), batch_size):
            # Sorted: a file is read forwards, and the order within a batch does not matter.
            rows = np.sort(order[start : start + batch_size])
            yield np.asarray(x[rows]), np.asarray(y[rows])

    signature = (
        tf.TensorSpec((None, *x.shape[1:]), x.dtype),
        tf.TensorSpec((None, *y.shape[1:]), y.dtype),
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    count = -(-len(x) // batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)

"""From arrays on disk to batches, without reading all of them into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np


def batches(
    inputs: Sequence[np.ndarray],
    y: np.ndarray,
    batch_size: int,
    *,
    nested: Callable[[Sequence[Any]], Any] = lambda inputs: inputs[0],
    seed: int | None = None,
) -> Any:
    """A ``tf.data`` pipeline over one split.

    Args:
        inputs: An array (n, …) for each input of the model, usually memory-mapped: rows are read
            when their batch is due.
        y: (n, …).
        batch_size: Samples in a batch; the last may be smaller.
        nested: Puts one value per input together as the model reads them.
        seed: Shuffle with this seed, in a new order each epoch; ``None`` keeps the order.
    """
    import tensorflow as tf

    epoch = 0

    def generate() -> Iterator[tuple[Any, np.ndarray]]:
        nonlocal epoch
        order = np.arange(len(y))
        if seed is not None:
            order = np.random.default_rng([seed, epoch]).permutation(len(y))
            epoch += 1
        for start in range(0, len(y), batch_size):
            # Sorted: a file is read forwards, and the order within a batch does not matter.
            rows = np.sort(order[start : start + batch_size])
            yield nested([np.asarray(x[rows]) for x in inputs]), np.asarray(y[rows])

    signature = (
        nested([tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in inputs]),
        tf.TensorSpec((None, *y.shape[1:]), y.dtype),
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    count = -(-len(y) // batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(count)).prefetch(2)

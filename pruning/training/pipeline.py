"""From arrays on disk to batches, without reading all of them into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pruning.intake.dataset import Rows


def batches(
    inputs: Sequence[Rows],
    y: np.ndarray,
    batch_size: int,
    *,
    nested: Callable[[Sequence[Any]], Any] = lambda inputs: inputs[0],
    seed: int | None = None,
) -> Any:
    """A ``tf.data`` pipeline over one split.

    Args:
        inputs: An array (n, …) for each input of the model, or what is one when rows of it are
            taken: they are read when their batch is due.
        y: (n, …).
        batch_size: Samples in a batch; the last may be smaller.
        nested: Puts one value per input together as the model reads them.
        seed: Shuffle with this seed, in a new order each epoch; ``None`` keeps the order.
    """
    import tensorflow as tf

    arrays = [*inputs, y]
    epoch = 0
    order = np.arange(len(y))

    def read(start: np.ndarray) -> list[np.ndarray]:
        nonlocal epoch, order
        if start == 0 and seed is not None:  # batches are asked for one after the other
            order = np.random.default_rng([seed, epoch]).permutation(len(y))
            epoch += 1
        # Sorted: a file is read forwards, and the order within a batch does not matter.
        rows = np.sort(order[int(start) : int(start) + batch_size])
        return [np.asarray(array[rows]) for array in arrays]

    def batch(start: Any) -> tuple[Any, Any]:
        values = tf.numpy_function(read, [start], [tf.as_dtype(array.dtype) for array in arrays])
        for value, array in zip(values, arrays, strict=True):
            value.set_shape((None, *array.shape[1:]))
        return nested(values[:-1]), values[-1]

    # Before the first step: from_generator has four functions to trace where this takes one, and
    # rewriting that one's Python takes longer than tracing it.
    as_it_is = tf.autograph.experimental.do_not_convert(batch)
    return tf.data.Dataset.range(0, len(y), batch_size).map(as_it_is).prefetch(2)

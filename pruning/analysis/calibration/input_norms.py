"""Norm of what each weight multiplies, over samples and positions: broadcasts to the kernel.

``input_norm`` is the square root of the sum of x² over all calibration samples, positions and
calls of the layer, where x is

- for dense layers, and those of attention: the input feature,
- for convolutions: the input channel,
- for the pointwise kernel of a separable convolution: the channel between its two kernels,
- for recurrent kernels: the unit's value one step earlier,
- for an embedding: 1 for the token that is looked up, so the norm is the root of its count.

The inputs are recorded while the model runs as it does when it predicts, also those of layers
inside others. Kernels whose inputs cannot be seen are named with the reason; their ``input_norm``
is the mean of all the others', so that within them magnitude decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration._base import Found, Gatherer, Samples, Watch
from pruning.analysis.calibration._inputs import Reader, hides, reader_of
from pruning.analysis.profiler import kernel_variables
from pruning.frameworks.running import needs_compiler

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

UNSEEN = "What its weights multiply is computed inside the layer, where it cannot be seen."


def gather(analysis: Analysis, samples: Samples | None, watch: Watch) -> Found:
    """Run the samples and add up squares."""
    assert samples is not None
    names = {
        id(variable): name
        for pairs in kernel_variables(analysis).values()
        for name, variable in pairs
    }
    readers = [
        reader for record in analysis.layers for reader in _readers(analysis, record.layer, names)
    ]
    run = _recorded(analysis, readers)
    sums: dict[str, np.ndarray] = {}
    done = 0
    for inputs, _ in samples.batches():
        for name, squares in run(inputs):
            sums[name] = sums.get(name, 0.0) + squares.astype(np.float64)
        done += len(inputs[0])
        watch.seen(done, len(samples), "norms of inputs")
    found = Found(weights={name: np.sqrt(total).astype(np.float32) for name, total in sums.items()})
    known = [float(norm.mean()) for norm in found.weights.values()]
    for name in names.values():
        if name not in found.weights:
            found.reasons[name] = UNSEEN
            found.weights[name] = np.asarray(np.mean(known) if known else 1.0, np.float32)
    return found


def _readers(analysis: Analysis, layer: Any, names: dict[int, str]) -> Iterator[Reader]:
    """Everything inside ``layer`` whose inputs are to be recorded."""
    if not hasattr(layer, "_flatten_layers"):  # an operator
        return
    taken: set[int] = set()
    for inner in layer._flatten_layers(recursive=True):
        if id(inner) in taken:
            continue
        reader = reader_of(analysis.framework, inner)
        if reader is not None or hides(inner):
            taken.update(id(part) for part in inner._flatten_layers(recursive=True))
        if reader is not None:
            reader.names = [names.get(id(variable)) for variable in reader.variables]
            if any(reader.names):
                yield reader


def _recorded(
    analysis: Analysis, readers: Sequence[Reader]
) -> Callable[[Sequence[np.ndarray]], list[tuple[str, np.ndarray]]]:
    """A function that runs a batch. -> (kernel's name, sum of squares), several times if shared."""
    import tensorflow as tf

    order: list[str] = []

    def run(values: Any) -> list[Any]:
        order.clear()
        squares: list[Any] = []

        def note(reader: Reader, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            for name, square in zip(reader.names, reader.squares(*args, **kwargs), strict=True):
                if name is not None:
                    order.append(name)
                    squares.append(square)

        with _listening(readers, note):
            analysis.flat(list(values) if len(values) > 1 else values[0], training=False)
        return squares

    compiler = True if needs_compiler(analysis.flat) else None
    function = tf.function(run, jit_compile=compiler, reduce_retracing=True, autograph=False)

    def batch(inputs: Sequence[np.ndarray]) -> list[tuple[str, np.ndarray]]:
        squares = function([tf.convert_to_tensor(array) for array in inputs])
        return [(name, np.asarray(s)) for name, s in zip(order, squares, strict=True)]

    return batch


@contextmanager
def _listening(
    readers: Sequence[Reader], note: Callable[[Reader, tuple[Any, ...], dict[str, Any]], None]
) -> Iterator[None]:
    """While the model is traced, the layers tell what they are called with."""
    import tensorflow as tf

    def listening(reader: Reader) -> Callable[..., Any]:
        call = reader.layer.call
        busy = False

        def told(*args: Any, **kwargs: Any) -> Any:
            nonlocal busy
            if not busy:  # a reader may call the layer again to see what is inside
                busy = True
                note(reader, args, kwargs)
                busy = False
            return call(*args, **kwargs)

        unconverted: Callable[..., Any] = tf.autograph.experimental.do_not_convert(told)
        return unconverted

    for reader in readers:
        reader.layer.call = listening(reader)
    try:
        yield
    finally:
        for reader in readers:
            del reader.layer.call


GATHERER = Gatherer("input_norm", "weight", gather, samples=True)

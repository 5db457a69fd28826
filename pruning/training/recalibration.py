"""BatchNormalization's moving mean and variance, measured anew after a cut.

A cut changes what every BatchNormalization reads, while its statistics are still those of the
whole model. They are replaced by the exact mean and variance of what each one reads, over all
samples at once: no momentum, no average of averages. The layers are walked in order, each reading
what those before it answer with their new statistics, at inference. This is what "re-estimating"
means in Precise-BN (arXiv:2105.07576, section 3) and in pruning (EagleEye, arXiv:2007.02491).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.errors import Cancelled
from pruning.frameworks._base import Framework, Node
from pruning.frameworks.execution import Execution
from pruning.frameworks.memory import keep_memory
from pruning.frameworks.names import is_operation
from pruning.frameworks.running import fixed_batch

SAMPLES = 256  # at most; the mean of a channel over them is known to 6 % of its deviation
MEMORY = 512 * 2**20  # bytes that may flow between layers at once
FEWEST = 32  # samples that are run even if they take more
CHUNK = 256  # samples of one call, at most
_CLASSES = frozenset({"BatchNormalization", "SyncBatchNormalization"})
_LARGEST_VALUE = 8  # bytes
_VALUES = 2**16  # turned to float64 at a time: half a MiB, which stays in a core's cache


@dataclass(frozen=True)
class Recalibrated:
    """What was measured anew.

    Attributes:
        layers: BatchNormalization layers with new statistics.
        left: Names of those that keep theirs, because their input is not seen from outside.
        samples: How many samples were run.
    """

    layers: int
    left: tuple[str, ...]
    samples: int


def normalizations(model: Any, framework: Framework) -> list[Any]:
    """All BatchNormalization layers of a model, also inside nested models and wrappers."""
    found: dict[int, Any] = {}
    for layer in framework.layers(model):
        for inner in layer._flatten_layers():
            if type(inner).__name__ in _CLASSES:
                found.setdefault(id(inner), inner)
    return list(found.values())


def statistics(model: Any, framework: Framework) -> list[tuple[np.ndarray, np.ndarray]]:
    """Moving mean and variance of every BatchNormalization, copied."""
    return [
        (norm.moving_mean.numpy(), norm.moving_variance.numpy())
        for norm in normalizations(model, framework)
    ]


def set_statistics(
    model: Any, framework: Framework, values: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Inverse of :func:`statistics`."""
    pairs = zip(normalizations(model, framework), values, strict=True)
    for norm, (mean, variance) in pairs:
        norm.moving_mean.assign(mean)
        norm.moving_variance.assign(variance)


def recalibrate(
    model: Any,
    framework: Framework,
    inputs: Sequence[np.ndarray],
    *,
    report: Callable[[float, str], None] = lambda fraction, words: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Recalibrated:
    """Give every BatchNormalization of ``model`` the statistics of what it reads.

    The variance is that of the population, as Keras uses it in training. Where a mask hides
    positions they are left out, as in training. A layer that is called several times gets the
    statistics of all its calls together.

    Args:
        model: Changed in place.
        framework: Its Keras.
        inputs: An array (n, …) for each input, of the training split. As many samples are used as
            fit into ``MEMORY``.
        report: Told how far it is, and the samples.
        should_stop: Asked after every layer.

    Raises:
        Cancelled: ``should_stop`` said so.
    """
    keep_memory()
    norms = normalizations(model, framework)
    before = statistics(model, framework)
    walk = _Walk(framework, framework.flat(model), len(norms), report, should_stop)
    fixed = fixed_batch(model)
    used = walk.affordable(inputs, fixed or FEWEST)
    step = fixed or CHUNK
    words = f"{used:,} training samples"
    chunks = [
        [array[start : min(start + step, used)] for array in inputs]
        for start in range(0, used, step)
    ]
    try:
        walk.run(chunks, words)
    except BaseException:
        set_statistics(model, framework, before)
        raise
    left = tuple(str(norm.name) for norm in norms if id(norm) not in walk.moments)
    return Recalibrated(len(norms) - len(left), left, used)


class _Moments:
    """Mean and variance of a growing set of values, by channel, in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, rows: np.ndarray) -> None:
        """Take in more rows. rows: (positions, channels). Chan's pairwise combination.

        Sums over the rows are products with ones: BLAS takes a tenth of the time of ``sum(axis=0)``
        for few channels.
        """
        step = max(1, _VALUES // max(1, rows.shape[1]))
        ones = np.ones(min(step, len(rows)))
        for start in range(0, len(rows), step):
            part = rows[start : start + step].astype(np.float64)
            one = ones[: len(part)]
            mean = one @ part / len(part)
            part -= mean
            squares = one @ np.square(part, out=part)
            total = self.count + len(part)
            shift = mean - self.mean
            self.mean = self.mean + shift * (len(part) / total)
            self.squares = (
                self.squares + squares + np.square(shift) * (self.count * len(part) / total)
            )
            self.count = total


class _Walk:
    """One walk along the calls of a flat model, all chunks side by side."""

    def __init__(
        self,
        framework: Framework,
        flat: Any,
        norms: int,
        report: Callable[[float, str], None],
        should_stop: Callable[[], bool],
        moments: dict[int, _Moments] | None = None,
    ) -> None:
        self.framework = framework
        self.execution = Execution(framework, flat)
        self.norms = norms
        self.report = report
        self.should_stop = should_stop
        self.moments: dict[int, _Moments] = {} if moments is None else moments
        self._uses = self.execution.last_uses()

    def affordable(self, inputs: Sequence[np.ndarray], step: int) -> int:
        """How many of the samples can be held at once. At least a chunk.

        Told by the shapes where all of it can be held anyway, by running a few where it cannot.
        """
        fixed = fixed_batch(self.execution.flat)
        samples = len(inputs[0])
        whole = samples // fixed * fixed if fixed else samples
        bound = self._most_bytes()
        if bound is not None and bound * whole <= MEMORY:
            return whole
        few = fixed or min(samples, 4)
        peak = 0
        for values in self._steps([[array[:few] for array in inputs]], measure=False):
            peak = max(peak, sum(_bytes(chunk) for chunks in values.values() for chunk in chunks))
        room = MEMORY * few // max(peak, 1)
        return min(whole, max(room // step * step if fixed else room, step))

    def _most_bytes(self) -> int | None:
        """Of all tensors of a sample together; None where their shapes do not tell.

        An operation may make more samples of one.
        """
        total = 0
        for node in self.execution.calls:
            shapes = [tuple(tensor.shape)[1:] for tensor in node.outputs]
            if is_operation(node.layer) or any(None in shape for shape in shapes):
                return None
            total += sum(math.prod(shape) * _LARGEST_VALUE for shape in shapes)
        return total

    def run(self, chunks: Sequence[Sequence[Any]], words: str) -> None:
        """Settle all layers. chunks: of each, an array per input of the model."""
        deque(self._steps(chunks, measure=True, words=words), maxlen=0)

    def _steps(
        self, chunks: Sequence[Sequence[Any]], *, measure: bool, words: str = ""
    ) -> Iterator[dict[int, list[Any]]]:
        """Walk call by call. -> after each, the values that are still needed, by tensor."""
        import tensorflow as tf

        outputs = {id(tensor) for tensor in self.execution.flat.outputs}
        values: dict[int, list[Any]] = {
            id(entry): [tf.convert_to_tensor(chunk[place]) for chunk in chunks]
            for place, entry in enumerate(self.execution.flat.inputs)
        }
        for number, node in enumerate(self.execution.calls):
            read = self.execution.reads(node)
            if not read:
                continue
            seen = [{key: values[key][i] for key in read} for i in range(len(chunks))]
            if measure:
                self._settle(node, seen, words)
            results = [self.execution.call(node, chunk) for chunk in seen]
            for place, tensor in enumerate(node.outputs):
                if id(tensor) in self._uses or id(tensor) in outputs:
                    values[id(tensor)] = [result[place] for result in results]
            for key in read:
                if self._uses[key] == number and key not in outputs:
                    values.pop(key, None)
            yield values

    def _settle(self, node: Node, seen: list[dict[int, Any]], words: str) -> None:
        """Measure the statistics of a call's own BatchNormalization, or of those it repeats."""
        inner = node.layer
        inputs, masks = [], []
        if type(inner).__name__ not in (*_CLASSES, "TimeDistributed"):
            return
        for values in seen:
            args, kwargs = self.execution.arguments(node, values)
            value = args[0] if args else kwargs["inputs"]
            mask = kwargs.get("mask")
            inputs.append(value)
            masks.append(getattr(value, "_keras_mask", None) if mask is None else mask)
        while type(inner).__name__ == "TimeDistributed":
            inner = inner.layer
            inputs = [_folded(value) for value in inputs]
            masks = [None if mask is None else _folded(mask) for mask in masks]
        if type(inner).__name__ in _CLASSES:
            self._measure(inner, inputs, masks)
            self._tell(words)
        elif hasattr(inner, "layers"):
            flat = self.framework.flat(inner)
            inside = _Walk(
                self.framework, flat, self.norms, self.report, self.should_stop, self.moments
            )
            inside.run([[value] for value in inputs], words)

    def _measure(self, norm: Any, inputs: list[Any], masks: list[Any]) -> None:
        known = self.moments.setdefault(id(norm), _Moments())
        for value, mask in zip(inputs, masks, strict=True):
            rows = np.moveaxis(np.asarray(value), _axis(norm), -1)
            if mask is not None and np.ndim(mask) == rows.ndim - 1:
                known.add(rows[np.asarray(mask).astype(bool)])
            else:
                known.add(rows.reshape(-1, rows.shape[-1]))
        if known.count:
            norm.moving_mean.assign(known.mean.astype(np.float32))
            norm.moving_variance.assign((known.squares / known.count).astype(np.float32))

    def _tell(self, words: str) -> None:
        if self.should_stop():
            raise Cancelled
        done = len(self.moments)
        layers = f"BatchNorm {done} of {self.norms}"
        self.report(done / max(1, self.norms), f"{layers} on {words}")


def _axis(norm: Any) -> int:
    """Axis of the channels; tf_keras keeps a list of one."""
    axes = norm.axis if isinstance(norm.axis, list | tuple) else [norm.axis]
    return int(axes[0])


def _folded(value: Any) -> Any:
    """Steps as samples. (n, steps, …) -> (n · steps, …)."""
    import tensorflow as tf

    shape = tf.shape(value)
    return tf.reshape(value, tf.concat([[shape[0] * shape[1]], shape[2:]], axis=0))


def _bytes(value: Any) -> int:
    return int(np.prod(value.shape)) * int(value.dtype.size)

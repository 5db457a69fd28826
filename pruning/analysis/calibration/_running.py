"""Running a model in inference mode and looking inside, the same in both Kerases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration._places import Place
from pruning.frameworks.running import needs_compiler

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis


class Probe:
    """A model that also returns what is at some places; it shares the original's weights.

    Args:
        analysis: Of the model.
        where: Places to look at; several may be in one tensor.
    """

    def __init__(self, analysis: Analysis, where: Sequence[Place]) -> None:
        self._where = where
        tensors = {id(place.tensor): place.tensor for place in where}
        self._index = {key: number for number, key in enumerate(tensors)}
        outputs = list(analysis.flat.outputs)
        self.model = analysis.framework.keras.Model(
            list(analysis.flat.inputs), [*tensors.values(), *outputs]
        )
        self._inside = len(tensors)
        self._compiler = needs_compiler(analysis.flat)
        self._functions: dict[Any, Any] = {}

    def call(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Run. -> (tensor of each place's kind, outputs of the model)."""
        answers = self.model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        listed = list(answers) if isinstance(answers, list | tuple) else [answers]
        return listed[: self._inside], listed[self._inside :]

    def at(self, place: Place, tensors: Sequence[Any]) -> Any:
        """A place's value among ``tensors``. -> float32 (samples, positions, channels)."""
        import tensorflow as tf

        value = tf.cast(tensors[self._index[id(place.tensor)]], tf.float32)
        rank = len(value.shape)
        order = [axis for axis in range(rank) if axis != place.axis] + [place.axis]
        value = tf.transpose(value, order)
        count = len(place.positions)
        value = tf.gather(value, place.positions.T.reshape(-1), axis=rank - 1)
        # A channel that is in several positions of the axis has all of them among its own.
        return tf.reshape(value, (tf.shape(value)[0], -1, count))

    def channels(
        self, inputs: Sequence[np.ndarray], reduced: Callable[[Any], Any]
    ) -> list[np.ndarray]:
        """Reduce what is at each place. -> one array (samples, channels) per place."""
        import tensorflow as tf

        def run(values: Any) -> list[Any]:
            tensors, _ = self.call(values)
            return [reduced(self.at(place, tensors)) for place in self._where]

        if reduced not in self._functions:
            compiled = True if self._compiler else None
            self._functions[reduced] = tf.function(run, jit_compile=compiled, reduce_retracing=True)
        answers = self._functions[reduced]([tf.convert_to_tensor(array) for array in inputs])
        return [np.asarray(answer) for answer in answers]

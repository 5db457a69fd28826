"""Running a model in inference mode and looking inside, the same in both Kerases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration._places import Place
from pruning.frameworks.running import needs_compiler
from pruning.frameworks.strided import sound_gradients

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

Losses = Callable[[Any, Sequence[Any]], Any]


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
        self._inside = len(tensors)
        self._model = analysis.framework.probe(
            analysis.flat, [*tensors.values(), *analysis.flat.outputs]
        )
        self._watched = _floats(analysis.flat.variables)
        self._compiler = True if needs_compiler(analysis.flat) else None
        self._functions: dict[Any, Any] = {}

    def channels(
        self, inputs: Sequence[np.ndarray], reduced: Callable[[Any], Any]
    ) -> list[np.ndarray]:
        """Reduce what is at each place.

        Args:
            inputs: One array (samples, …) per input.
            reduced: (samples, positions, channels) -> (samples, channels).

        Returns:
            One array (samples, channels) per place.
        """

        def run(*values: Any) -> list[Any]:
            tensors, _ = self._call(values)
            return [reduced(self._at(place, tensors)) for place in self._where]

        return _arrays(self._function(reduced, run, inputs)(*_tensors(inputs)))

    def gated(
        self, inputs: Sequence[np.ndarray], targets: np.ndarray, losses: Losses
    ) -> list[np.ndarray]:
        """Value × ∂ loss / ∂ value, summed over positions. -> (samples, channels) per place."""
        import tensorflow as tf

        def run(*given: Any) -> list[Any]:
            *values, wanted = given
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                # Something before each place must be watched, whatever the model trains.
                tape.watch([*self._watched, *(v for v in values if v.dtype.is_floating)])
                tensors, outputs = self._call(values)
                total = tf.reduce_sum(losses(wanted, outputs))
            slopes = tape.gradient(total, tensors, unconnected_gradients="zero")
            products = [
                tf.cast(a, tf.float32) * tf.cast(tf.convert_to_tensor(b), tf.float32)
                for a, b in zip(tensors, slopes, strict=True)
            ]
            return [tf.reduce_sum(self._at(place, products), axis=1) for place in self._where]

        given = [*inputs, targets]
        return _arrays(self._function(losses, run, given)(*_tensors(given)))

    def _call(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Run. -> (tensors that hold places, outputs of the model)."""
        answers = self._model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        listed = list(answers) if isinstance(answers, list | tuple) else [answers]
        return listed[: self._inside], listed[self._inside :]

    def _at(self, place: Place, tensors: Sequence[Any]) -> Any:
        """A place's value among ``tensors``. -> float32 (samples, positions, channels)."""
        import tensorflow as tf

        value = tf.cast(tensors[self._index[id(place.tensor)]], tf.float32)
        rank = len(value.shape)
        order = [axis for axis in range(rank) if axis != place.axis] + [place.axis]
        value = tf.transpose(value, order)
        value = tf.gather(value, place.positions.T.reshape(-1), axis=rank - 1)
        # A channel that is in several positions of the axis has all of them among its own.
        return tf.reshape(value, (tf.shape(value)[0], -1, len(place.positions)))

    def _function(
        self, key: Any, run: Callable[..., list[Any]], given: Sequence[np.ndarray]
    ) -> Any:
        if key not in self._functions:
            self._functions[key] = _traced_once(run, given, self._compiler)
        return self._functions[key]


class Gradients:
    """Derivatives of a number made of the model's outputs, by some of its weights.

    Args:
        analysis: Of the model.
        variables: Weights of the model, trainable or not.
    """

    def __init__(self, analysis: Analysis, variables: Sequence[Any]) -> None:
        self._framework, self._original = analysis.framework, analysis.flat
        self._model = analysis.framework.probe(analysis.flat, analysis.flat.outputs)
        self._variables = [_plain(variable) for variable in variables]
        self._compiler = True if needs_compiler(analysis.flat) else None
        self._function: Any = None

    def of(
        self,
        number: Callable[[Sequence[Any], Any], Any],
        inputs: Sequence[np.ndarray],
        extra: np.ndarray,
    ) -> list[np.ndarray]:
        """Differentiate; a model runs as it does when it predicts.

        Args:
            number: (outputs, extra) -> what is summed up and differentiated. Every call must
                give the same function.
            inputs: One array (samples, …) per input.
            extra: Handed on to ``number``.

        Returns:
            One array of each weight's shape; zeros where the outputs do not depend on it.
        """
        import tensorflow as tf

        def run(*given: Any) -> list[Any]:
            *values, more = given
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(self._variables)
                answers = self._model(
                    list(values) if len(values) > 1 else values[0], training=False
                )
                outputs = list(answers) if isinstance(answers, list | tuple) else [answers]
                total = tf.reduce_sum(number(outputs, more))
            slopes = tape.gradient(total, self._variables, unconnected_gradients="zero")
            # Those of an embedding are slices.
            return [tf.cast(tf.convert_to_tensor(slope), tf.float32) for slope in slopes]

        given = [*inputs, extra]
        if self._function is None:
            self._function = _traced_once(run, given, self._compiler)
        with sound_gradients(self._original, self._framework):
            return _arrays(self._function(*_tensors(given)))


def _traced_once(
    run: Callable[..., list[Any]], given: Sequence[np.ndarray], compiler: bool | None
) -> Any:
    """Compile ``run`` for any number of samples: tracing a recurrent model takes seconds."""
    import tensorflow as tf

    specs = [tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in given]
    return tf.function(run, input_signature=specs, jit_compile=compiler)


def _tensors(arrays: Sequence[np.ndarray]) -> list[Any]:
    import tensorflow as tf

    return [tf.convert_to_tensor(array) for array in arrays]


def _arrays(tensors: Sequence[Any]) -> list[np.ndarray]:
    return [np.asarray(tensor) for tensor in tensors]


def _plain(variable: Any) -> Any:
    """The TensorFlow variable of a Keras 3 variable; tf_keras's are that themselves."""
    return variable.value if hasattr(variable, "path") and hasattr(variable, "value") else variable


def _floats(variables: Sequence[Any]) -> list[Any]:
    plain = [_plain(variable) for variable in variables]
    return [variable for variable in plain if variable.dtype.is_floating]

"""tf_keras, the legacy Keras 2, behind the door of :mod:`pruning.frameworks._base`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pruning.frameworks._base import Node
from pruning.frameworks._graph import GraphFramework, composed, without_build


class TfKeras(GraphFramework):
    """Framework of models that Keras 2 or tf_keras wrote."""

    family = "tf_keras"

    @property
    def keras(self) -> Any:
        """The module ``tf_keras``, imported on first use."""
        import tf_keras

        return tf_keras

    def load(self, path: Path) -> Any:
        """See :class:`Framework`."""
        model = self.keras.models.load_model(str(path), compile=False, safe_mode=True)
        self.require_graph(model)
        return model

    def save(self, model: Any, path: Path) -> None:
        """See :class:`Framework`. A compiled model is saved as a copy that is not compiled."""
        if model.optimizer is not None:
            weights = model.get_weights()
            model = self.clone(model, lambda layer: layer.get_config())
            model.set_weights(weights)
        model.save(str(path))

    def clone(self, model: Any, new_config: Callable[[Any], dict[str, Any]]) -> Any:
        """See :class:`Framework`."""
        made: dict[int, Any] = {}

        def rebuilt(layer: Any) -> Any:
            if id(layer) not in made:
                made[id(layer)] = (
                    cloned(layer)
                    if self._is_model(layer)
                    else type(layer).from_config(without_build(new_config(layer)))
                )
            return made[id(layer)]

        def cloned(inner: Any) -> Any:
            clone = self.keras.models.clone_model(inner, clone_function=rebuilt)
            clone.trainable = inner.trainable
            return clone

        return cloned(model)

    def set_constraint(self, variable: Any, constraint: Callable[[Any], Any] | None) -> None:
        """See :class:`Framework`."""
        variable._constraint = composed(variable._constraint, constraint)

    def _calls(self, model: Any) -> list[Node]:
        calls = []
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                args = () if node.is_input else tuple(node.call_args)
                kwargs = {} if node.is_input else dict(node.call_kwargs)
                leaves = self._flatten([list(args), kwargs])
                calls.append(
                    Node(
                        layer=node.layer,
                        inputs=tuple(x for x in leaves if self._is_symbolic(x)),
                        outputs=tuple(self._flatten(node.outputs)),
                        args=args,
                        kwargs=kwargs,
                    )
                )
        return calls

    def _is_symbolic(self, leaf: Any) -> bool:
        return bool(self.keras.backend.is_keras_tensor(leaf)) if hasattr(leaf, "shape") else False

    def _map(self, function: Callable[[Any], Any], structure: Any) -> Any:
        import tensorflow as tf

        return tf.nest.map_structure(function, structure)

    def _flatten(self, structure: Any) -> list[Any]:
        import tensorflow as tf

        flat: list[Any] = tf.nest.flatten(structure)
        return flat

    def _placeholder(self, tensor: Any) -> Any:
        return self.keras.Input(
            batch_shape=self.shape(tensor), dtype=tensor.dtype, name=tensor.name.split(":")[0]
        )

    @contextmanager
    def _renamed(self, names: dict[int, tuple[Any, str]]) -> Iterator[None]:
        before = [(layer, layer.name) for layer, _ in names.values()]
        try:
            for layer, name in names.values():
                layer._name = name
            yield
        finally:
            for layer, name in before:
                layer._name = name

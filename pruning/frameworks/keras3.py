"""Keras 3 behind the door of :mod:`pruning.frameworks._base`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pruning.frameworks._base import Node
from pruning.frameworks._graph import GraphFramework, composed, without_build


class Keras3(GraphFramework):
    """Framework of models that Keras 3 wrote."""

    family = "keras3"

    @property
    def keras(self) -> Any:
        """The module ``keras``, imported on first use."""
        import keras

        return keras

    def load(self, path: Path) -> Any:
        """See :class:`Framework`."""
        model = self.keras.saving.load_model(str(path), compile=False, safe_mode=True)
        self.require_graph(model)
        return model

    def save(self, model: Any, path: Path) -> None:
        """See :class:`Framework`. A compiled model is saved as a copy that is not compiled."""
        if model.compiled:
            weights = model.get_weights()
            model = self.clone(model, lambda layer: layer.get_config())
            model.set_weights(weights)
        model.save(str(path))

    def nodes(self, flat_model: Any) -> list[Node]:
        """See :class:`Framework`.

        Keras 3 keeps masks in the graph: Embedding and Masking emit operations that compute them.
        These are left out, and mask arguments are not among ``Node.inputs``, as with tf_keras.
        """
        needed = {id(tensor) for tensor in flat_model.outputs}
        kept = []
        for node in reversed(self._calls(flat_model)):
            is_input = isinstance(node.layer, self.keras.layers.InputLayer)
            if is_input or any(id(tensor) in needed for tensor in node.outputs):
                needed.update(id(tensor) for tensor in node.inputs)
                kept.append(node)
        return kept[::-1]

    def clone(self, model: Any, new_config: Callable[[Any], dict[str, Any]]) -> Any:
        """See :class:`Framework`."""

        def rebuilt(layer: Any) -> Any:
            return type(layer).from_config(without_build(new_config(layer)))

        was_compiled, model.compiled = model.compiled, False
        try:
            return self.keras.models.clone_model(
                model, clone_function=rebuilt, recursive=True, cache={}
            )
        finally:
            model.compiled = was_compiled

    def set_constraint(self, variable: Any, constraint: Callable[[Any], Any] | None) -> None:
        """See :class:`Framework`."""
        variable.constraint = composed(variable.constraint, constraint)

    def _calls(self, model: Any) -> list[Node]:
        calls = []
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                arguments = node.arguments
                read = {k: v for k, v in arguments.kwargs.items() if not _is_mask(k)}
                leaves = self._flatten([list(arguments.args), read])
                calls.append(
                    Node(
                        layer=node.operation,
                        inputs=tuple(x for x in leaves if self._is_symbolic(x)),
                        outputs=tuple(node.outputs),
                        args=tuple(arguments.args),
                        kwargs=dict(arguments.kwargs),
                    )
                )
        return calls

    def _is_symbolic(self, leaf: Any) -> bool:
        return isinstance(leaf, self.keras.KerasTensor)

    def _map(self, function: Callable[[Any], Any], structure: Any) -> Any:
        return self.keras.tree.map_structure(function, structure)

    def _flatten(self, structure: Any) -> list[Any]:
        flat: list[Any] = self.keras.tree.flatten(structure)
        return flat

    def _placeholder(self, tensor: Any) -> Any:
        return self.keras.Input(
            batch_shape=tuple(tensor.shape), dtype=tensor.dtype, name=tensor.name
        )

    @contextmanager
    def _renamed(self, names: dict[int, tuple[Any, str]]) -> Iterator[None]:
        before = [(layer, layer.name) for layer, _ in names.values()]
        try:
            for layer, name in names.values():
                layer.name = name
            yield
        finally:
            for layer, name in before:
                layer.name = name


def _is_mask(argument: str) -> bool:
    """Whether Keras fills this keyword argument with a tensor's mask by itself."""
    return argument == "mask" or (argument.endswith("_mask") and argument != "attention_mask")

"""Keras 3 behind the door of :mod:`pruning.frameworks._base`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pruning.errors import ModelFileError
from pruning.frameworks._base import Node
from pruning.frameworks._graph import GraphFramework, composed, distinguish_weights
from pruning.frameworks._loading import (
    activation_names,
    application_layers,
    known_classes,
    readable,
    rebuilding,
    require_family,
)
from pruning.frameworks.canonical import make_canonical
from pruning.frameworks.container import ModelFile, open_model_file
from pruning.frameworks.memory import imported
from pruning.frameworks.safety import check_config


class Keras3(GraphFramework):
    """Framework of models that Keras 3 wrote."""

    family = "keras3"

    @property
    def keras(self) -> Any:
        """The module ``keras``, imported on first use."""
        return imported("keras")

    def load(self, path: Path) -> Any:
        """See :class:`Framework`."""
        file = open_model_file(path)
        require_family(file, self.family)
        _refuse_operations_in_h5(file, self.keras)
        own = application_layers(self.keras.__name__)
        check_config(file, known_classes(self.keras) | set(own), activation_names(self.keras))
        scope = self.keras.saving.custom_object_scope(own)  # an .h5 file names no modules
        with rebuilding(file), scope, readable(file) as clean:
            model = self.keras.saving.load_model(str(clean), compile=False, safe_mode=True)
        self.require_graph(model)
        return model

    def save(self, model: Any, path: Path) -> None:
        """See :class:`Framework`. A compiled model is saved as a copy that is not compiled."""
        model = self.copy(model) if model.compiled else self.rebuilt(model)
        if path.suffix != ".keras":
            distinguish_weights(model, "path", "_path")
        model.save(str(path))
        make_canonical(path)

    def nodes(self, flat_model: Any) -> list[Node]:
        """See :class:`Framework`.

        Keras 3 keeps masks in the graph: Embedding and Masking emit operations that compute them.
        These are left out, and mask arguments are not among ``Node.inputs``, as with tf_keras.
        """
        needed = {id(tensor) for tensor in flat_model.outputs}
        kept = []
        for node in reversed(self.calls(flat_model)):
            is_input = isinstance(node.layer, self.keras.layers.InputLayer)
            if is_input or any(id(tensor) in needed for tensor in node.outputs):
                needed.update(id(tensor) for tensor in node.inputs)
                kept.append(node)
        return kept[::-1]

    def set_constraint(self, variable: Any, constraint: Callable[[Any], Any] | None) -> None:
        """See :class:`Framework`."""
        variable.constraint = composed(variable.constraint, constraint)

    def calls(self, model: Any) -> list[Node]:
        """See :class:`GraphFramework`."""
        calls = []
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                arguments = node.arguments
                read = {k: v for k, v in arguments.kwargs.items() if not _is_mask(k)}
                leaves = self.flatten([list(arguments.args), read])
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

    def map(self, function: Callable[[Any], Any], structure: Any) -> Any:
        """See :class:`GraphFramework`."""
        return self.keras.tree.map_structure(function, structure)

    def flatten(self, structure: Any) -> list[Any]:
        """See :class:`GraphFramework`."""
        flat: list[Any] = self.keras.tree.flatten(structure)
        return flat

    def placeholder(self, tensor: Any, shape: tuple[int | None, ...]) -> Any:
        """See :class:`GraphFramework`."""
        name = tensor._keras_history.operation.name
        return self.keras.Input(batch_shape=shape, dtype=tensor.dtype, name=name)

    def structures(self, model: Any) -> tuple[Any, Any]:
        """See :class:`GraphFramework`."""
        return model._inputs_struct, model._outputs_struct

    def input_layer(self, model: Any) -> Any:
        """See :class:`GraphFramework`."""
        first = model._layers[0] if model._layers else None
        return first if isinstance(first, self.keras.layers.InputLayer) else None

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


def _refuse_operations_in_h5(file: ModelFile, keras: Any) -> None:
    """Keras 3 writes operations such as ``x + y`` or masks into ``.h5``, but cannot read them.

    Raises:
        ModelFileError: The file has such an operation.
    """
    import keras.src.ops as operations

    config = file.config.get("config")
    layers = config.get("layers") if isinstance(config, dict) else None
    if file.file_format != "h5" or not isinstance(layers, list):
        return
    for entry in layers:
        name = str(entry.get("class_name")) if isinstance(entry, dict) else ""
        if not hasattr(keras.layers, name) and _is_operation(operations, name):
            raise ModelFileError(
                f"The .h5 file has the operation {name}, which Keras 3 itself cannot read back"
                " from .h5 (masks of an Embedding and arithmetic on tensors are such operations).",
                expected="A .keras file for a model with operations.",
                fix="Save the model with model.save('model.keras'), and upload that file.",
            )


def _is_operation(operations: Any, name: str) -> bool:
    """Whether an operation class of Keras 3 has that name."""
    packages = ("core", "image", "linalg", "math", "nn", "numpy")
    return any(hasattr(getattr(operations, package), name) for package in packages)

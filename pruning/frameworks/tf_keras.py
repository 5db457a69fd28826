"""tf_keras, the legacy Keras 2, behind the door of :mod:`pruning.frameworks._base`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pruning.frameworks._base import Node
from pruning.frameworks._graph import GraphFramework, composed, distinguish_weights
from pruning.frameworks._loading import (
    activation_names,
    application_layers,
    known_classes,
    read_at_once,
    readable,
    rebuilding,
    require_family,
)
from pruning.frameworks.canonical import make_canonical
from pruning.frameworks.container import WEIGHTS, ModelFile, open_model_file
from pruning.frameworks.kernels import leave_out_gpu_variants
from pruning.frameworks.memory import imported
from pruning.frameworks.safety import check_config


class TfKeras(GraphFramework):
    """Framework of models that Keras 2 or tf_keras wrote."""

    family = "tf_keras"

    @property
    def keras(self) -> Any:
        """The module ``tf_keras``, imported on first use."""
        return _imported()

    def load(self, path: Path) -> Any:
        """See :class:`Framework`."""
        keras = self.keras
        stored = open_model_file(path)
        require_family(stored, self.family)
        file = replace(stored, config=_as_of_today(stored))
        own = application_layers(keras.__name__)
        check_config(file, known_classes(keras) | set(own), activation_names(keras))
        scope = keras.saving.custom_object_scope(own)
        with rebuilding(file), scope, readable(file) as clean:
            if clean.is_dir():
                # As load_model does, but the weights are read from the disk one by one.
                config = json.loads((clean / "config.json").read_text())
                model = keras.saving.deserialize_keras_object(config, safe_mode=True)
                model.load_weights(str(clean / WEIGHTS))
            elif file.config != stored.config:
                model = keras.models.model_from_config(file.config)
                model.load_weights(str(clean))
            else:
                with read_at_once(clean):
                    model = keras.models.load_model(str(clean), compile=False, safe_mode=True)
        self.require_graph(model)
        return model

    def save(self, model: Any, path: Path) -> None:
        """See :class:`Framework`. A compiled model is saved as a copy that is not compiled."""
        model = self.rebuilt(model) if model.optimizer is None else self.copy(model)
        if path.suffix != ".keras":
            distinguish_weights(model, "name", "_handle_name")
        model.save(str(path))
        make_canonical(path)

    def set_constraint(self, variable: Any, constraint: Callable[[Any], Any] | None) -> None:
        """See :class:`Framework`."""
        variable._constraint = composed(variable._constraint, constraint)

    def calls(self, model: Any) -> list[Node]:
        """See :class:`GraphFramework`."""
        calls = []
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                args = () if node.is_input else tuple(node.call_args)
                kwargs = {} if node.is_input else dict(node.call_kwargs)
                leaves = self.flatten([list(args), kwargs])
                calls.append(
                    Node(
                        layer=node.layer,
                        inputs=tuple(x for x in leaves if self._is_symbolic(x)),
                        outputs=tuple(self.flatten(node.outputs)),
                        args=args,
                        kwargs=kwargs,
                    )
                )
        return calls

    def _is_symbolic(self, leaf: Any) -> bool:
        return hasattr(leaf, "_keras_history")

    def map(self, function: Callable[[Any], Any], structure: Any) -> Any:
        """See :class:`GraphFramework`."""
        import tensorflow as tf

        return tf.nest.map_structure(function, structure)

    def flatten(self, structure: Any) -> list[Any]:
        """See :class:`GraphFramework`."""
        import tensorflow as tf

        flat: list[Any] = tf.nest.flatten(structure)
        return flat

    def placeholder(self, tensor: Any, shape: tuple[int | None, ...]) -> Any:
        """See :class:`GraphFramework`."""
        name = tensor._keras_history.layer.name
        return self.keras.Input(batch_shape=shape, dtype=tensor.dtype, name=name)

    def structures(self, model: Any) -> tuple[Any, Any]:
        """See :class:`GraphFramework`."""
        return model._nested_inputs, model._nested_outputs

    def input_layer(self, model: Any) -> Any:
        """See :class:`GraphFramework`."""
        first = next(model._flatten_layers(include_self=False, recursive=False), None)
        return first if isinstance(first, self.keras.layers.InputLayer) else None

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


@cache
def _imported() -> Any:
    keras = imported("tf_keras")
    leave_out_gpu_variants()
    return keras


def _as_of_today(file: ModelFile) -> Any:
    """The configuration with what tf_keras no longer has, or takes for something else, replaced."""
    if file.file_format != "h5":
        return file.config
    config = _each_layer(file.config, _without_cudnn)
    return _each_layer(config, _with_old_gru) if _is_before_reset_after(file) else config


def _each_layer(config: Any, change: Callable[[dict[str, Any]], None]) -> Any:
    """Copy of a configuration in which ``change`` has edited every entry of a layer."""
    if isinstance(config, list):
        return [_each_layer(value, change) for value in config]
    if not isinstance(config, dict):
        return config
    copy = {key: _each_layer(value, change) for key, value in config.items()}
    if isinstance(copy.get("class_name"), str) and isinstance(copy.get("config"), dict):
        change(copy)
    return copy


# What cuDNN computes, in the words of the layers that Keras has for any processor.
_FUNCTIONS = {"activation": "tanh", "recurrent_activation": "sigmoid"}
_CUDNN = {"CuDNNLSTM": _FUNCTIONS, "CuDNNGRU": {**_FUNCTIONS, "reset_after": True}}


def _without_cudnn(entry: dict[str, Any]) -> None:
    """Make a layer for NVIDIA's cuDNN one for any processor; loading turns its weights round."""
    name = entry["class_name"]
    if name in _CUDNN:
        entry["class_name"] = name.removeprefix("CuDNN")
        entry["config"] |= _CUDNN[name]


def _with_old_gru(entry: dict[str, Any]) -> None:
    """Say of a GRU that leaves ``reset_after`` open that it is off."""
    if entry["class_name"] == "GRU":
        entry["config"].setdefault("reset_after", False)


def _is_before_reset_after(file: ModelFile) -> bool:
    """Whether the file is of Keras before 2.4, whose GRU had ``reset_after=False`` by default.

    tf.keras of that time wrote versions with the suffix ``-tf``, and wrote the setting down.
    """
    match = re.fullmatch(r"Keras 2\.(\d+)\.\d+", file.writer)
    return match is not None and int(match[1]) < 4

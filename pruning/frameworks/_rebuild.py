"""Building a model again from edited configurations, nesting and sharing kept.

``keras.models.clone_model`` keeps the input shapes of nested models, and hence fails as soon as a
nested model is to read fewer channels. Here every model is built from what its layers answer: a
nested model's inputs take the shapes that it is called with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pruning.frameworks._base import Bypass, NewArguments, Place

if TYPE_CHECKING:
    from pruning.frameworks._graph import GraphFramework


def without_build(config: Any) -> Any:
    """Copy of a layer's config without ``build_config``, inside wrapped layers too.

    A stored ``build_config`` holds the old input shape and would build the weights of an edited
    layer for it.
    """
    if isinstance(config, dict):
        return {k: without_build(v) for k, v in config.items() if k != "build_config"}
    if isinstance(config, list):
        return [without_build(value) for value in config]
    return config


def with_answers_width(config: dict[str, Any], layer: Any) -> dict[str, Any]:
    """A layer's config with the width of what attention answers, inside wrapped layers too.

    Where its author left it out, Keras takes the query's, which a cut may change alone.
    """
    inner = config.get("layer")
    if isinstance(inner, dict) and hasattr(layer, "layer"):
        wrapped = with_answers_width(inner["config"], layer.layer)
        return {**config, "layer": {**inner, "config": wrapped}}
    if isinstance(config.get("layers"), list) and hasattr(layer, "layers"):
        twins = {twin.name: twin for twin in layer.layers}
        entries = [
            {**e, "config": with_answers_width(e["config"], twins.get(e["config"].get("name")))}
            for e in config["layers"]
        ]
        return {**config, "layers": entries}
    if type(layer).__name__ == "MultiHeadAttention" and not config.get("output_shape"):
        return {**config, "output_shape": int(layer._output_dense.kernel.shape[-1])}
    return config


def _free_settings(layer: Any) -> None:
    """Plain tuples in place of the lists that Keras 3 tracks, and then cannot copy to save them."""
    for name, value in list(vars(layer).items()):
        listed = isinstance(value, list) and type(value) is not list
        if listed and value and all(isinstance(entry, int | float) for entry in value):
            setattr(layer, name, tuple(value))


class Rebuild:
    """One rebuilding of a model; knows which layers were made already.

    Args:
        door: The Keras at work.
        new_config: Gives the configuration of each layer and operation that is no model.
        new_arguments: Gives the arguments of each call, ``None``: as they were.
        bypass: Tensors in whose place others are read; what only they need is not built.
    """

    def __init__(
        self,
        door: GraphFramework,
        new_config: Callable[[Any], dict[str, Any]],
        new_arguments: NewArguments | None = None,
        bypass: Bypass | None = None,
    ) -> None:
        self.door = door
        self.new_config = new_config
        self.new_arguments = new_arguments
        self.bypass = bypass or {}
        self.made: dict[int, tuple[Any, Any]] = {}
        self._initializers: list[tuple[Any, str, Any]] = []

    def run(self, model: Any) -> Any:
        """Build ``model`` again with its own input shapes."""
        new = self._model(model, [])
        for layer, name, initializer in self._initializers:
            setattr(layer, name, initializer)
        new.trainable = model.trainable
        # Outer models come before inner ones, and setting a model's flag sets those inside.
        for old, made in reversed(self.made.values()):
            if hasattr(old, "trainable"):
                made.trainable = old.trainable
        return new

    def _model(self, model: Any, given: list[Any]) -> Any:
        """Build a model for inputs like ``given`` (none: as it was)."""
        if isinstance(model, self.door.keras.Sequential):
            return self._sequential(model, given)
        tensors = [
            self._placeholder(old, new)
            for old, new in zip(model.inputs, given or model.inputs, strict=True)
        ]
        replaced = {id(old): new for old, new in zip(model.inputs, tensors, strict=True)}

        def swap(leaf: Any) -> Any:
            return replaced.get(self._source(model, id(leaf)), leaf)

        needed = self._needed(model) if self.bypass else None
        for node in self.door.calls(model):
            if needed is not None and not any(id(tensor) in needed for tensor in node.outputs):
                continue
            if node.args or node.kwargs:
                args = tuple(self.door.map(swap, list(node.args)))
                kwargs = self.door.map(swap, dict(node.kwargs))
                if self.new_arguments is not None:
                    args, kwargs = self.new_arguments(node.layer, args, kwargs)
                results = self.door.flatten(self._made(node.layer, args, kwargs)(*args, **kwargs))
                pairs = zip(node.outputs, results, strict=True)
                replaced.update({id(old): new for old, new in pairs})
        for tensor in self.door.flatten(model.outputs):
            replaced[id(tensor)] = replaced[self._source(model, id(tensor))]
        inputs, outputs = self.door.structures(model)
        return self.door.keras.Model(
            self.door.map(swap, inputs), self.door.map(swap, outputs), name=model.name
        )

    def _sequential(self, model: Any, given: list[Any]) -> Any:
        keras = self.door.keras
        entry = self.door.input_layer(model)
        layers: list[Any] = []
        if entry is not None:
            layers.append(
                self._placeholder(model.inputs[0], given[0] if given else model.inputs[0])
            )
        answer = layers[0] if layers else (given or [None])[0]
        follow = answer is not None and any(isinstance(x, keras.Model) for x in model.layers)
        skipped = self._skipped(model)
        for number, layer in enumerate(model.layers):
            if number in skipped:
                continue
            layers.append(self._made(layer, (answer,) if follow else (), {}))
            if follow:
                answer = layers[-1](answer)
        new = keras.Sequential(layers, name=model.name)
        if entry is None and not given and getattr(model, "inputs", None):
            new.build(self.door.shape(model.inputs[0]))
        return new

    def _source(self, model: Any, key: int) -> int:
        """The tensor that is read in place of another, bypasses behind each other followed."""
        while (other := self.bypass.get(Place(id(model), key))) is not None:
            key = other.key
        return key

    def _needed(self, model: Any) -> set[int]:
        """Ids of the tensors of a functional model that are still computed."""
        needed = {self._source(model, id(t)) for t in self.door.flatten(model.outputs)}
        for node in reversed(self.door.calls(model)):
            if any(id(tensor) in needed for tensor in node.outputs):
                leaves = self.door.flatten([list(node.args), dict(node.kwargs)])
                needed.update(self._source(model, id(leaf)) for leaf in leaves)
        return needed

    def _skipped(self, model: Any) -> set[int]:
        """Numbers of the layers of a Sequential model that are not built."""
        skipped: set[int] = set()
        number = len(model.layers) - 1
        while number >= 0:
            source = self._source(model, number)
            if source == number:
                number -= 1
            else:
                skipped.update(range(source + 1, number + 1))
                number = source
        return skipped

    def _made(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The new layer for ``layer``, made at its first call."""
        if id(layer) not in self.made:
            if isinstance(layer, self.door.keras.Model):
                read = args[0] if args else kwargs.get("inputs", [])
                new = self._model(layer, self.door.in_order(layer, read))
            else:
                new = type(layer).from_config(without_build(self.new_config(layer)))
                self._start_with_zeros(new)
                _free_settings(new)
            self.made[id(layer)] = (layer, new)
        return self.made[id(layer)][1]

    def _start_with_zeros(self, layer: Any) -> None:
        """Draw no random numbers for weights that are set anyway, until the model is built."""
        zeros = self.door.keras.initializers.Zeros()
        for name, value in list(vars(layer).items()):
            if name.endswith("kernel_initializer") and value is not None:
                self._initializers.append((layer, name, value))
                setattr(layer, name, zeros)

    def _placeholder(self, old: Any, given: Any) -> Any:
        """An input tensor with the name and open dimensions of ``old``, the sizes of ``given``."""
        sizes = zip(self.door.shape(old), self.door.shape(given), strict=True)
        return self.door.placeholder(
            old, tuple(None if was is None else (now or was) for was, now in sizes)
        )

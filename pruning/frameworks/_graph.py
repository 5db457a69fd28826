"""What both Kerases share: walking nested models and inlining them into one flat graph.

A nested model is inlined by replaying its nodes on new symbolic tensors with the same layer
objects. Only what differs between the two Kerases is left to :class:`GraphFramework`'s children.
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from pruning.errors import ModelFileError
from pruning.frameworks._base import Bypass, NewArguments, Node, Place
from pruning.frameworks._rebuild import Rebuild

# Flat model -> {id(layer): path}. The flat model keeps its layers alive, hence ids stay theirs.
_PATHS: weakref.WeakKeyDictionary[Any, dict[int, str]] = weakref.WeakKeyDictionary()
_Origin = tuple[int, Place]
# Flat model -> {id(tensor): [(call, place)]}; the models' own tensors outlive it.
_ORIGINS: weakref.WeakKeyDictionary[Any, dict[int, list[_Origin]]] = weakref.WeakKeyDictionary()
# Flat model -> the same with what is computed beside its outputs, where nested models do so.
_WHOLE: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
# Models that were rebuilt here: what is saved is one of these.
_REBUILT: weakref.WeakSet[Any] = weakref.WeakSet()


class ComposedConstraint:
    """The user's own constraint first, then the one that pruning added.

    Args:
        own: What the model's author set, or None.
        added: What pruning sets, e.g. a multiplication with a mask.
    """

    def __init__(
        self, own: Callable[[Any], Any] | None, added: Callable[[Any], Any] | None
    ) -> None:
        self.own = own
        self.added = added

    def __call__(self, value: Any) -> Any:
        for constraint in (self.own, self.added):
            if constraint is not None:
                value = constraint(value)
        return value


def composed(current: Any, added: Callable[[Any], Any] | None) -> Any:
    """The constraint to store: ``added`` after the user's own, replacing an earlier addition."""
    own = current.own if isinstance(current, ComposedConstraint) else current
    return own if added is None else ComposedConstraint(own, added)


class _Replay:
    """What is noted while nested models are inlined.

    Args:
        names: Of the outermost model's own layers.

    Attributes:
        called: Layer and path of every layer that was called, by its id; the first path stays.
        origins: Number of the call and place of every tensor, by the new tensor's id.
        calls: How many models were called so far, one inside another included.
        answers: What the models answered.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.called: dict[int, tuple[Any, str]] = {}
        self.origins: dict[int, list[_Origin]] = {}
        self.calls = 0
        self.answers: list[Any] = []
        self._taken = set(names)

    def name(self, layer: Any, path: str) -> None:
        """Note a layer under its path, numbered where another has it.

        In tf_keras names may hold slashes, too. The outermost model's own layers keep theirs.
        """
        if id(layer) in self.called:
            return
        numbered = (f"{path}_{number}" for number in count(1))
        mine = path == layer.name or path not in self._taken
        free = path if mine else next(p for p in numbered if p not in self._taken)
        self._taken.add(free)
        self.called[id(layer)] = (layer, free)


def distinguish_weights(model: Any, name: str, stored: str) -> None:
    """Give weights of one top-level layer different names, which ``.h5`` needs.

    Nested models may repeat a layer's name. Reading goes by order, hence any name will do.

    Args:
        model: Rebuilt, for its weights' names are changed.
        name: The attribute that ``.h5`` takes a weight's name from.
        stored: The attribute behind it.
    """
    for layer in model.layers:
        taken: set[str] = set()
        for place, weight in enumerate(layer.weights):
            if getattr(weight, name) in taken:
                setattr(weight, stored, f"{place}/{getattr(weight, name)}")
            taken.add(getattr(weight, name))


class GraphFramework(ABC):
    """The part of :class:`pruning.frameworks._base.Framework` that both Kerases share."""

    family: str

    @property
    @abstractmethod
    def keras(self) -> Any:
        """The module."""

    @abstractmethod
    def calls(self, model: Any) -> list[Node]:
        """Calls of one functional model, nested models as one call, inputs before their readers."""

    @abstractmethod
    def map(self, function: Callable[[Any], Any], structure: Any) -> Any:
        """Apply ``function`` to every leaf of nested tuples, lists and dicts."""

    @abstractmethod
    def flatten(self, structure: Any) -> list[Any]:
        """Leaves of nested tuples, lists and dicts, in a fixed order."""

    @abstractmethod
    def placeholder(self, tensor: Any, shape: tuple[int | None, ...]) -> Any:
        """A new input tensor with the name and dtype of an input tensor, and another shape."""

    @abstractmethod
    def structures(self, model: Any) -> tuple[Any, Any]:
        """Inputs and outputs of a functional model as its author nested them."""

    @abstractmethod
    def input_layer(self, model: Any) -> Any:
        """The InputLayer that a Sequential model begins with, or None."""

    @abstractmethod
    @contextmanager
    def _renamed(self, names: dict[int, tuple[Any, str]]) -> Iterator[None]:
        """Give layers (by id: layer, name) other names while the block runs."""

    def nodes(self, flat_model: Any) -> list[Node]:
        """See :class:`Framework`."""
        return self.calls(flat_model)

    def clone(
        self,
        model: Any,
        new_config: Callable[[Any], dict[str, Any]],
        new_arguments: NewArguments | None = None,
        bypass: Bypass | None = None,
    ) -> Any:
        """See :class:`Framework`. ``new_config`` is asked for operations of Keras 3, too."""
        clone = Rebuild(self, new_config, new_arguments, bypass).run(model)
        _REBUILT.add(clone)
        return clone

    def copy(self, model: Any) -> Any:
        """Rebuild ``model`` with the same weights, not compiled."""
        copy = self.clone(model, lambda layer: layer.get_config())
        copy.set_weights(model.get_weights())
        return copy

    def rebuilt(self, model: Any) -> Any:
        """``model`` itself when :meth:`clone` made it, else a copy.

        Names that Keras gives to weights while it builds a layer differ between a model as its
        author built it, as it was loaded, and as it is rebuilt. Rebuilt models are all alike.
        """
        return model if model in _REBUILT else self.copy(model)

    def layers(self, model: Any) -> Sequence[Any]:
        """See :class:`Framework`."""
        found: dict[int, Any] = {}
        for layer in model.layers:
            for inner in self.layers(layer) if self._is_model(layer) else [layer]:
                found.setdefault(id(inner), inner)
        return list(found.values())

    def shape(self, tensor: Any) -> tuple[int | None, ...]:
        """See :class:`Framework`."""
        return tuple(None if size is None else int(size) for size in tensor.shape)

    def path_of(self, flat_model: Any, layer: Any) -> str:
        """See :class:`Framework`."""
        name: str = layer.name
        return _PATHS.get(flat_model, {}).get(id(layer), name)

    def places(self, flat_model: Any, tensor: Any) -> tuple[tuple[int, Place], ...]:
        """See :class:`Framework`."""
        origins = _ORIGINS.get(flat_model)
        if origins is None:
            return ((0, Place(id(flat_model), id(tensor))),)
        return tuple(origins.get(id(tensor), ()))

    def flat(self, model: Any) -> Any:
        """See :class:`Framework`.

        Raises:
            ModelFileError: The model has no graph: a Sequential that was never given an input
                shape, or a subclassed model.
        """
        self.require_graph(model)
        sequential = isinstance(model, self.keras.Sequential)
        if not sequential and not any(self._is_model(layer) for layer in model.layers):
            return model
        replay = _Replay(layer.name for layer in model.layers if not self._is_model(layer))
        inputs = [self.placeholder(tensor, self.shape(tensor)) for tensor in model.inputs]
        outputs = self._replay(model, inputs, "", replay)
        with self._renamed(replay.called):
            flat = self.keras.Model(
                inputs if len(inputs) > 1 else inputs[0],
                outputs if len(outputs) > 1 else outputs[0],
                name=model.name,
            )
            made = {id(tensor) for node in self.calls(flat) for tensor in node.outputs}
            aside = {id(tensor): tensor for tensor in replay.answers if id(tensor) not in made}
            if aside:
                _WHOLE[flat] = self.keras.Model(inputs, [*outputs, *aside.values()])
        _PATHS[flat] = {key: path for key, (_, path) in replay.called.items()}
        _ORIGINS[flat] = replay.origins
        return flat

    def unread(self, flat_model: Any) -> list[Node]:
        """See :class:`Framework`."""
        if flat_model not in _WHOLE:
            return []
        made = {id(tensor) for node in self.nodes(flat_model) for tensor in node.outputs}
        nodes = self.nodes(_WHOLE[flat_model])
        return [node for node in nodes if not any(id(tensor) in made for tensor in node.outputs)]

    def with_output(self, model: Any, place: int) -> Any:
        """See :class:`Framework`."""
        if len(model.outputs) == 1:
            return model
        inputs, _ = self.structures(model)
        return self.keras.Model(inputs, model.outputs[place], name=model.name)

    def probe(self, flat_model: Any, outputs: Sequence[Any]) -> Any:
        """See :class:`Framework`."""
        paths = _PATHS.get(flat_model, {})
        called = {
            id(node.layer): (node.layer, paths[id(node.layer)])
            for node in self.calls(flat_model)
            if id(node.layer) in paths
        }
        with self._renamed(called):
            return self.keras.Model(list(flat_model.inputs), list(outputs))

    def require_graph(self, model: Any) -> None:
        """Check that the model's layers and connections are known.

        Raises:
            ModelFileError: Not built, or subclassed.
        """
        keras = self.keras
        if isinstance(model, keras.Sequential) and not getattr(model, "inputs", None):
            raise ModelFileError(
                f"The Sequential model {model.name!r} has no input shape: it was never built.",
                expected="A model that knows the shape of its input.",
                fix="Begin it with keras.Input(shape=…), or call model.build(…), and save again.",
            )
        if not getattr(model, "inputs", None) or not hasattr(model, "_nodes_by_depth"):
            if isinstance(model, keras.Sequential):
                return
            raise ModelFileError(
                f"The model is an instance of the Python class {type(model).__name__!r},"
                " whose graph is not in the file.",
                expected="A Sequential model, or a functional one: keras.Model(inputs, outputs).",
                fix="Rebuild it with the functional API, copy the weights, and save it again.",
            )

    def _is_model(self, layer: Any) -> bool:
        return isinstance(layer, self.keras.Model)

    def _replay(self, model: Any, tensors: list[Any], prefix: str, replay: _Replay) -> list[Any]:
        """Call every layer of ``model`` on ``tensors``; nested models layer by layer.

        Args:
            model: Functional or Sequential.
            tensors: One symbolic tensor per input of the model, in the order of ``model.inputs``.
            prefix: Path of the model, with a slash at its end, or "".
            replay: Told of every layer that is called and of every tensor.

        Returns:
            One symbolic tensor per output.
        """
        number_of_call, replay.calls = replay.calls, replay.calls + 1

        def note(new: Any, key: int) -> None:
            entry = (number_of_call, Place(id(model), key))
            replay.origins.setdefault(id(new), []).append(entry)

        if isinstance(model, self.keras.Sequential):
            outputs: Any = tensors[0]
            note(outputs, -1)
            for number, layer in enumerate(model.layers):
                outputs = self._call(layer, (outputs,), {}, prefix, replay)
                outputs = outputs[0] if len(outputs) == 1 else outputs
                note(outputs, number)
            return self.flatten(outputs)
        replaced = {id(old): new for old, new in zip(model.inputs, tensors, strict=True)}
        for old, new in zip(model.inputs, tensors, strict=True):
            note(new, id(old))

        def swap(leaf: Any) -> Any:
            return replaced.get(id(leaf), leaf)

        for node in self.calls(model):
            if not node.inputs and not node.args and not node.kwargs:
                continue
            args, kwargs = self.map(swap, list(node.args)), self.map(swap, dict(node.kwargs))
            results = self._call(node.layer, tuple(args), kwargs, prefix, replay)
            for old, new in zip(node.outputs, results, strict=True):
                replaced[id(old)] = new
                note(new, id(old))
        return [replaced[id(tensor)] for tensor in self.flatten(model.outputs)]

    def _call(
        self,
        layer: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        prefix: str,
        replay: _Replay,
    ) -> list[Any]:
        if self._is_model(layer):
            given = args[0] if args else kwargs["inputs"]
            inputs = self.in_order(layer, given)
            answers = self._replay(layer, inputs, f"{prefix}{layer.name}/", replay)
            replay.answers += answers
            return answers
        replay.name(layer, f"{prefix}{layer.name}")
        return self.flatten(layer(*args, **kwargs))

    def in_order(self, model: Any, given: Any) -> list[Any]:
        """Tensors of a nested call in the order of the nested model's inputs."""
        if isinstance(given, dict):
            names = [tensor.name.split(":")[0] for tensor in model.inputs]
            if set(names) == set(given):
                return [given[name] for name in names]
        return self.flatten(given)

"""The one door to Keras: what the engine asks of Keras 3 and of tf_keras alike.

``keras3.py`` and ``tf_keras.py`` each implement :class:`Framework`. They import their Keras inside
their methods, so that importing this room stays free of TensorFlow. Everything to the right of
this room works on layer objects by attribute and class name, never by importing a Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
NewArguments = Callable[[Any, tuple[Any, ...], dict[str, Any]], Arguments]
"""(layer, args, kwargs) -> (args, kwargs) of a call that is rebuilt."""


@dataclass(frozen=True)
class Place:
    """Where a tensor is in one of the models that are nested in each other.

    Attributes:
        model: ``id`` of the model.
        key: ``id`` of the tensor in a functional model; in a Sequential one the number of the layer
            that answers with it, -1 for the model's input.
    """

    model: int
    key: int


Bypass = Mapping[Place, Place]
"""For a tensor that a rebuilt model shall not compute, the one that is read in its place; both in
the same model."""


@dataclass(frozen=True, eq=False)
class Node:
    """One call of a layer (or operator) in a flat functional graph.

    Attributes:
        layer: The layer or Keras 3 operation object.
        inputs: Symbolic input tensors, in call order (keyword tensors last).
        outputs: Symbolic output tensors.
        args, kwargs: The call's arguments with the symbolic tensors in place.
    """

    layer: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Framework(Protocol):
    """Loading, walking, rebuilding and saving models of one Keras."""

    family: str  # "keras3" | "tf_keras"

    @property
    def keras(self) -> Any:
        """The module: ``keras`` or ``tf_keras``."""

    def load(self, path: Path) -> Any:
        """Load without compiling, in safe mode, from ``.keras`` or ``.h5``.

        Raises:
            ModelFileError: Custom or Lambda layers, weights only, damaged, subclassed model.
        """

    def save(self, model: Any, path: Path) -> None:
        """Write ``.keras`` or ``.h5`` by the path's suffix, without optimizer state.

        What is written is the model as :meth:`clone` rebuilds it, in the form of
        ``canonical.py``: the file's size is a constant of the model's structure plus the bytes of
        its weights.
        """

    def flat(self, model: Any) -> Any:
        """Return a functional model without nested models; the same layer objects, weights shared.

        Layers of nested models are known by path: see :meth:`path_of`.
        """

    def path_of(self, flat_model: Any, layer: Any) -> str:
        """Name that is unique in the model: ``outer/inner`` for a layer of a nested model."""

    def with_output(self, model: Any, place: int) -> Any:
        """The model where it has one output, else one of the same layers that has only that."""

    def probe(self, flat_model: Any, outputs: Sequence[Any]) -> Any:
        """Model of the same layers that returns these tensors of a flat model, as a list.

        It takes its inputs as a list, too, if there are several.
        """

    def places(self, flat_model: Any, tensor: Any) -> tuple[tuple[int, Place], ...]:
        """Where a tensor of a flat model is in the models it was made from, first where it is made.

        Each place comes with the number of the model's call: a nested model may be called on what
        it has answered before. The call of a model has a lower number than those inside it.
        """

    def nodes(self, flat_model: Any) -> list[Node]:
        """All calls of a flat model in an order in which inputs come before their readers."""

    def unread(self, flat_model: Any) -> list[Node]:
        """Calls beside those, for outputs of nested models that nobody reads, in such an order.

        A backbone answers with all its feature maps, of which the model around it may use one.
        """

    def clone(
        self,
        model: Any,
        new_config: Callable[[Any], dict[str, Any]],
        new_arguments: NewArguments | None = None,
        bypass: Bypass | None = None,
    ) -> Any:
        """Rebuild ``model``, nesting included, each layer from ``new_config(layer)``.

        The weights are fresh, the original is not changed. Layers keep names and dtype policies.
        ``new_arguments`` may change the constants that an operator is called with. What only
        bypassed tensors need is left out.
        """

    def layers(self, model: Any) -> Sequence[Any]:
        """All layers with nested models' layers in place of the nested models."""

    def shape(self, tensor: Any) -> tuple[int | None, ...]:
        """Shape of a symbolic tensor, batch dimension included."""

    def set_constraint(self, variable: Any, constraint: Callable[[Any], Any] | None) -> None:
        """Set a variable's constraint, applied by the optimizer after each update."""


def framework(family: str) -> Framework:
    """Return the framework of that family; imports its Keras on first use."""
    if family == "keras3":
        from pruning.frameworks.keras3 import Keras3

        return Keras3()
    if family == "tf_keras":
        from pruning.frameworks.tf_keras import TfKeras

        return TfKeras()
    raise ValueError(f"unknown family {family!r}")


def framework_of(model: Any) -> Framework:
    """Return the framework that ``model`` belongs to, told by its class's module."""
    module = type(model).__module__
    modules = {cls.__module__.split(".")[0] for cls in type(model).__mro__}
    return framework(
        "tf_keras" if module.startswith("tf_keras") or "tf_keras" in modules else "keras3"
    )

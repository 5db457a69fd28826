"""The contract of a layer rule: what one type of layer does to channels.

A rule is frozen data and one function, ``trace``. It is handed a :class:`Call` (one use of a layer
in the model) and says which channels come out, and which channels lie along the axes of the
layer's weights. Everything else is derived from that and is the same for all types: slicing
weights, zeroing consumers for the self-check, editing the configuration, parameters, FLOPs,
scores. A rule therefore cannot cut one thing and price another.

``covers`` holds class names of layers of both Kerases (``Conv2D``), Keras 3 operations
(``ops.Add``) and TensorFlow operators of tf_keras (``tf.math.add``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pruning.analysis.atoms import NO_ATOMS, AtomArray, Atoms

Effect = Literal["cut", "passed", "frozen"]
Shape = tuple[int | None, ...]
Unit = Literal["channel", "unit", "head"]


class NotUnderstoodError(Exception):
    """A rule met a setting it does not know; the message is the reason that freezes the group."""


@dataclass(frozen=True, eq=False)
class Channels:
    """Which axis of a tensor carries channels, and their atoms along it.

    Attributes:
        axis: Counted with the batch dimension; ``None`` when the tensor carries none.
        atoms: (length of the axis,).
    """

    axis: int | None = None
    atoms: AtomArray = field(default_factory=lambda: NO_ATOMS)


@dataclass(eq=False)
class WeightAxes:
    """Which channels lie along the axes of one weight.

    Attributes:
        shape: Of the weight.
        makes: Axes along which this layer produces channels: what a criterion scores.
        carries: Axes that only follow channels made elsewhere (BatchNorm, depthwise kernels).
        reads: Axes that sum over channels: zero there, and the channel has no influence.
        kernel: Whether single values may be set to zero by the method *weights*.
    """

    shape: tuple[int, ...]
    makes: dict[int, AtomArray]
    carries: dict[int, AtomArray]
    reads: dict[int, AtomArray]
    kernel: bool

    @property
    def axes(self) -> dict[int, AtomArray]:
        """All axes with channels."""
        return {**self.makes, **self.carries, **self.reads}


@dataclass(frozen=True, eq=False)
class Setting:
    """An entry of the layer's configuration that equals the number of kept ``atoms``."""

    path: tuple[str | int, ...]
    atoms: AtomArray


@dataclass(frozen=True, eq=False)
class Work:
    """``multiply_adds * product of widths``: part of one call's matrix-like work."""

    multiply_adds: int
    widths: tuple[AtomArray | int, ...]


@dataclass(eq=False)
class LayerTrace:
    """Everything the rules said of one layer, all its calls together.

    Attributes:
        layer: The layer object; ``name`` is its path in the model.
        variables: In the order of ``get_weights()``.
        weights: By index into ``variables``; a missing one is never cut.
        made: Atoms that the layer makes, by the rule's name for them.
        reason: Why the layer's own channels cannot be removed, when the rule knows one.
        output_shape: Of the first output of the first call, without the batch dimension.
    """

    layer: Any
    name: str
    effect: Effect = "frozen"
    variables: list[Any] = field(default_factory=list)
    weights: dict[int, WeightAxes] = field(default_factory=dict)
    settings: dict[tuple[str | int, ...], Setting] = field(default_factory=dict)
    work: list[Work] = field(default_factory=list)
    made: dict[str, AtomArray] = field(default_factory=dict)
    unit: Unit = "channel"
    reason: str | None = None
    inputs: list[Channels] = field(default_factory=list)
    outputs: list[Channels] = field(default_factory=list)
    output_shape: tuple[int | None, ...] = ()


@dataclass(eq=False)
class Call:
    """One use of a layer: its inputs, its shapes, and what the rule may say about it.

    Attributes:
        tensors: The symbolic input tensors, to find one of ``args`` by identity.
        inputs: Their channels, in the same order.
        input_shapes, output_shapes: Batch dimension included, ``None`` where open.
        input_sizes, output_sizes: The same with numbers: batch 1, open dimensions as counted.
        path: Where the layer's configuration lies inside its wrapper's.
    """

    layer: Any
    atoms: Atoms
    record: LayerTrace
    tensors: tuple[Any, ...]
    inputs: tuple[Channels, ...]
    input_shapes: tuple[Shape, ...]
    output_shapes: tuple[Shape, ...]
    input_sizes: tuple[tuple[int, ...], ...]
    output_sizes: tuple[tuple[int, ...], ...]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    rule_for: Callable[[Any], LayerRule]
    path: tuple[str | int, ...] = ()
    times: int = 1

    def along(self, index: int, axis: int) -> AtomArray:
        """Atoms of input ``index`` along ``axis``. -> (size of that axis,).

        When that input carries its channels along another axis, they are frozen: what is read
        across them is not a channel.
        """
        channels = self.inputs[index]
        axis %= len(self.input_sizes[index])
        if channels.axis == axis:
            return channels.atoms
        self.atoms.freeze(
            channels.atoms, f"{self.record.name!r} computes along another axis than the channels."
        )
        fresh = self.atoms.new(self.input_sizes[index][axis])
        self.atoms.freeze(fresh, "These values are positions, not channels of a layer.")
        return fresh

    def new(self, count: int, name: str = "out", unit: Unit = "channel") -> AtomArray:
        """Atoms that this layer makes; every call of a shared layer gets the same ones."""
        key = "/".join(map(str, (*self.path, name)))
        if key not in self.record.made:
            self.record.made[key] = self.atoms.new(count)
            self.record.unit = unit
        return self.record.made[key]

    def weight(
        self,
        variable: Any,
        *,
        makes: Mapping[int, AtomArray] | None = None,
        carries: Mapping[int, AtomArray] | None = None,
        reads: Mapping[int, AtomArray] | None = None,
        kernel: bool = False,
        multiply_adds: int = 0,
    ) -> None:
        """Say which channels lie along the axes of ``variable`` (``None``: the layer has none).

        Args:
            multiply_adds: How often each value of the weight is multiplied in this call.

        Raises:
            NotUnderstoodError: An axis is not as long as its atoms.
        """
        if variable is None:
            return
        axes = WeightAxes(
            tuple(variable.shape), dict(makes or {}), dict(carries or {}), dict(reads or {}), kernel
        )
        for axis, atoms in axes.axes.items():
            if axes.shape[axis] != len(atoms):
                raise NotUnderstoodError(
                    f"the weights of {self.record.name!r} have an unexpected shape {axes.shape}."
                )
        index = next(i for i, v in enumerate(self.record.variables) if v is variable)
        known = self.record.weights.setdefault(index, axes)
        for axis, atoms in axes.axes.items():
            self.atoms.unite(known.axes[axis], atoms)
        if multiply_adds:
            widths = [axes.axes.get(axis, size) for axis, size in enumerate(axes.shape)]
            self.work(multiply_adds, *widths)

    def setting(self, *path: str | int, atoms: AtomArray) -> None:
        """Say that this entry of the configuration is the number of kept ``atoms``."""
        whole = (*self.path, *path)
        known = self.record.settings.setdefault(whole, Setting(whole, atoms))
        self.atoms.unite(known.atoms, atoms)

    def work(self, multiply_adds: int, *widths: AtomArray | int) -> None:
        """Count ``multiply_adds * product of widths`` for this call."""
        self.record.work.append(Work(multiply_adds * self.times, widths))

    def freeze(self, atoms: AtomArray, reason: str) -> None:
        """Forbid to remove ``atoms``."""
        self.atoms.freeze(atoms, reason)

    def frozen_outputs(self, reason: str) -> list[Channels]:
        """Freeze what comes in, and make frozen channels on the last axis of what goes out."""
        for channels in self.inputs:
            self.atoms.freeze(channels.atoms, reason)
        outputs = []
        for size in self.output_sizes:
            axis = len(size) - 1 if len(size) > 1 else None
            atoms = self.atoms.new(size[axis]) if axis is not None else NO_ATOMS
            self.atoms.freeze(atoms, reason)
            outputs.append(Channels(axis, atoms))
        return outputs

    def delegate(
        self,
        layer: Any,
        *path: str | int,
        inputs: Sequence[Channels] | None = None,
        drop_axis: bool = False,
    ) -> Sequence[Channels]:
        """Let the rule of a wrapped ``layer`` speak for it, its weights being the wrapper's.

        Args:
            path: Where its configuration lies in the wrapper's.
            drop_axis: It is applied to every step of axis 1, which it does not see.
        """

        def seen(shapes: Any) -> Any:
            return tuple((s[0], *s[2:]) for s in shapes) if drop_axis else shapes

        given = tuple(self.inputs if inputs is None else inputs)
        if drop_axis:
            given = tuple(_moved(channels, -1) for channels in given)
        inner = Call(
            layer=layer,
            atoms=self.atoms,
            record=self.record,
            tensors=self.tensors,
            inputs=given,
            input_shapes=seen(self.input_shapes),
            output_shapes=seen(self.output_shapes),
            input_sizes=seen(self.input_sizes),
            output_sizes=seen(self.output_sizes),
            args=self.args,
            kwargs=self.kwargs,
            rule_for=self.rule_for,
            path=(*self.path, *path),
            times=self.times * (self.input_sizes[0][1] if drop_axis else 1),
        )
        outputs = self.rule_for(layer).trace(inner)
        return [_moved(channels, 1) for channels in outputs] if drop_axis else outputs


@dataclass(frozen=True)
class LayerRule:
    """One type of layer. See the module's docstring.

    Attributes:
        name: What the file is about.
        covers: Class names, ``ops.`` names and ``tf.`` symbols.
        trace: Says what a call does; returns the channels of each output tensor.
        effect: ``cut``: has weights that are cut. ``passed``: channels go through unchanged.
            ``frozen``: ``reason`` says why its channels stay.
        reason: A sentence for a newcomer, for ``frozen`` rules.
    """

    name: str
    covers: tuple[str, ...]
    trace: Callable[[Call], Sequence[Channels]]
    effect: Effect
    reason: str | None = None


def channel_axis(layer: Any, rank: int) -> int:
    """Axis of the channels by the layer's ``data_format``; the last one without a format."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else rank - 1


def spatial(layer: Any, size: Sequence[int]) -> int:
    """Number of positions in a tensor of this size: all but batch and channels."""
    axis = channel_axis(layer, len(size))
    return int(np.prod([n for i, n in enumerate(size) if i not in (0, axis)], dtype=np.int64))


_ELEMENTWISE = frozenset(
    "linear relu relu6 leakyrelu elu selu celu gelu silu swish mish tanh sigmoid hardsigmoid "
    "hardsilu hardswish hardtanh softplus softsign exponential logsigmoid squareplus sparseplus "
    "sparsesigmoid threshold softshrink hardshrink tanhshrink prelu identity".split()
)


def activation_name(function: Any) -> str:
    """Name of an activation, given as a function, a layer or nothing."""
    if function is None:
        return "linear"
    return str(getattr(function, "__name__", type(function).__name__)).lower()


def check_activation(call: Call, function: Any, atoms: AtomArray) -> None:
    """Freeze ``atoms`` when the activation mixes channels."""
    name = activation_name(function)
    if name.replace("_", "") not in _ELEMENTWISE:
        call.freeze(atoms, f"The activation {name} of {call.record.name!r} mixes its channels.")


def _moved(channels: Channels, by: int) -> Channels:
    if channels.axis is None or channels.axis == 0:
        return channels
    if channels.axis + by < 1:
        raise NotUnderstoodError("the channels lie on the axis that the wrapper walks along.")
    return Channels(channels.axis + by, channels.atoms)

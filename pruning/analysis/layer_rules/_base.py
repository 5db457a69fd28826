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

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pruning.analysis.atoms import NO_ATOMS, AtomArray, Atoms, Request
from pruning.analysis.layer_rules._records import (
    Channels,
    Choice,
    Constant,
    Copies,
    Effect,
    LayerTrace,
    Numbers,
    Setting,
    Shape,
    Sum,
    Unit,
    WeightAxes,
    Work,
)
from pruning.frameworks._base import Framework

__all__ = [
    "Call",
    "Channels",
    "Choice",
    "Constant",
    "Copies",
    "Effect",
    "LayerRule",
    "LayerTrace",
    "NotUnderstoodError",
    "Numbers",
    "Setting",
    "Shape",
    "Sum",
    "Unit",
    "WeightAxes",
    "Work",
]


class NotUnderstoodError(Exception):
    """A rule met a setting it does not know; the message is the reason that freezes the group."""


@dataclass(eq=False)
class Call:
    """One use of a layer: its inputs, its shapes, and what the rule may say about it.

    Attributes:
        tensors: The symbolic input tensors, to find one of ``args`` by identity.
        inputs: Their channels, in the same order.
        input_shapes, output_shapes: Batch dimension included, ``None`` where open.
        input_sizes, output_sizes: The same with numbers: batch 1, open dimensions as counted.
        framework: Of the model's Keras, to walk a wrapped model.
        path: Where the layer's configuration lies inside its wrapper's.
        times: How many rows of the input are one sample: the steps that a wrapper walks along, the
            windows that an image was cut into.
        times_after: The same of the output, where the rule says that it is another number.
        followed: Copies (see :class:`Copies`) of the inputs that the rule let follow channels, and
            the channels of those whose sizes it read without depending on their number.
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
    framework: Framework
    path: tuple[str | int, ...] = ()
    times: int = 1
    times_after: int | None = None
    followed: list[AtomArray] = field(default_factory=list)

    def prefer(self, index: int, axis: int) -> Channels:
        """Input ``index``, its channels along ``axis`` if that is open, see :class:`Choice`."""
        axis %= len(self.input_sizes[index])
        channels = self.inputs[index].settled().preferring(axis)
        self.inputs = (*self.inputs[:index], channels, *self.inputs[index + 1 :])
        return channels

    def beside(self, axes: Collection[int]) -> Channels:
        """The first input, its channels along none of ``axes`` if that is open.

        What an operation compares, normalises or sums is then whole for each channel that stays.
        """
        channels = self.inputs[0].settled()
        others = [axis for axis in channels.open_axes() if axis not in axes]
        if channels.axis in axes and others:
            return self.prefer(0, max(others, key=lambda axis: self.input_sizes[0][axis]))
        return channels

    def along(self, index: int, axis: int) -> AtomArray:
        """Atoms of input ``index`` along ``axis``. -> (size of that axis,).

        When that input carries its channels along another axis, they are frozen: what is read
        across them is not a channel.
        """
        channels = self.prefer(index, axis)
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
            self.record.units[key] = unit
        return self.record.made[key]

    def weight(
        self,
        variable: Any,
        makes: Mapping[int, AtomArray] | None = None,
        carries: Mapping[int, AtomArray] | None = None,
        reads: Mapping[int, AtomArray] | None = None,
        *,
        kernel: bool = False,
        multiply_adds: int = 0,
        root_of: AtomArray | None = None,
    ) -> None:
        """Say which channels lie along the axes of ``variable`` (``None``: the layer has none).

        Args:
            variable: The weight, one of the layer's own.
            makes: Atoms by axis, see :class:`WeightAxes`; likewise the next two.
            carries: Axes that follow channels.
            reads: Axes that sum over channels.
            kernel: Whether the method *weights* may set its values to zero.
            multiply_adds: How often each value of the weight is multiplied in this call.
            root_of: See :attr:`WeightAxes.root_of`.

        Raises:
            NotUnderstoodError: An axis is not as long as its atoms, or another call said that
                other axes have channels.
        """
        if variable is None:
            return
        axes = WeightAxes(
            tuple(variable.shape),
            dict(makes or {}),
            dict(carries or {}),
            dict(reads or {}),
            kernel,
            root_of,
        )
        for axis, atoms in axes.axes.items():
            if axes.shape[axis] != len(atoms):
                raise NotUnderstoodError(
                    f"the weights of {self.record.name!r} have an unexpected shape {axes.shape}."
                )
        places = [i for i, held in enumerate(self.record.variables) if held is variable]
        if not places:
            raise NotUnderstoodError("it computes its weights from others.")
        index = places[0]
        known = self.record.weights.setdefault(index, axes).axes
        if known.keys() != axes.axes.keys():
            raise NotUnderstoodError("its weights meet channels along other axes in another call.")
        for axis, atoms in axes.axes.items():
            self.atoms.unite(known[axis], atoms)
        if multiply_adds:
            widths = [axes.axes.get(axis, size) for axis, size in enumerate(axes.shape)]
            self.work(multiply_adds, *widths)

    def kernel(
        self,
        name: str = "kernel",
        *,
        makes: Mapping[int, AtomArray] | None = None,
        carries: Mapping[int, AtomArray] | None = None,
        reads: Mapping[int, AtomArray] | None = None,
        multiply_adds: int = 0,
    ) -> None:
        """As :meth:`weight`, of the layer's kernel of that name and of its low-rank adapter.

        With LoRA (arXiv:2106.09685) the kernel is W + factor * A B: of the same axes A has all but
        the last, B the last.
        """
        adapted = bool(getattr(self.layer, "lora_enabled", False))
        variable = getattr(self.layer, f"_{name}" if adapted else name)
        said = [dict(makes or {}), dict(carries or {}), dict(reads or {})]
        self.weight(variable, *said, kernel=True, multiply_adds=multiply_adds)
        if not adapted:
            return
        last = len(variable.shape) - 1
        for part in "ab":
            on_last = part == "b"
            axes = [
                {
                    1 if on_last else axis: atoms
                    for axis, atoms in of.items()
                    if on_last == (axis == last)
                }
                for of in said
            ]
            self.weight(getattr(self.layer, f"lora_{name}_{part}"), *axes)
        widths = {axis: atoms for of in said for axis, atoms in of.items()}
        if name == "kernel":  # A B is computed anew for each call
            rank = int(self.layer.lora_kernel_b.shape[0])
            self.work(rank, *(widths.get(axis, int(n)) for axis, n in enumerate(variable.shape)))

    def setting(self, *path: str | int, atoms: AtomArray) -> None:
        """Say that this entry of the configuration is the number of kept ``atoms``."""
        whole = (*self.path, *path)
        known = self.record.settings.setdefault(whole, Setting(whole, atoms))
        self.atoms.unite(known.atoms, atoms)

    def argument(self, *path: str | int, atoms: AtomArray, from_end: bool = False) -> None:
        """Say that this number among the call's arguments is the number of kept ``atoms``.

        Args:
            path: ``"args"`` or ``"kwargs"``, then the way to the number.
            atoms: The channels that it counts.
            from_end: It is written as a negative number: so many from the end.
        """
        if self.path:  # the calls inside a wrapper are not rebuilt one by one
            self.freeze(atoms, f"An operator inside {self.record.name!r} holds this width.")
            return
        known = self.record.arguments.setdefault(path, Setting(path, atoms, from_end))
        self.atoms.unite(known.atoms, atoms)

    def constant(self, *path: str | int, axis: int, atoms: AtomArray) -> None:
        """Say that this array among the call's arguments has a value per channel on ``axis``."""
        if self.path:
            reason = f"An operator inside {self.record.name!r} holds one value per channel."
            self.freeze(atoms, reason)
            return
        known = self.record.constants.setdefault(path, Constant(path, axis, atoms))
        self.atoms.unite(known.atoms, atoms)

    def numbers(self, *path: str | int, atoms: AtomArray, picked: AtomArray) -> None:
        """Say that this argument holds the numbers of the channels ``picked`` among ``atoms``."""
        if self.path:
            self.freeze(atoms, f"An operator inside {self.record.name!r} picks channels by number.")
            return
        known = self.record.numbers.setdefault(path, Numbers(path, atoms, picked))
        self.atoms.unite(known.atoms, atoms)

    def sums(self, index: int, atoms: AtomArray) -> None:
        """Say that this call sums over the channels ``atoms`` of input ``index``, without weights.

        Exact, but no weight reads zeros in their place: for the self-check the input itself is
        multiplied by zeros there. Removed on request only.
        """
        reason = f"{self.record.name!r} sums over these channels, without a weight for each."
        self.atoms.on_request(atoms, Request(0, "summed", reason))
        if self.path:
            self.freeze(atoms, f"An operator inside {self.record.name!r} sums over its channels.")
            return
        axis = self.inputs[index].axis
        if axis is None:
            return
        for path in _places(self.tensors[index], {"args": self.args, "kwargs": self.kwargs}):
            known = self.record.sums.setdefault(path, Sum(path, axis, atoms))
            if known.axis != axis or len(known.atoms) != len(atoms):
                raise NotUnderstoodError("it sums over another axis in another call.")
            self.atoms.unite(known.atoms, atoms)

    def work(self, multiply_adds: int, *widths: AtomArray | int) -> None:
        """Count ``multiply_adds * product of widths`` for this call."""
        self.record.work.append(Work(multiply_adds * self.times, widths))

    def freeze(self, atoms: AtomArray, reason: str) -> None:
        """Forbid to remove ``atoms``."""
        self.atoms.freeze(atoms, reason)

    def inexact(self, atoms: AtomArray, reason: str) -> None:
        """Without ``atoms`` the others change: removed on request only, and the change measured."""
        self.atoms.on_request(atoms, Request(1, "inexact", reason))

    def rescaled(self, atoms: AtomArray, reason: str) -> None:
        """Exact, but weights are not only sliced: removed on request only."""
        self.atoms.on_request(atoms, Request(0, "rescaled", reason))

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
            layer: The wrapped layer.
            path: Where its configuration lies in the wrapper's.
            inputs: Its inputs, when they are not the wrapper's.
            drop_axis: It is applied to every step of axis 1, which it does not see.
        """

        def seen(shapes: Any) -> Any:
            return tuple((s[0], *s[2:]) for s in shapes) if drop_axis else shapes

        given = tuple(self.inputs if inputs is None else inputs)
        if drop_axis:
            given = tuple(self.without_time(channels) for channels in given)
        inner = replace(
            self,
            layer=layer,
            inputs=given,
            input_shapes=seen(self.input_shapes),
            output_shapes=seen(self.output_shapes),
            input_sizes=seen(self.input_sizes),
            output_sizes=seen(self.output_sizes),
            path=(*self.path, *path),
            times=self.times * (self.input_sizes[0][1] if drop_axis else 1),
        )
        outputs = inner.traced()
        return [self.with_time(channels) for channels in outputs] if drop_axis else outputs

    def traced(self) -> Sequence[Channels]:
        """What the layer's rule says. Channels that it neither chose nor hands on are settled."""
        rule = self.rule_for(self.layer)
        outputs = rule.trace(self)
        self.settle_choices(outputs if rule.by_value else ())
        return outputs

    def settle_choices(self, handed: Sequence[Channels]) -> None:
        """Follow the usual axis of what a rule neither chose nor hands on as open as it was."""
        for channels in self.inputs:
            if not any(channels.choice is c.choice for c in handed):
                channels.decided()

    def without_time(self, channels: Channels) -> Channels:
        """As a layer sees them that is applied to every step of axis 1."""
        if 1 in channels.open_axes():
            channels = channels.decided()
        if channels.axis == 1:
            raise NotUnderstoodError("the channels lie on the axis that the wrapper walks along.")
        return channels.moved(-1)

    def with_time(self, channels: Channels) -> Channels:
        """Inverse of :meth:`without_time`."""
        return channels.moved(1)


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
        by_value: Every value is treated by itself: what is known of any axis stays true of it.
    """

    name: str
    covers: tuple[str, ...]
    trace: Callable[[Call], Sequence[Channels]]
    effect: Effect
    reason: str | None = None
    by_value: bool = False


def _places(tensor: Any, held: Any, path: tuple[str | int, ...] = ()) -> Iterator[Any]:
    """Paths at which ``tensor`` itself is in nested arguments."""
    if held is tensor:
        yield path
    elif isinstance(held, Mapping):
        for key, value in held.items():
            yield from _places(tensor, value, (*path, key))
    elif isinstance(held, list | tuple):
        for key, value in enumerate(held):
            yield from _places(tensor, value, (*path, key))

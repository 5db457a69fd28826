"""What a rule says about a layer, as data. Part of the contract, see ``_base.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from pruning.analysis.atoms import NO_ATOMS, AtomArray

Effect = Literal["cut", "passed", "frozen"]
Unit = Literal["channel", "unit", "head"]
Shape = tuple[int | None, ...]


@dataclass(frozen=True, eq=False)
class Copies:
    """An axis along which a tensor repeats the same values, as often as there are ``atoms``."""

    axis: int
    atoms: AtomArray


@dataclass(eq=False)
class Choice:
    """Channels that were spread over several axes: who reads them first says which is followed.

    A dense layer's units become an image of a decoder (the convolution reads the last axis) or the
    heads of attention. Until then nothing is tied, neither are widths written down.

    Attributes:
        axes: For each axis that it could be, the channels that would go together in rows. (n, m).
        usual: The axis that is followed when the reader has no wish.
        settle: Told the axis and its entry of ``axes``, once.
        chosen: The axis that was settled, and its channels.
    """

    axes: dict[int, AtomArray]
    usual: int
    settle: Callable[[int, AtomArray], None]
    chosen: tuple[int, AtomArray] | None = None

    def choose(self, axis: int | None = None) -> None:
        """Follow that axis, the usual one without; what was chosen before stays so."""
        if self.chosen is None:
            axis = self.usual if axis is None else axis
            self.settle(axis, self.axes[axis])
            self.chosen = axis, self.axes[axis][:, 0].copy()


@dataclass(frozen=True, eq=False)
class Channels:
    """Which axis of a tensor carries channels, and their atoms along it.

    Attributes:
        axis: Counted with the batch dimension; ``None`` when the tensor carries none.
        atoms: (length of the axis,).
        copies: Another axis that can follow channels, because its values are all the same.
        summed: Channels that these values are sums over, no layer with weights in between. (n,).
        choice: Which axis it is, as long as that is open; ``axis`` is then the usual one.
        shift: How many axes this tensor has in front of those that ``choice`` counts.
        sizes_of: This tensor holds the sizes of another, whose channels are ``atoms``: their axis
            there; 0 where it holds nothing but their number. (``axis`` is then ``None``.)
    """

    axis: int | None = None
    atoms: AtomArray = field(default_factory=lambda: NO_ATOMS)
    copies: Copies | None = None
    summed: AtomArray = field(default_factory=lambda: NO_ATOMS)
    choice: Choice | None = None
    shift: int = 0
    sizes_of: int | None = None

    def settled(self) -> Channels:
        """With the axis that was chosen, if it was."""
        if self.choice is None or self.choice.chosen is None:
            return self
        axis, atoms = self.choice.chosen
        return Channels(axis + self.shift, atoms, summed=self.summed)

    def preferring(self, axis: int) -> Channels:
        """Along ``axis`` if the choice is open and has it."""
        if self.choice is not None and axis - self.shift in self.choice.axes:
            self.choice.choose(axis - self.shift)
        return self.settled()

    def moved(self, by: int) -> Channels:
        """As a tensor has them that has ``by`` axes more behind the batch; a choice stays open."""
        settled = replace(self.settled(), copies=None)
        if settled.axis is None or settled.axis == 0:
            return settled
        return replace(settled, axis=settled.axis + by, shift=settled.shift + by)

    def open_axes(self) -> tuple[int, ...]:
        """Axes that could still be followed, when that is open."""
        if self.choice is None or self.choice.chosen is not None:
            return ()
        return tuple(axis + self.shift for axis in self.choice.axes)

    def decided(self) -> Channels:
        """With the axis that was chosen, or the usual one from now on."""
        if self.choice is not None:
            self.choice.choose()
        return self.settled()


@dataclass(eq=False)
class WeightAxes:
    """Which channels lie along the axes of one weight.

    Attributes:
        shape: Of the weight.
        makes: Axes along which this layer produces channels: what a criterion scores.
        carries: Axes that only follow channels made elsewhere (BatchNorm, depthwise kernels).
        reads: Axes that sum over channels: zero there, and the channel has no influence.
        kernel: Whether single values may be set to zero by the method *weights*.
        root_of: The layer divides by the root of how many of these there are: the weight is
            multiplied by the root of the share that is kept, so that its product stays the same.
    """

    shape: tuple[int, ...]
    makes: dict[int, AtomArray]
    carries: dict[int, AtomArray]
    reads: dict[int, AtomArray]
    kernel: bool
    root_of: AtomArray | None = None

    @property
    def axes(self) -> dict[int, AtomArray]:
        """All axes with channels."""
        return {**self.makes, **self.carries, **self.reads}


@dataclass(frozen=True, eq=False)
class Setting:
    """An entry of the layer's configuration that equals the number of kept ``atoms``.

    ``from_end``: it is negative, for it counts from the end of the axis.
    """

    path: tuple[str | int, ...]
    atoms: AtomArray
    from_end: bool = False

    def kept(self, removed: np.ndarray) -> int:
        """The entry once the atoms that ``removed`` marks are gone. removed: bool (all atoms,)."""
        count = int((~removed[self.atoms]).sum())
        return -count if self.from_end else count


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant among the layer's call arguments that holds one value per channel on ``axis``."""

    path: tuple[str | int, ...]
    axis: int
    atoms: AtomArray


@dataclass(frozen=True, eq=False)
class Numbers:
    """Numbers of channels among the layer's call arguments: one, or a list or array of them.

    ``atoms`` are the channels that they count, ``picked`` those whose numbers they are.
    """

    path: tuple[str | int, ...]
    atoms: AtomArray
    picked: AtomArray

    def kept(self, numbers: np.ndarray, removed: np.ndarray) -> np.ndarray:
        """Of the channels that stay, counted among these. numbers: (n,). -> (kept,) or ()."""
        stays = ~removed[self.atoms]
        counted = np.cumsum(stays) - 1
        left = numbers[~removed[self.picked]] if numbers.ndim else numbers
        return np.asarray(counted[left], numbers.dtype)


@dataclass(frozen=True, eq=False)
class Sum:
    """A tensor among the call's arguments over whose channels it sums, without weights.

    What would read zeros for removed channels is the operation itself.
    """

    path: tuple[str | int, ...]
    axis: int
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
        settings: Entries of the configuration, by path.
        arguments: Numbers among the call's arguments, by path: ``("args", 1, 3)``.
        constants: Arrays among the call's arguments, by path.
        numbers: Numbers of channels among the call's arguments, by path.
        sums: Tensors among the call's arguments that it sums over, by path.
        made: Atoms that the layer makes, by the rule's name for them.
        units: What one of them is called, by the same name.
        reason: Why the layer's own channels cannot be removed, when the rule knows one.
        output_shape: Of the first output of the first call, without the batch dimension.
    """

    layer: Any
    name: str
    effect: Effect = "frozen"
    variables: list[Any] = field(default_factory=list)
    weights: dict[int, WeightAxes] = field(default_factory=dict)
    settings: dict[tuple[str | int, ...], Setting] = field(default_factory=dict)
    arguments: dict[tuple[str | int, ...], Setting] = field(default_factory=dict)
    constants: dict[tuple[str | int, ...], Constant] = field(default_factory=dict)
    numbers: dict[tuple[str | int, ...], Numbers] = field(default_factory=dict)
    sums: dict[tuple[str | int, ...], Sum] = field(default_factory=dict)
    work: list[Work] = field(default_factory=list)
    made: dict[str, AtomArray] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    reason: str | None = None
    inputs: list[Channels] = field(default_factory=list)
    outputs: list[Channels] = field(default_factory=list)
    output_shape: tuple[int | None, ...] = ()

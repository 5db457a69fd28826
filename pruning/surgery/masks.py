"""Masks on single weights: which kernels, which of their values, and how zeros survive training.

A mask is the constraint of a kernel's variable. Both Kerases' optimizers apply constraints after
each update, inside the compiled step: masked weights are exactly 0 at every step, the model is not
wrapped, and assigning a new mask does not trace the step again. A constraint of the model's author
is applied first.

The rule of which weights go is TF-MOT's (``pruning_impl``): each kernel keeps
``round(count * (1 - sparsity))`` of its largest absolute values. Among equal ones the lower index
stays, where TF-MOT keeps them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pruning import storage
from pruning.errors import PlanError
from pruning.frameworks._base import Framework
from pruning.strategy.plan import PruningPlan
from pruning.strategy.selection import kept_weights

# By name, not by rank: the biases of GRU and attention have rank 2, BatchNorm's gamma has rank 1.
KERNELS = frozenset(
    {
        *("kernel", "recurrent_kernel", "embeddings"),
        *("depthwise_kernel", "pointwise_kernel"),
    }
)


@dataclass(frozen=True, eq=False)
class Kernel:
    """One maskable variable.

    Attributes:
        layer: The layer's path, as in the profile.
        name: Unique in the model, ``layer path/kernel``; the key in ``masks.npz``.
        variable: The Keras variable.
    """

    layer: str
    name: str
    variable: Any

    def value(self) -> np.ndarray:
        """Copy of its value."""
        return np.array(self.variable.numpy())


def kernels_of(model: Any, framework: Framework) -> list[Kernel]:
    """All maskable kernels of a model in its order, nested layers included, shared ones once."""
    flat = framework.flat(model)
    found: list[Kernel] = []
    seen: set[int] = set()
    names: set[str] = set()
    for layer in framework.layers(model):
        path = framework.path_of(flat, layer)
        for index, variable in enumerate(layer.weights):
            parts = _name_parts(variable)
            if parts[-1] not in KERNELS or id(variable) in seen:
                continue
            inside = parts.index(layer.name) + 1 if layer.name in parts[:-1] else 0
            name = "/".join((path, *parts[inside:]))
            if name in names:  # two inner layers of one name
                name = f"{name}#{index}"
            seen.add(id(variable))
            names.add(name)
            found.append(Kernel(path, name, variable))
    return found


def magnitude_mask(values: np.ndarray, kept: int) -> np.ndarray:
    """Mark the ``kept`` largest absolute values. values: any shape -> bool, the same shape.

    Among equal absolute values the lower index stays.
    """
    flat = np.abs(values).reshape(-1)
    if kept >= flat.size:
        return np.ones(values.shape, bool)
    # Zeros are left out: selection among thousands of equal values is forty times slower.
    candidates = flat[flat > 0]
    rank = candidates.size - kept
    threshold = np.partition(candidates, rank)[rank] if rank >= 0 else 0
    mask: np.ndarray = flat > threshold
    ties = np.flatnonzero(flat == threshold)
    mask[ties[: kept - int(mask.sum())]] = True
    return mask.reshape(values.shape)


def layer_masks(kernels: list[np.ndarray], sparsity: float, *, jointly: bool) -> list[np.ndarray]:
    """Masks of one layer's kernels.

    Args:
        kernels: Values, any shapes.
        sparsity: Fraction to zero.
        jointly: Rank the values of all the layer's kernels together, as one threshold for the whole
            model does; otherwise each kernel loses the same fraction, as in TF-MOT.
    """
    if not jointly or len(kernels) == 1:
        return [magnitude_mask(w, kept_weights(w.size, sparsity)) for w in kernels]
    joined = np.concatenate([w.reshape(-1) for w in kernels])
    mask = magnitude_mask(joined, kept_weights(joined.size, sparsity))
    pieces = np.split(mask, np.cumsum([w.size for w in kernels])[:-1])
    return [piece.reshape(w.shape) for piece, w in zip(pieces, kernels, strict=True)]


class WeightMasks:
    """The masks of one model under one plan.

    Args:
        model: The model whose kernels are masked; changed in place.
        framework: Its Keras.
        plan: A plan of the method *weights*.

    Raises:
        PlanError: The plan names a layer without maskable kernels.
    """

    def __init__(self, model: Any, framework: Framework, plan: PruningPlan) -> None:
        self._framework = framework
        self._jointly = plan.scope == "global"
        self.final = {name: ratio for name, ratio in plan.ratios.items() if ratio > 0}
        self._layers: dict[str, list[Kernel]] = {name: [] for name in self.final}
        for kernel in kernels_of(model, framework):
            if kernel.layer in self._layers:
                self._layers[kernel.layer].append(kernel)
        missing = [name for name, kernels in self._layers.items() if not kernels]
        if missing:
            raise PlanError(
                f"These layers have no kernel to mask: {', '.join(missing[:5])}.",
                expected="Names of layers with a kernel or an embedding.",
                fix="Make the plan again for this model.",
            )
        self._masks: dict[str, Any] = {}

    @property
    def kernels(self) -> list[Kernel]:
        """The kernels under a mask."""
        return [kernel for kernels in self._layers.values() for kernel in kernels]

    def attach(self) -> None:
        """Set the masks, all ones at first, as constraints, after those of the model's author."""
        import tensorflow as tf

        for kernel in self.kernels:
            mask = tf.Variable(tf.ones(kernel.variable.shape, tf.bool), trainable=False)
            self._masks[kernel.name] = mask
            self._framework.set_constraint(kernel.variable, _zeroing(mask))

    def detach(self) -> None:
        """Remove the constraints; the weights stay as they are."""
        for kernel in self.kernels:
            self._framework.set_constraint(kernel.variable, None)

    def update(self, sparsity_of: Callable[[float], float]) -> None:
        """Compute the masks from the current weights and zero what they cover.

        Args:
            sparsity_of: A layer's final sparsity -> its sparsity now.
        """
        for layer, kernels in self._layers.items():
            values = [kernel.value() for kernel in kernels]
            masks = layer_masks(values, sparsity_of(self.final[layer]), jointly=self._jointly)
            for kernel, value, mask in zip(kernels, values, masks, strict=True):
                if kernel.name in self._masks:
                    self._masks[kernel.name].assign(mask)
                np.copyto(value, 0, where=~mask)
                kernel.variable.assign(value)

    def apply(self) -> None:
        """Zero what the masks cover once more, whatever was written over the weights meanwhile."""
        for kernel in self.kernels:
            value, mask = kernel.value(), self._masks[kernel.name].numpy()
            np.copyto(value, 0, where=~mask)
            kernel.variable.assign(value)

    def arrays(self) -> dict[str, np.ndarray]:
        """The masks by kernel name, bool, True = stays."""
        return {name: mask.numpy() for name, mask in self._masks.items()}

    def sparsity(self) -> float:
        """Fraction that the masks cover, over all kernels under a mask."""
        covered = total = 0
        for mask in self._masks.values():
            values = mask.numpy()
            covered += values.size - int(np.count_nonzero(values))
            total += values.size
        return covered / total if total else 0.0


def zeros(model: Any, framework: Framework) -> dict[str, tuple[int, int]]:
    """Exact zeros in each kernel. -> {kernel name: (zeros, count)}."""
    counts = {}
    for kernel in kernels_of(model, framework):
        value = kernel.value()
        counts[kernel.name] = (value.size - int(np.count_nonzero(value)), value.size)
    return counts


def sparsity(model: Any, framework: Framework) -> float:
    """Fraction of exact zeros among all maskable weights of a model."""
    counts = zeros(model, framework).values()
    total = sum(count for _, count in counts)
    return sum(found for found, _ in counts) / total if total else 0.0


def save_masks(path: Path, masks: Mapping[str, np.ndarray]) -> None:
    """Write masks as a compressed ``.npz`` of 0/1 uint8 arrays by kernel name."""
    arrays = {name: mask.astype(np.uint8) for name, mask in masks.items()}
    with storage.replacing(path) as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def load_masks(path: Path) -> dict[str, np.ndarray]:
    """Read what :func:`save_masks` wrote. -> bool arrays by kernel name."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name].astype(bool) for name in archive.files}


def _zeroing(mask: Any) -> Callable[[Any], Any]:
    """Constraint that puts +0 where the mask is False; a product would leave -0 and NaN."""

    def constraint(value: Any) -> Any:
        import tensorflow as tf

        value = tf.convert_to_tensor(value)
        return tf.where(mask, value, tf.zeros([], value.dtype))

    return constraint


def _name_parts(variable: Any) -> list[str]:
    """Name parts from the outside in: ``lstm/lstm_cell/kernel:0`` -> [lstm, lstm_cell, kernel]."""
    path = getattr(variable, "path", None) or variable.name
    return [part for part in path.split(":")[0].split("/") if part]

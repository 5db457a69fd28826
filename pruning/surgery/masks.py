"""Masks on single weights: which kernels, which of their values, and how zeros survive training.

A mask is the constraint of a kernel's variable. Both Kerases' optimizers apply constraints after
each update, inside the compiled step: masked weights are exactly 0 at every step, the model is not
wrapped, and assigning a new mask does not trace the step again. A constraint of the model's author
is applied first.

Which weights go is told by the plan: its criterion scores them, its pattern says which go together,
and its scope whether they compete within a kernel or over the model. With the criterion magnitude
and the scopes ``uniform`` and ``layer`` the rule is TF-MOT's (``pruning_impl``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pruning import storage
from pruning.analysis.calibration import KERNEL
from pruning.errors import PlanError
from pruning.frameworks._base import Framework
from pruning.strategy.criteria import criterion
from pruning.strategy.plan import PruningPlan
from pruning.strategy.weight_scores import kernel_scores
from pruning.strategy.weight_selection import kept_masks
from pruning.surgery.kernels import Kernel, kernels_of

__all__ = [
    "Evidence",
    "Kernel",
    "WeightMasks",
    "kernels_of",
    "load_masks",
    "save_masks",
    "sparsity",
    "zeros",
]

Evidence = Callable[[str, Kernel], np.ndarray]
"""(statistic, kernel) -> what is known of the kernel's weights, in its shape or broadcast to it."""


class WeightMasks:
    """The masks of one model under one plan.

    Args:
        model: The model whose kernels are masked; changed in place.
        framework: Its Keras.
        plan: A plan of the method *weights*.
        evidence: Gives what the plan's criterion needs besides the kernels.

    Raises:
        PlanError: The plan names a layer without kernels that its pattern can lie on, or a
            criterion that does not exist.
    """

    def __init__(
        self,
        model: Any,
        framework: Framework,
        plan: PruningPlan,
        evidence: Evidence | None = None,
    ) -> None:
        self._framework = framework
        self._criterion = criterion(plan.criterion, "weights")
        self._evidence = evidence
        self._pattern = plan.pattern_of_zeros
        self.final = {name: ratio for name, ratio in plan.ratios.items() if ratio > 0}
        self._competing = set(self.final) - set(plan.fixed) if plan.scope == "global" else None
        self._layers: dict[str, list[Kernel]] = {name: [] for name in self.final}
        for kernel in kernels_of(model, framework):
            if kernel.layer in self._layers and self._pattern.refusal(kernel.shape) is None:
                self._layers[kernel.layer].append(kernel)
        missing = [name for name, kernels in self._layers.items() if not kernels]
        if missing:
            raise PlanError(
                f"These layers have no kernel to mask: {', '.join(missing[:5])}.",
                expected=f"Names of layers with a kernel that {self._pattern.text} applies to.",
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
            sparsity_of: A layer's final sparsity -> its sparsity now. (Of N:M the final one is
                that of the pattern.)
        """
        fixed = self._pattern.fixed
        sparsities = {
            layer: sparsity_of(ratio if fixed is None else fixed)
            for layer, ratio in self.final.items()
        }
        values = {kernel.name: kernel.value() for kernel in self.kernels}
        scores = {
            layer: [self._scores(kernel, values[kernel.name]) for kernel in kernels]
            for layer, kernels in self._layers.items()
        }
        masks = kept_masks(scores, sparsities, self._pattern, competing=self._competing)
        for layer, kernels in self._layers.items():
            for kernel, mask in zip(kernels, masks[layer], strict=True):
                value = values[kernel.name]
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

    def _scores(self, kernel: Kernel, value: np.ndarray) -> np.ndarray:
        """Larger = keep. -> the kernel's shape."""
        handed = [
            value if need == KERNEL or self._evidence is None else self._evidence(need, kernel)
            for need in self._criterion.needs
        ]
        scores = kernel_scores(self._criterion, handed, competing=self._competing is not None)
        if kernel.name in self._masks and scores.min() < 0:
            # Scores that say which weights move towards zero rank those at zero in between.
            scores = np.where(self._masks[kernel.name].numpy(), scores, -np.inf)
        return scores

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

"""TF-MOT as the reference engine: ``prune_low_magnitude`` … ``strip_pruning``, on tf_keras models.

TF-MOT wraps layers. That happens on a copy; in the end the stripped copy's weights are set in the
model, which stays plain throughout.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pruning.analysis.profile import KernelShape
from pruning.errors import PlanError
from pruning.frameworks._base import Framework
from pruning.strategy.patterns import UNSTRUCTURED, Blocks, NofM, Pattern
from pruning.strategy.plan import PruningPlan
from pruning.strategy.schedules import StepSchedule
from pruning.surgery.masks import kernels_of
from pruning.training.zeroing import plain


class TfmotZeroing:
    """Prunes a copy of the model with TF-MOT's wrappers.

    Attributes:
        trainee: The wrapped copy, which is what has to be fitted.
        callbacks: What TF-MOT needs in ``fit``.

    Raises:
        PlanError: The plan gives a ratio to layers that TF-MOT does not accept.
    """

    def __init__(
        self, model: Any, framework: Framework, plan: PruningPlan, schedule: StepSchedule
    ) -> None:
        import tensorflow_model_optimization as tfmot

        self._tfmot = tfmot.sparsity.keras
        self._model, self._framework = model, framework
        # one_shot is step 0, which TF-MOT never sees: the first batch comes closest.
        self._schedule = replace(schedule, begin=max(schedule.begin, 1), end=max(schedule.end, 1))
        self._ratios = {name: ratio for name, ratio in plan.ratios.items() if ratio > 0}
        self._pattern = plan.pattern_of_zeros
        if self._pattern.fixed is not None:  # TF-MOT's rule for N:M: at the first step, once
            self._schedule = replace(self._schedule, begin=1, end=1)
        copy = framework.clone(model, lambda layer: layer.get_config())
        copy.set_weights(model.get_weights())
        self._check(copy)
        self.trainee = self._wrapped(copy)
        self.callbacks = [self._tfmot.UpdatePruningStep()]
        self.sparsity = 0.0

    def before_step(self, step: int) -> None:
        """TF-MOT computes its masks inside the step."""

    def after_step(self, step: int) -> None:
        """See :class:`pruning.training.zeroing.Zeroing`."""
        if self._schedule.prunes(step):
            masks = [mask.numpy() for _, mask, _ in self._variables()]
            total = sum(mask.size for mask in masks)
            self.sparsity = 1 - sum(int(np.count_nonzero(mask)) for mask in masks) / total

    def settled(self, step: int) -> bool:
        """See :class:`pruning.training.zeroing.Zeroing`."""
        return self._schedule.settled(step)

    def finish(self) -> dict[str, np.ndarray]:
        """See :class:`pruning.training.zeroing.Zeroing`."""
        for weight, mask, _ in self._variables():
            weight.assign(weight * mask)
        stripped = self._tfmot.strip_pruning(self.trainee)
        self._model.set_weights(stripped.get_weights())
        plain(self._model)
        return {
            kernel.name: kernel.value() != 0
            for kernel in kernels_of(self._model, self._framework)
            if kernel.layer in self._ratios
        }

    def _check(self, copy: Any) -> None:
        flat = self._framework.flat(copy)
        refused = []
        for layer in self._framework.layers(copy):
            path = self._framework.path_of(flat, layer)
            if path in self._ratios and not self._prunes(layer):
                refused.append(f"{path} ({type(layer).__name__})")
        if refused:
            how = "" if self._pattern.text == UNSTRUCTURED else f" by {self._pattern.text}"
            raise PlanError(
                f"TF-MOT does not prune these layers{how}: {', '.join(refused[:8])}.",
                expected="Layers of types that TF-MOT can wrap, such as Dense, Conv2D or LSTM.",
                fix="Set their ratios to 0, or choose the studio's engine.",
            )
        self._path = {id(x): self._framework.path_of(flat, x) for x in self._framework.layers(copy)}

    def _prunes(self, layer: Any) -> bool:
        from tensorflow_model_optimization.python.core.sparsity.keras import prune_registry

        registry = prune_registry.PruneRegistry
        if not registry.supports(layer):
            return False
        weights = registry.make_prunable(layer).get_prunable_weights()
        refused = [self._pattern.refusal(KernelShape(tuple(weight.shape))) for weight in weights]
        return bool(weights) and not any(refused)

    def _wrapped(self, model: Any) -> Any:
        """Wrap the layers with a ratio, each with its own schedule, nested models included."""

        def wrap(layer: Any) -> Any:
            if isinstance(layer, self._framework.keras.Model):
                return self._wrapped(layer)
            ratio = self._ratios.get(self._path.get(id(layer), ""), 0.0)
            if ratio == 0:
                return layer
            return self._tfmot.prune_low_magnitude(
                layer, pruning_schedule=self._tf_schedule(ratio), **_arguments(self._pattern)
            )

        return self._framework.keras.models.clone_model(model, clone_function=wrap)

    def _tf_schedule(self, final: float) -> Any:
        steps = self._schedule
        if steps.kind == "polynomial":
            return self._tfmot.PolynomialDecay(
                initial_sparsity=min(steps.initial, final),
                final_sparsity=final,
                begin_step=steps.begin,
                end_step=steps.end,
                power=steps.power,
                frequency=steps.frequency,
            )
        return self._tfmot.ConstantSparsity(
            target_sparsity=final,
            begin_step=steps.begin,
            end_step=steps.end,
            frequency=steps.frequency,
        )

    def _variables(self) -> list[tuple[Any, Any, Any]]:
        from tensorflow_model_optimization.python.core.sparsity.keras import pruning_wrapper

        layers = pruning_wrapper.collect_prunable_layers(self.trainee)
        return [variables for layer in layers for variables in layer.pruning_vars]


def _arguments(pattern: Pattern) -> dict[str, Any]:
    """The pattern in TF-MOT's words; its N:M counts the zeros."""
    if isinstance(pattern, NofM):
        return {"sparsity_m_by_n": (pattern.m - pattern.n, pattern.m)}
    if isinstance(pattern, Blocks):
        pooling = {"average": "AVG", "max": "MAX"}[pattern.pooling]
        return {"block_size": (pattern.height, pattern.width), "block_pooling_type": pooling}
    return {}

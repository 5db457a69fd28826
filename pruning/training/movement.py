"""Where training moves the weights: the statistic ``movement``, added up inside the step.

For each kernel ``-w · ∂ loss / ∂ w`` is summed over all steps, with the values before the step. The
optimizer is handed every gradient; its method that takes them is wrapped, so that the sum is part
of the compiled step of either Keras. Weights that a mask holds at zero add nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pruning.errors import PlanError
from pruning.surgery.masks import Kernel

Pairs = Sequence[tuple[Any, Any]]
"""Gradients with their variables."""


class Movement:
    """The movement of some kernels of one model; called, it tells it as evidence for masks."""

    def __init__(self) -> None:
        self._sums: dict[str, Any] = {}

    def __call__(self, statistic: str, kernel: Kernel) -> np.ndarray:
        """The sum so far. -> the kernel's shape."""
        if kernel.name not in self._sums:
            return np.zeros(kernel.shape.shape, np.float32)
        total: np.ndarray = self._sums[kernel.name].numpy()
        return total

    def watch(self, model: Any, kernels: Sequence[Kernel]) -> None:
        """Add up from now on.

        Args:
            model: Compiled, not yet fitted.
            kernels: Of its layers.

        Raises:
            PlanError: One of them is not trained, so it does not move.
        """
        import tensorflow as tf

        trained = {id(variable) for variable in model.trainable_variables}
        still = [kernel.layer for kernel in kernels if id(kernel.variable) not in trained]
        if still:
            raise PlanError(
                "The criterion movement scores weights during training, but these layers are not "
                f"trained: {', '.join(dict.fromkeys(still))}.",
                expected="Ratios only for layers whose weights training changes.",
                fix="Set their ratios to 0, or choose another criterion, for example magnitude.",
            )
        for kernel in kernels:
            zeros = tf.zeros(kernel.shape.shape)
            self._sums[kernel.name] = tf.Variable(zeros, trainable=False)
        sums = {id(kernel.variable): self._sums[kernel.name] for kernel in kernels}
        _before_updates(model.optimizer, lambda pairs: _add(sums, pairs))


def _add(sums: dict[int, Any], pairs: Pairs) -> None:
    import tensorflow as tf

    for gradient, variable in pairs:
        if gradient is not None and id(variable) in sums:
            # The gradient of an embedding holds the rows that were looked up.
            slope = tf.cast(tf.convert_to_tensor(gradient), tf.float32)
            value = tf.cast(tf.convert_to_tensor(variable), tf.float32)
            sums[id(variable)].assign_sub(value * slope)


def _before_updates(optimizer: Any, told: Callable[[Pairs], None]) -> None:
    """Hand gradients and variables to ``told`` before each update."""
    while hasattr(optimizer, "inner_optimizer"):  # of mixed precision: it unscales the gradients
        optimizer = optimizer.inner_optimizer
    if hasattr(optimizer, "apply"):  # Keras 3
        apply = optimizer.apply

        def keras3(grads: Any, trainable_variables: Any = None) -> Any:
            gradients = list(grads)
            known = optimizer._trainable_variables
            variables = known if trainable_variables is None else list(trainable_variables)
            told(list(zip(gradients, variables, strict=True)))
            return apply(gradients, trainable_variables)

        optimizer.apply = keras3
        return
    apply_gradients = optimizer.apply_gradients

    def tf_keras(grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        pairs = list(grads_and_vars)
        told(pairs)
        return apply_gradients(pairs, *args, **kwargs)

    optimizer.apply_gradients = tf_keras

"""The first step of a training runs operation by operation, so that a person sees it at once.

Keras makes a graph of the step before it runs it: seconds for a model of a hundred layers. The same
operations one by one take a fraction of that for a single step. From the second step on the graph
runs: it is faster from then on, and the two compute the same.
"""

from __future__ import annotations

from typing import Any

from pruning.frameworks._base import Framework
from pruning.frameworks.running import (
    loops_over_time,
    needs_compiler,
    takes_samples_for_a_bias,
)


def early_first_step(model: Any, framework: Framework, plain: Any = None) -> list[Any]:
    """Let a compiled ``model`` run its first step without a graph.

    Args:
        model: That is fitted.
        framework: Its Keras.
        plain: The functional model of its layers, where it is not one itself.

    Returns:
        The callback for ``fit`` that turns to the graph afterwards; none for models whose graph is
        made sooner than one such step is done, or which run wrongly or not at all without one.
    """
    walked = model if plain is None else plain
    if (
        needs_compiler(walked)
        or loops_over_time(walked, framework)
        or takes_samples_for_a_bias(walked)
    ):
        return []
    model.run_eagerly = True

    def turn_to_graph(batch: int, logs: Any = None) -> None:
        if model.run_eagerly:
            model.run_eagerly = False
            model.make_train_function(force=True)

    return [framework.keras.callbacks.LambdaCallback(on_train_batch_end=turn_to_graph)]

"""The first step of a training: how it is done, and how a person sees it at once.

Keras makes a graph of the step before it runs it: seconds for a model of a hundred layers. The same
operations one by one take a fraction of that for a single step. From the second step on the graph
runs: it is faster from then on, and the two compute the same. Layers that repeat their operations
for every time step are the exception; their graph can be made before, see ``readiness.py``.
"""

from __future__ import annotations

from typing import Any, Literal

from pruning.frameworks._base import Framework
from pruning.frameworks.running import (
    loops_over_time,
    needs_compiler,
    takes_samples_for_a_bias,
)

Beginning = Literal["at once", "graph", "graph before"]


def beginning(model: Any, framework: Framework) -> Beginning:
    """How the training of a model begins, as far as its layers decide.

    Returns:
        ``at once``: its first step is done without a graph. ``graph before``: the graph is made
        sooner than one such step is done, and can be made beforehand. ``graph``: the model runs
        wrongly or not at all without one, and is left to Keras.
    """
    if needs_compiler(model):
        return "graph"
    if loops_over_time(model, framework):
        return "graph before"
    return "graph" if takes_samples_for_a_bias(model) else "at once"


def early_first_step(model: Any, framework: Framework, plain: Any = None) -> list[Any]:
    """Let a compiled ``model`` run its first step without a graph.

    Args:
        model: That is fitted.
        framework: Its Keras.
        plain: The functional model of its layers, where it is not one itself.

    Returns:
        The callback for ``fit`` that turns to the graph afterwards; none for models that do not
        begin at once.
    """
    if beginning(model if plain is None else plain, framework) != "at once":
        return []
    model.run_eagerly = True

    def turn_to_graph(batch: int, logs: Any = None) -> None:
        if model.run_eagerly:
            model.run_eagerly = False
            model.make_train_function(force=True)

    return [framework.keras.callbacks.LambdaCallback(on_train_batch_end=turn_to_graph)]

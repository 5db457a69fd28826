"""Leave out whole blocks: a new model in which what follows a block reads the block's input.

Copy, leave out, check. The original is never changed: the model is built anew, nesting kept,
without what only the blocks need; the layers that stay get the original's weights as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.analysis import liveness
from pruning.analysis.blocks import common_places
from pruning.analysis.profile import Block
from pruning.analysis.profiler import Analysis
from pruning.errors import PlanError, SelfCheckError
from pruning.frameworks._base import Place
from pruning.frameworks.execution import Execution
from pruning.strategy.block_targets import check_inputs
from pruning.surgery.self_check import (
    SelfCheck,
    answered,
    checked_inputs,
    difference,
    outputs,
    tolerance_for,
)


@dataclass(eq=False)
class Removal:
    """A model without some of its blocks.

    Attributes:
        model: Of the original's Keras, not compiled.
        layers: The content of ``layers.json``.
        blocks: What was left out, in the model's order.
    """

    model: Any
    layers: dict[str, Any]
    blocks: tuple[Block, ...]


def remove(analysis: Analysis, names: Collection[str]) -> Removal:
    """Leave out blocks.

    Args:
        analysis: Of the original.
        names: Ids of removable blocks; one may be part of another.

    Raises:
        PlanError: A block does not exist or cannot go, or an input would not be read any more.
    """
    blocks = chosen_blocks(analysis, names)
    bypass: dict[Place, Place] = {}
    for pair in liveness.bypassed(blocks).items():
        places = common_places(analysis.framework, analysis.flat, analysis.graph, pair)
        assert places is not None  # else the block is not removable
        bypass[places[0]] = places[1]
    model = analysis.framework.clone(
        analysis.model, lambda layer: layer.get_config(), bypass=bypass
    )
    _copy_weights(analysis.model, model)
    return Removal(model, _record(analysis, blocks), blocks)


def chosen_blocks(analysis: Analysis, names: Collection[str]) -> tuple[Block, ...]:
    """The blocks of those ids, in the model's order.

    Raises:
        PlanError: See :func:`remove`.
    """
    profile = analysis.profile
    known = {block.id: block for block in profile.blocks}
    for name in names:
        if name not in known or not known[name].removable:
            reason = f": {known[name].reason}" if name in known else ", for it does not exist."
            raise PlanError(
                f"The block {name!r} cannot be removed{reason}",
                expected="Blocks that the analysis of this model calls removable.",
                fix="Make the plan again for this model.",
            )
    blocks = tuple(block for block in profile.blocks if block.id in set(names))
    check_inputs(profile, names)
    return blocks


def check_removal(
    analysis: Analysis,
    removal: Removal,
    samples: Sequence[np.ndarray] | None = None,
    *,
    seed: int = 0,
) -> SelfCheck:
    """Compare the smaller model with the original whose layers are called one by one.

    The original's own layers are called as its graph says, and wherever the output of a removed
    block is read, the value of the block's input is handed over. Neither the rebuilt model nor a
    copied weight takes part in that.

    Args:
        analysis: Of the original.
        removal: What :func:`remove` made of it.
        samples: One array (samples, …) per input; a few random ones when not given.
        seed: Of the random samples.

    Raises:
        SelfCheckError: The outputs differ by more than the tolerance, or are not finite.
    """
    inputs, expected = answered(
        lambda given: bypassed_outputs(analysis, removal.blocks, given),
        checked_inputs(analysis, samples, seed),
    )
    actual = outputs(removal.model, inputs)
    tolerance = tolerance_for(analysis, expected)
    error = difference(expected, actual)
    if not error <= tolerance:
        raise SelfCheckError(
            f"The model without its blocks differs from what it should be by {error:.3g} on "
            f"{len(inputs[0])} samples.",
            expected=f"The same outputs to {tolerance:.3g} as the original whose removed blocks "
            "pass their inputs on.",
            fix="Nothing was saved. Lock the blocks that you chose last, and report this as a bug "
            "with the model's layers.",
        )
    return SelfCheck(error, tolerance, len(inputs[0]))


def bypassed_outputs(
    analysis: Analysis, blocks: Collection[Block], inputs: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Outputs of the original in which blocks pass their inputs on. -> one float32 array each."""
    tensors = analysis.graph.tensors
    instead = {id(tensors[t]): id(tensors[s]) for t, s in liveness.bypassed(blocks).items()}
    values = Execution(analysis.framework, analysis.flat).run(list(inputs), instead)
    return [np.asarray(values[id(tensor)], np.float32) for tensor in analysis.flat.outputs]


def _copy_weights(model: Any, copy: Any) -> None:
    """Give every layer that is still there its weights, nested models walked."""
    twins = {twin.name: twin for twin in copy.layers}
    for layer in model.layers:
        twin = twins.get(layer.name)
        if twin is None:
            continue
        if hasattr(layer, "layers") and hasattr(layer, "inputs"):
            _copy_weights(layer, twin)
        elif weights := layer.get_weights():
            twin.set_weights(weights)


def _record(analysis: Analysis, blocks: Sequence[Block]) -> dict[str, Any]:
    """The content of ``layers.json``: what was left out, and who reads what instead."""
    profile = analysis.profile
    made: dict[str, list[int]] = {}
    makers = {}
    for call in profile.calls:
        made.setdefault(call.layer, []).extend(call.makes)
        makers.update(dict.fromkeys(call.makes, call.layer))

    def named(prefix: str, tensor: int) -> dict[str, Any]:
        layer = makers[tensor]
        answers = made[layer]
        number = {f"{prefix}output_number": answers.index(tensor)} if len(answers) > 1 else {}
        return {f"{prefix}output_of": layer, **number}

    return {
        "format": 1,
        "blocks": [
            {
                "id": block.id,
                "kind": block.kind,
                "output_of": block.target,
                "replaced_by_output_of": block.source,
                "calls": [
                    {**named("", target), **named("replaced_by_", origin)}
                    for target, origin in block.bypasses
                ],
            }
            for block in blocks
        ],
        "removed": list(liveness.removed_layers(profile, {block.id for block in blocks})),
    }

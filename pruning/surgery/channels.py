"""Really remove channels: a new, smaller model with slices of the original's weights.

Copy, cut, check. The original is never changed: the model is rebuilt from edited configurations,
then every layer gets its own weights, cut along the axes on which its rule saw removed channels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.analysis.layer_rules._base import LayerTrace
from pruning.analysis.profiler import Analysis
from pruning.errors import PlanError
from pruning.surgery._edits import edited_arguments, edited_config, silenced


@dataclass(eq=False)
class Cut:
    """A cut model and what was kept.

    Attributes:
        model: The smaller model, of the original's Keras, not compiled.
        channels: The content of ``channels.json``: kept indices of each cut axis of the original,
            and the ``factor`` of a weight that is multiplied besides.
        kept: Kept channels by group id, as int64 indices into the group.
    """

    model: Any
    channels: dict[str, Any]
    kept: dict[str, np.ndarray]


def cut(analysis: Analysis, kept: Mapping[str, Any]) -> Cut:
    """Remove all channels that ``kept`` does not name.

    Args:
        analysis: Of the model to cut.
        kept: {group id: indices of the channels that stay}; a missing group is left whole.

    Raises:
        PlanError: A group does not exist or is frozen, an index is out of range or doubled, or
            fewer channels would be left than the group's minimum.
    """
    checked = _checked(analysis, kept)
    removed = analysis.channels.removed(checked)
    records = {id(record.layer): record for record in analysis.layers}

    def new_config(layer: Any) -> dict[str, Any]:
        return edited_config(layer, records.get(id(layer)), removed)

    def new_arguments(
        layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return edited_arguments(records.get(id(layer)), args, kwargs, removed)

    model = analysis.framework.clone(analysis.model, new_config, new_arguments)
    record_of_cuts = channels_record(analysis, checked)
    for layer, copy in _pairs(analysis.model, model):
        record = records.get(id(layer))
        weights = layer.get_weights()
        if record is not None:
            for entry in record_of_cuts["layers"].get(record.name, ()):
                weights[entry["weight"]] = np.take(
                    weights[entry["weight"]], entry["kept"], axis=entry["axis"]
                )
            for index, factor in _factors(record, removed):
                weights[index] = (weights[index] * factor).astype(weights[index].dtype)
        if weights:
            copy.set_weights(weights)
    return Cut(model, record_of_cuts, checked)


def channels_record(analysis: Analysis, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``channels.json`` for a cut of the analysed model, see :class:`Cut`."""
    removed = analysis.channels.removed(kept)
    layers = {}
    for record in analysis.layers:
        cuts, factors = _cuts(record, removed), dict(_factors(record, removed))
        for entry in cuts:
            if entry["weight"] in factors:
                entry["factor"] = factors[entry["weight"]]
        if cuts:
            layers[record.name] = cuts
    return {"format": 1, "layers": layers}


@contextmanager
def consumers_read_zeros(analysis: Analysis, kept: Mapping[str, Any]) -> Iterator[Any]:
    """The original while the readers of removed channels read zeros: the cut's oracle.

    Only weights along reading axes are zeroed, and what operations read that sum without weights;
    zeroing the makers instead would leave biases and BatchNorm's shift behind. The weights are
    the original's own, and are put back at the end.

    Args:
        analysis: Of the original.
        kept: As in :func:`cut`.

    Yields:
        A model of the original's size.
    """
    removed = analysis.channels.removed(kept)
    before: list[tuple[Any, list[np.ndarray]]] = []
    try:
        for record in analysis.layers:
            reading = _reading(record, removed)
            if reading:
                weights = record.layer.get_weights()
                before.append((record.layer, weights))
                record.layer.set_weights(_zeroed(weights, reading))
        yield _silenced(analysis, removed)
    finally:
        for layer, weights in before:
            layer.set_weights(weights)


def _reading(record: LayerTrace, removed: np.ndarray) -> list[tuple[int, int, np.ndarray]]:
    """Where a layer's weights read removed channels. -> [(weight, axis, bool along it)]."""
    return [
        (index, axis, removed[atoms])
        for index, axes in record.weights.items()
        for axis, atoms in axes.reads.items()
        if removed[atoms].any()
    ]


def _zeroed(
    weights: list[np.ndarray], reading: list[tuple[int, int, np.ndarray]]
) -> list[np.ndarray]:
    changed = list(weights)
    for index in {index for index, _, _ in reading}:
        changed[index] = weights[index].copy()
    for index, axis, removed in reading:
        np.moveaxis(changed[index], axis, 0)[removed] = 0
    return changed


def _silenced(analysis: Analysis, removed: np.ndarray) -> Any:
    """The model itself, or a copy of it where operations sum removed channels without weights."""
    sums = (read for record in analysis.layers for read in record.sums.values())
    if not any(removed[read.atoms].any() for read in sums):
        return analysis.model
    records = {id(record.layer): record for record in analysis.layers}
    framework = analysis.framework

    def new_arguments(
        layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return silenced(framework.keras, records.get(id(layer)), args, kwargs, removed)

    model = framework.clone(analysis.model, lambda layer: layer.get_config(), new_arguments)
    for layer, copy in _pairs(analysis.model, model):
        if weights := layer.get_weights():
            copy.set_weights(weights)
    return model


def _pairs(model: Any, copy: Any) -> Iterator[tuple[Any, Any]]:
    """Every layer of the original beside the same layer of the copy, nested models walked."""
    twins = {twin.name: twin for twin in copy.layers}
    for layer in model.layers:
        twin = twins[layer.name]
        if hasattr(layer, "layers") and hasattr(layer, "inputs"):
            yield from _pairs(layer, twin)
        else:
            yield layer, twin


def _checked(analysis: Analysis, kept: Mapping[str, Any]) -> dict[str, np.ndarray]:
    groups = {group.id: group for group in analysis.groups}
    checked = {}
    for name, indices in kept.items():
        group = groups.get(name)
        if group is None or not group.can_shrink:
            raise PlanError(
                f"The channels of {name!r} cannot be removed"
                f"{'' if group is None else f': {group.reason}'}",
                expected="Groups that the analysis of this model calls prunable.",
                fix="Make the plan again for this model.",
            )
        chosen = np.unique(np.asarray(indices, np.int64))
        in_range = len(chosen) and chosen[0] >= 0 and chosen[-1] < group.channels
        if not in_range or len(chosen) != len(np.asarray(indices)) or len(chosen) < group.minimum:
            raise PlanError(
                f"The plan keeps {len(np.asarray(indices))} of {group.channels} channels of"
                f" {name!r} by numbers that do not fit.",
                expected=f"At least {group.minimum} different numbers from 0 to"
                f" {group.channels - 1}.",
                fix="Lower the ratio of this group, or make the plan again.",
            )
        checked[name] = chosen
    return checked


def _cuts(record: LayerTrace, removed: np.ndarray) -> list[dict[str, Any]]:
    """Kept indices of every axis that loses something, as ``channels.json`` lists them."""
    return [
        {"weight": index, "axis": axis, "kept": np.flatnonzero(~removed[atoms]).tolist()}
        for index, axes in sorted(record.weights.items())
        for axis, atoms in sorted(axes.axes.items())
        if removed[atoms].any()
    ]


def _factors(record: LayerTrace, removed: np.ndarray) -> list[tuple[int, float]]:
    """What weights are multiplied by, see ``WeightAxes.root_of``. -> [(weight, factor)]."""
    return [
        (index, float(np.sqrt((~removed[axes.root_of]).mean())))
        for index, axes in sorted(record.weights.items())
        if axes.root_of is not None and removed[axes.root_of].any()
    ]

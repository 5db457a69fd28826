"""One line of advice on a layer: what cutting its channels would bring, in exact figures."""

from __future__ import annotations

import numpy as np

from pages.components.text import plain
from pruning import quantities
from pruning.analysis.profile import Group, Layer, ModelProfile

_WORTH_IT = 0.02  # of all parameters or FLOPs


def advice(profile: ModelProfile, layer: Layer, scores: np.ndarray | None) -> str:
    """Say in one line what to do with a layer. -> Markdown.

    Args:
        profile: The model.
        layer: The layer that is looked at.
        scores: Scores of the channels of the group it makes, (channels,); None when unknown.
    """
    group = group_of(profile, layer)
    if group is None:
        why = plain(layer.reason) if layer.reason else "It makes no channels of its own."
        return f"Nothing to cut here. {why}"
    if not group.prunable and _tied_to_an_input(profile, layer, group):
        return (
            "Leave it: its channels can only go together with those of the model's input, whose "
            "shape is given from outside."
        )
    if not group.prunable:
        return f"Leave it: {plain(group.reason or 'its channels are frozen.')}"
    params, flops = halved(profile, group)
    head = (
        f"Removing half of the {quantities.plural(group.channels, group.unit)} of its group saves "
        f"**{quantities.percent(params)}** of the parameters and "
        f"**{quantities.percent(flops)}** of the FLOPs of the whole model. "
    )
    if max(params, flops) < _WORTH_IT:
        return head + "It is hardly worth the risk: begin with larger groups."
    return head + (_by_scores(scores) if scores is not None and len(scores) > 1 else "")


def group_of(profile: ModelProfile, layer: Layer) -> Group | None:
    """The channel group that a layer's outputs belong to, or ``None``."""
    known = {group.id: group for group in profile.groups}
    return next((known[name] for name in layer.groups_out if name in known), None)


def _tied_to_an_input(profile: ModelProfile, layer: Layer, group: Group) -> bool:
    """The reason is told of the input; of a layer that is added to it, it would be wrong."""
    inputs = [entry for entry in profile.layers if entry.cls == "InputLayer"]
    return layer not in inputs and any(group.id in entry.groups_out for entry in inputs)


def halved(profile: ModelProfile, group: Group) -> tuple[float, float]:
    """What halving one group saves, as fractions of the model's parameters and FLOPs. Exact."""
    full = {entry.id: entry.channels for entry in profile.groups}
    half = full | {group.id: max(group.minimum, group.channels - group.channels // 2)}
    saved_params = sum(
        layer.params_cost.value(full) - layer.params_cost.value(half) for layer in profile.layers
    )
    saved_flops = sum(
        layer.flops_cost.value(full) - layer.flops_cost.value(half) for layer in profile.layers
    )
    return saved_params / max(profile.params, 1), saved_flops / max(profile.flops, 1)


def _by_scores(scores: np.ndarray) -> str:
    """Judge by how much of the scores the weaker half holds: half would be "all alike"."""
    ordered = np.sort(scores)
    total = float(ordered.sum())
    weak = float(ordered[: len(ordered) // 2].sum()) / total if total > 0 else 0.0
    held = f"Its weaker half holds {quantities.percent(weak)} of the L1 scores"
    if weak < 0.25:
        return f"{held}: a good place to cut."
    if weak < 0.4:
        return f"{held}: cut here moderately and retrain."
    return f"{held}: its channels are much alike, so expect to need retraining."

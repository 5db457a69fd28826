"""The price of a plan, from the profile alone: before → after, each figure with its basis.

Exact figures are computed from the layers' cost polynomials. Nothing is invented: latency is only
given when a measured one is handed in to scale, and no accuracy is ever guessed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pruning.analysis import liveness
from pruning.analysis.profile import ModelProfile
from pruning.strategy import channel_targets, cost_table, sizes
from pruning.strategy.channel_scores import ChannelScores, available_scores, left_whole_note
from pruning.strategy.patterns import kept_weights
from pruning.strategy.plan import PruningPlan
from pruning.strategy.prices import Figure, LayerPrice, Prices, Timed
from pruning.strategy.selection import kept_count
from pruning.strategy.weight_patterns import kernel_counts, pattern_notes, zero_shares
from pruning.strategy.weight_scores import criterion_notes
from pruning.strategy.weight_targets import zeros_and_parts

__all__ = ["Figure", "LayerPrice", "Prices", "Timed", "price"]


def price(
    profile: ModelProfile,
    folder: Path,
    plan: PruningPlan,
    *,
    latency: Timed | None = None,
    accuracy: float | None = None,
    scores: ChannelScores | None = None,
    gzip_bytes: int | None = None,
) -> Prices:
    """Price a plan.

    Args:
        profile: The model that the plan is for.
        folder: Where the profile's arrays are.
        plan: A plan whose names are the model's.
        latency: Measured latency of the model before, when there is one.
        accuracy: Measured accuracy of the model before, when there is one.
        scores: What the plan's criterion says (channels); by default what is stored in ``folder``.
        gzip_bytes: Measured size of the model before, after gzip, when there is one.
    """
    profile = profile.requested(plan.on_request)
    if plan.method == "layers":
        prices = _price_layers(profile, plan, latency, accuracy)
    elif plan.method == "channels":
        known = scores or available_scores(profile, folder, plan.criterion, plan.training.seed)
        prices = _price_channels(profile, known, plan, latency, accuracy)
    else:
        prices = _price_weights(profile, plan, latency, accuracy)
    return prices if gzip_bytes is None else _with_measured_gzip(prices, gzip_bytes)


def _price_channels(
    profile: ModelProfile,
    scores: ChannelScores | None,
    plan: PruningPlan,
    latency: Timed | None,
    accuracy: float | None,
) -> Prices:
    kept = {
        group.id: kept_count(group, plan.ratios.get(group.id, 0.0), plan.round_to)
        for group in profile.prunable_groups
    }
    widths = cost_table.widths(profile, kept)
    params = cost_table.params_table(profile).by_layer(widths)
    flops = cost_table.flops_table(profile).by_layer(widths)
    counts = kernel_counts(profile)
    parts = zeros_and_parts(profile, counts, {})
    shrink = int(params.sum()) / profile.params if profile.params else 1.0
    after = {
        "params": Figure(int(params.sum()), "exact", "Counted from the layers' widths."),
        "flops": Figure(int(flops.sum()), "exact", "Counted from the layers' widths."),
        "bytes": _cut_bytes(profile, params),
        "gzip_bytes": _gzip(
            sizes.gzip_bytes(profile, [(round(n * shrink), zeros) for n, zeros in parts])
        ),
        "nonzero_params": Figure(int(params.sum()), "exact", "No weight is set to zero."),
        "sparsity": Figure(0.0, "exact", "No weight is set to zero."),
        "latency_ms": _latency(
            latency,
            int(flops.sum()) / profile.flops if profile.flops else 1.0,
            "Measured latency × share of FLOPs left, but for the part that does not shrink with "
            "them: told by a cut to about half, in models of up to 5 M parameters.",
        ),
        "accuracy": _unknown_accuracy(),
    }
    changed = any(kept[g.id] < g.channels for g in profile.prunable_groups)
    notes: tuple[str, ...] = ()
    if changed and scores is not None:
        open_groups = [g.id for g in profile.prunable_groups if g.id not in plan.locked]
        notes = channel_targets.indistinct_note(
            {name: v for name, v in scores.values.items() if plan.ratios.get(name, 0.0) > 0}
        ) + left_whole_note(scores, open_groups)
    before = _before(profile, counts, latency, accuracy)
    return Prices(
        before,
        after,
        kept,
        _channel_layers(profile, kept, params, flops),
        _achieved(plan, before, after, profile),
        notes,
    )


def _price_layers(
    profile: ModelProfile, plan: PruningPlan, latency: Timed | None, accuracy: float | None
) -> Prices:
    params, flops = liveness.left(profile, plan.removed)
    gone = set(liveness.removed_layers(profile, plan.removed))
    staying = {name: count for name, count in params.items() if name not in gone}
    counts = kernel_counts(profile)
    shares = {layer.name: layer.zeros for layer in profile.layers}
    kernels = {name: n for name, n in counts.items() if name not in gone}
    rest = sum(params.values()) - sum(kernels.values())
    parts = [*((n, shares[name]) for name, n in kernels.items()), (max(rest, 0), 0.0)]
    total, work = sum(params.values()), sum(flops.values())
    zeros = sum(n * share for n, share in parts)
    counted = "Counted from the layers that stay."
    after = {
        "params": Figure(total, "exact", counted),
        "flops": Figure(work, "exact", counted),
        "bytes": Figure(
            sizes.file_bytes_without(profile, staying) if gone else sizes.whole_bytes(profile),
            "estimated" if gone else "exact",
            "The weights that are left are exact; what the file holds beside them is not.",
        ),
        "gzip_bytes": _gzip(sizes.gzip_bytes(profile, parts)),
        "nonzero_params": Figure(round(total - zeros), "exact", counted),
        "sparsity": Figure(
            zeros / sum(kernels.values()) if kernels else 0.0, "exact", "No weight is set to zero."
        ),
        "latency_ms": _latency(
            Timed(latency.ms) if latency else None,  # what is left out takes all of its time along
            work / profile.flops if profile.flops else 1.0,
            "Measured latency × share of FLOPs left.",
        ),
        "accuracy": _unknown_accuracy(),
    }
    channels = {group.id: group.channels for group in profile.groups}
    layers = tuple(
        LayerPrice(
            name=layer.name,
            params_before=layer.params,
            params_after=params[layer.name],
            flops_before=layer.flops,
            flops_after=flops[layer.name],
            width=(width := sum(channels[g] for g in layer.groups_out)),
            kept_width=0 if layer.name in gone else width,
        )
        for layer in profile.layers
    )
    before = _before(profile, counts, latency, accuracy)
    kept = {block.id: int(block.id not in plan.removed) for block in profile.removable_blocks}
    return Prices(before, after, kept, layers, _achieved(plan, before, after, profile))


def _price_weights(
    profile: ModelProfile, plan: PruningPlan, latency: Timed | None, accuracy: float | None
) -> Prices:
    counts, pattern = kernel_counts(profile), plan.pattern_of_zeros
    shares = zero_shares(profile, pattern, plan.ratios)
    kept = {name: kept_weights(n, shares.get(name, 0.0)) for name, n in counts.items()}
    parts = zeros_and_parts(profile, counts, shares)
    total = sum(counts.values())
    zeros = sum(n * share for n, share in parts)
    before = _before(profile, counts, latency, accuracy)
    counted = "Each kernel keeps its largest weights, to the nearest whole weight."
    after = {
        "params": Figure(profile.params, "exact", "Zeros are stored like any other weight."),
        "flops": Figure(profile.flops, "exact", "The same multiplications are made, with zeros."),
        "bytes": _whole_bytes(profile),
        "gzip_bytes": _gzip(sizes.gzip_bytes(profile, parts)),
        "nonzero_params": Figure(round(profile.params - zeros), "estimated", counted),
        "sparsity": Figure(zeros / total if total else 0.0, "estimated", counted),
        "latency_ms": _latency(
            latency, 1.0, "As before: single zeros do not make dense kernels faster."
        ),
        "accuracy": _unknown_accuracy(),
    }
    layers = tuple(
        LayerPrice(
            name=layer.name,
            params_before=layer.params,
            params_after=layer.params,
            flops_before=layer.flops,
            flops_after=layer.flops,
            width=counts.get(layer.name, 0),
            kept_width=kept.get(layer.name, 0),
        )
        for layer in profile.layers
    )
    achieved = _achieved(plan, before, after, profile)
    return Prices(
        before, after, kept, layers, achieved, pattern_notes(profile, plan) + criterion_notes(plan)
    )


def _before(
    profile: ModelProfile,
    counts: dict[str, int],
    latency: Timed | None,
    accuracy: float | None,
) -> dict[str, Figure]:
    parts = zeros_and_parts(profile, counts, {})
    zeros = sum(n * share for n, share in parts)
    total = sum(counts.values())
    counted = "Counted in the model."
    return {
        "params": Figure(profile.params, "exact", counted),
        "flops": Figure(profile.flops, "exact", counted),
        "bytes": _whole_bytes(profile),
        "gzip_bytes": _gzip(sizes.gzip_bytes(profile, parts)),
        "nonzero_params": Figure(round(profile.params - zeros), "exact", counted),
        "sparsity": Figure(zeros / total if total else 0.0, "exact", counted),
        "latency_ms": Figure(latency.ms if latency else None, "measured" if latency else None),
        "accuracy": Figure(accuracy, "measured" if accuracy is not None else None),
    }


def _whole_bytes(profile: ModelProfile) -> Figure:
    """The file with all its weights. Their values do not change its size, zeros neither."""
    return Figure(sizes.whole_bytes(profile), "exact", "As the studio saves this model, measured.")


def _cut_bytes(profile: ModelProfile, params: np.ndarray) -> Figure:
    """params: (layers,), what is left of each."""
    value_bytes = np.array([layer.value_bytes for layer in profile.layers], np.int64)
    return Figure(
        sizes.file_bytes(profile, int(value_bytes @ params)),
        "exact" if sizes.cuts_are_exact(profile) else "estimated",
        "The weights that are left, and what the file holds beside them, which cutting keeps.",
    )


def _gzip(size: int) -> Figure:
    return Figure(size, "estimated", "As random weights with so many zeros compress, gzip -6.")


def _with_measured_gzip(prices: Prices, measured: int) -> Prices:
    """Put the measured size in place of the estimated one, and scale what is left with it."""
    old, new = (side["gzip_bytes"].value or 0 for side in (prices.before, prices.after))
    before = Figure(measured, "exact", "As the studio saves this model, gzip -6, measured.")
    after = Figure(
        round(measured * new / old) if old else measured,
        "estimated",
        "Measured size before × the share of it that random weights with so many zeros leave.",
    )
    return replace(
        prices,
        before=prices.before | {"gzip_bytes": before},
        after=prices.after | {"gzip_bytes": after},
    )


def _latency(before: Timed | None, flops: float, how: str) -> Figure:
    """flops: the share that is left."""
    if before is None:
        return Figure(None, None, "Not measured yet.")
    return Figure(before.after(flops), "estimated", how)


def _unknown_accuracy() -> Figure:
    return Figure(None, None, "Known after retraining and measuring only.")


def _channel_layers(
    profile: ModelProfile, kept: dict[str, int], params: np.ndarray, flops: np.ndarray
) -> tuple[LayerPrice, ...]:
    channels = {group.id: group.channels for group in profile.groups}
    return tuple(
        LayerPrice(
            name=layer.name,
            params_before=layer.params,
            params_after=int(params[index]),
            flops_before=layer.flops,
            flops_after=int(flops[index]),
            width=sum(channels[g] for g in layer.groups_out),
            kept_width=sum(kept.get(g, channels[g]) for g in layer.groups_out),
        )
        for index, layer in enumerate(profile.layers)
    )


def _achieved(
    plan: PruningPlan,
    before: dict[str, Figure],
    after: dict[str, Figure],
    profile: ModelProfile,
) -> float | None:
    """What the target comes to, in the target's unit."""
    if plan.target is None:
        return None
    name: str = plan.target.kind
    if name == "sparsity":
        return after["sparsity"].value
    if plan.method == "weights":
        name = {"params": "nonzero_params", "bytes": "gzip_bytes"}.get(name, name)
    if name == "nonzero_params":
        return (after[name].value or 0) / profile.params
    return (after[name].value or 0) / (before[name].value or 1)

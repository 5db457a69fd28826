"""What a pattern of zeros does to the layers of one model, from the shapes of their kernels."""

from __future__ import annotations

from collections.abc import Mapping

from pruning import quantities
from pruning.analysis.profile import KernelShape, Layer, ModelProfile
from pruning.errors import OutdatedError, PlanError
from pruning.strategy.patterns import UNSTRUCTURED, Blocks, Pattern
from pruning.strategy.plan import PruningPlan

_NAMED = 3  # layers that a sentence names; the rest it counts
_CLOSE = 0.005  # a ratio that a table shows in whole percents is meant to be the pattern's own


def kernel_counts(profile: ModelProfile) -> dict[str, int]:
    """Maskable weights of each maskable layer, in the model's order."""
    return {
        layer.name: count
        for layer in profile.layers
        if layer.maskable and (count := _count(layer)) > 0
    }


def refusals(profile: ModelProfile, pattern: Pattern) -> dict[str, str]:
    """Maskable layers that the pattern cannot lie on, each with the reason.

    Raises:
        PlanError: The model was analysed before the studio knew patterns.
    """
    if pattern.text == UNSTRUCTURED:
        return {}
    found = {}
    counts = kernel_counts(profile)
    for layer in profile.layers:
        if layer.name in counts:
            reasons = [pattern.refusal(kernel) for kernel in _kernels(layer)]
            if all(reason is not None for reason in reasons):
                found[layer.name] = str(reasons[0])
    return found


def zeros(layer: Layer, pattern: Pattern, ratio: float) -> int:
    """How many weights of ``layer`` the pattern zeroes at ``ratio`` (N:M: at any above 0)."""
    if ratio <= 0:
        return 0
    sparsity = ratio if pattern.fixed is None else pattern.fixed
    return sum(
        kernel.count - pattern.kept(kernel.shape, sparsity)
        for kernel in _kernels(layer)
        if pattern.refusal(kernel) is None
    )


def zero_shares(
    profile: ModelProfile, pattern: Pattern, ratios: Mapping[str, float]
) -> dict[str, float]:
    """The share of zeros that ratios come to under a pattern, by layer name."""
    if pattern.text == UNSTRUCTURED:
        return dict(ratios)
    counts = kernel_counts(profile)
    return {
        layer.name: zeros(layer, pattern, ratios[layer.name]) / counts[layer.name]
        for layer in profile.layers
        if layer.name in counts and layer.name in ratios
    }


def fixed_ratios(profile: ModelProfile, pattern: Pattern) -> dict[str, float]:
    """Of N:M: the share of zeros that it leaves in each layer it applies to."""
    refused, counts = refusals(profile, pattern), kernel_counts(profile)
    return {
        layer.name: round(zeros(layer, pattern, 1.0) / counts[layer.name], 6)
        for layer in profile.layers
        if layer.name in counts and layer.name not in refused
    }


def check_pattern(profile: ModelProfile, plan: PruningPlan) -> None:
    """Check that the plan's pattern can lie on the layers that have a ratio.

    Raises:
        PlanError: It cannot lie on one, the ratio is not the one that N:M has, or TF-MOT's own
            code fails on the layer.
    """
    pattern = plan.pattern_of_zeros
    if plan.method != "weights" or pattern.text == UNSTRUCTURED:
        return
    refused = refusals(profile, pattern)
    for name, ratio in plan.ratios.items():
        if ratio > 0 and name in refused:
            raise PlanError(
                f"The pattern {pattern.text} cannot be applied to the layer {name!r}: "
                f"{refused[name]}.",
                expected=f"Ratios only for layers that {pattern.text} applies to.",
                fix=f"Set the ratio of {name!r} to 0, or choose the pattern unstructured.",
            )
    if pattern.fixed is not None:
        _check_ratios(plan, pattern, fixed_ratios(profile, pattern))
    if plan.engine == "tfmot" and isinstance(pattern, Blocks):
        _check_tfmot(profile, plan, pattern)


def pattern_notes(profile: ModelProfile, plan: PruningPlan) -> tuple[str, ...]:
    """What a user should know of the pattern on this model, in sentences."""
    pattern = plan.pattern_of_zeros
    if pattern.text == UNSTRUCTURED:
        return ()
    notes = []
    if refused := refusals(profile, pattern):
        names = [f"{name} ({reason})" for name, reason in refused.items()]
        named = quantities.listed(names, _NAMED, "; ")
        notes.append(f"{pattern.text} leaves these layers whole: {named}.")
    if pattern.fixed is not None:
        notes += _shares(plan, pattern)
        if plan.engine == "tfmot" and plan.training.epochs:
            notes.append(
                f"TF-MOT makes {pattern.text} at the first batch, whatever the schedule says."
            )
    elif uneven := _uneven(profile, plan, pattern):
        notes.append(
            f"{pattern.text} does not divide the kernels of {quantities.listed(uneven, _NAMED)}: "
            "blocks at their edges are smaller, and the count of zeros is an estimate."
        )
    return tuple(notes)


def _count(layer: Layer) -> int:
    """Of the distribution that pages show, or of the shapes: a profile may lack either."""
    if layer.stats is not None:
        return layer.stats.count
    return sum(kernel.count for kernel in layer.kernels)


def _shares(plan: PruningPlan, pattern: Pattern) -> list[str]:
    """What N:M zeroes; less than its own share where M does not divide the inputs."""
    shares = [100 * ratio for ratio in plan.ratios.values() if ratio > 0]
    if not shares:
        return []
    low, high = f"{min(shares):.1f}", f"{max(shares):.1f}"
    span = high if low == high else f"{low} to {high}"
    layers = "the layer" if len(shares) == 1 else f"each of the {len(shares)} layers"
    return [
        f"{pattern.text} sets {span} % of the weights to zero in {layers} it is put on; "
        "no other share is possible."
    ]


def _kernels(layer: Layer) -> tuple[KernelShape, ...]:
    if not layer.kernels:
        raise OutdatedError(
            f"The shapes of the kernels of {layer.name!r} are not known: the model was analysed by "
            "an older version of the studio.",
            otherwise="; or choose the pattern unstructured",
        )
    return layer.kernels


def _check_ratios(plan: PruningPlan, pattern: Pattern, own: Mapping[str, float]) -> None:
    for name, ratio in plan.ratios.items():
        meant = (own[name], pattern.fixed or 0.0)
        if ratio > 0 and min(abs(ratio - share) for share in meant) > _CLOSE:
            raise PlanError(
                f"The ratio of {name!r} is {ratio:g}, but {pattern.text} always zeroes "
                f"{own[name]:g} of that layer.",
                expected=f"{own[name]:g} to put {pattern.text} on the layer, 0 to leave it whole.",
                fix="Give one of the two, or choose the pattern unstructured.",
            )


def _check_tfmot(profile: ModelProfile, plan: PruningPlan, pattern: Blocks) -> None:
    for layer in profile.layers:
        if plan.ratios.get(layer.name, 0.0) <= 0:
            continue
        for kernel in layer.kernels:
            if min(pattern.grid(kernel.shape)) == 1:
                rows, columns = kernel.shape
                raise PlanError(
                    f"TF-MOT fails on {layer.name!r}: in blocks of {pattern.text} its kernel of "
                    f"{rows} × {columns} is a single row or column of blocks.",
                    expected="At least two blocks along both axes, for the engine tfmot.",
                    fix=f"Set the ratio of {layer.name!r} to 0, or choose the studio's engine.",
                )


def _uneven(profile: ModelProfile, plan: PruningPlan, pattern: Pattern) -> list[str]:
    if not isinstance(pattern, Blocks):
        return []
    return [
        layer.name
        for layer in profile.layers
        if plan.ratios.get(layer.name, 0.0) > 0
        and any(k.shape[0] % pattern.height or k.shape[1] % pattern.width for k in layer.kernels)
    ]

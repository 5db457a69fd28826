"""Does a plan belong to a model? Checked before anything is priced, started or cut."""

from __future__ import annotations

from pruning.analysis.profile import ModelProfile
from pruning.errors import MismatchError, PlanError
from pruning.strategy.block_targets import check_inputs
from pruning.strategy.criteria import criterion
from pruning.strategy.plan import PruningPlan
from pruning.strategy.weight_patterns import check_pattern, kernel_counts
from pruning.strategy.weight_scores import check_criterion


def check_plan(profile: ModelProfile, plan: PruningPlan) -> None:
    """Check that ``plan`` can be carried out on the model of ``profile``.

    Raises:
        MismatchError: The plan was made for another model.
        PlanError: A name that the model does not have or that cannot be pruned, a criterion of the
            other method, or an engine that cannot run this model.
    """
    if plan.model != profile.digest:
        raise MismatchError(
            f"This plan was made for the model {plan.model[:12]}, not for {profile.name}.",
            expected=f"A plan for the model {profile.digest[:12]}.",
            fix="Open the plan's own model, or make a plan for this one.",
        )
    criterion(plan.criterion, plan.method)
    if plan.method == "weights":
        check_criterion(plan)
    if plan.engine == "tfmot" and profile.family != "tf_keras":
        raise PlanError(
            "TF-MOT cannot prune this model: it was saved by Keras 3.",
            expected="A model of Keras 2 or tf_keras for the engine tfmot.",
            fix="Choose the studio's engine, whose schedules and masks are the same.",
        )
    _check_names(profile, plan)
    check_pattern(profile, plan)
    if plan.removed:
        check_inputs(profile, plan.removed)


def prunable_names(profile: ModelProfile, plan: PruningPlan) -> dict[str, str | None]:
    """Names that the plan's method knows, each with the reason why it must stay whole, if any."""
    if plan.method == "layers":
        return {block.id: block.reason for block in profile.blocks}
    if plan.method == "channels":
        groups = profile.requested(plan.on_request).groups
        return {g.id: None if g.prunable else (g.reason or "frozen") for g in groups}
    counts = kernel_counts(profile)
    return {
        layer.name: None if layer.name in counts else "It has no kernel to mask."
        for layer in profile.layers
    }


def _check_names(profile: ModelProfile, plan: PruningPlan) -> None:
    names = prunable_names(profile, plan)
    what = {"channels": "channel group", "weights": "layer", "layers": "block"}[plan.method]
    for name in (*plan.ratios, *plan.locked, *plan.removed):
        if name not in names:
            raise PlanError(
                f"The model has no {what} {name!r}.",
                expected=f"Names of the {what}s that inspect lists.",
                fix=f"Remove {name!r} from the plan, or make the plan again for this model.",
            )
    for name, ratio in (*plan.ratios.items(), *dict.fromkeys(plan.removed, 1.0).items()):
        if ratio > 0 and names[name] is not None:
            raise PlanError(
                f"The {what} {name!r} cannot be pruned: {names[name]}",
                expected="Ratios only for what can be pruned.",
                fix=f"Take {name!r} out of the plan, or make its ratio 0.",
            )

"""A plan in words, as lists and reports show it."""

from __future__ import annotations

from pruning.strategy.patterns import UNSTRUCTURED
from pruning.strategy.plan import PruningPlan

_COUNTED = {"params": "parameters", "flops": "FLOPs", "bytes": "file size"}
_SCHEDULES = {
    "one_shot": "at once",
    "constant": "constant schedule",
    "polynomial": "polynomial schedule",
}


def describe(plan: PruningPlan) -> str:
    """Say what a plan does: ``Remove channels to 50 % of the FLOPs · L1, global · 3 epochs``."""
    return " · ".join((_what(plan), _how(plan), _training(plan)))


def _what(plan: PruningPlan) -> str:
    if plan.method == "layers":
        blocks = f"Remove {len(plan.removed)} block{'' if len(plan.removed) == 1 else 's'}"
        goal = plan.target
        if goal is None:
            return blocks
        return f"{blocks}, to {goal.value:.0%} of the {_COUNTED[goal.kind]}".replace("%", " %")
    verb = "Remove channels" if plan.method == "channels" else "Zero weights"
    if plan.pattern != UNSTRUCTURED:
        verb += f" in blocks of {plan.pattern}" if "x" in plan.pattern else f" by {plan.pattern}"
    target = plan.target
    if target is None:
        touched = sum(ratio > 0 for ratio in plan.ratios.values())
        noun = "group" if plan.method == "channels" else "layer"
        return f"{verb} in {touched} {noun}{'' if touched == 1 else 's'}"
    if target.kind == "sparsity":
        return f"{verb}: {target.value:.0%} of them".replace("%", " %")
    return f"{verb} to {target.value:.0%} of the {_COUNTED[target.kind]}".replace("%", " %")


def _how(plan: PruningPlan) -> str:
    name = plan.criterion.upper() if len(plan.criterion) == 2 else plan.criterion
    words = [name.replace("_", " ")]
    if plan.method != "layers":
        words.append(plan.scope)
    if plan.method == "weights":
        words.append(_SCHEDULES[plan.schedule.kind])
    if plan.engine == "tfmot":
        words.append("by TF-MOT")
    if plan.on_request:
        words.append(f"with {' and '.join(plan.on_request)} groups")
    if plan.locked:
        words.append(f"{len(plan.locked)} locked")
    return ", ".join(words)


def _training(plan: PruningPlan) -> str:
    epochs = plan.training.epochs
    if not epochs:
        return "no retraining"
    words = f"{epochs} epoch{'' if epochs == 1 else 's'}, {plan.training.optimizer}"
    words += f", in {plan.cuts} cuts" if plan.cuts > 1 else ""
    words += ", distilled" if plan.training.distillation else ""
    return words + (", features matched" if plan.training.feature_matching else "")

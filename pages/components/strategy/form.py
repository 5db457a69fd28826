"""The choices of a plan: few, with good defaults, the rest behind "Advanced"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components.strategy import on_request, pattern, retraining
from pruning import quantities
from pruning.analysis.profile import ModelProfile
from pruning.strategy import block_targets, channel_targets
from pruning.strategy.channel_scores import NOISE
from pruning.strategy.criteria import Criterion, criteria, criterion
from pruning.strategy.patterns import Pooling
from pruning.strategy.plan import (
    MOST_CALIBRATION_SAMPLES,
    MOST_CUTS,
    SCHEDULES,
    SCOPES,
    Engine,
    Method,
    PruningPlan,
    Schedule,
    Scope,
    Target,
    Training,
    default_criterion,
)
from pruning.strategy.weight_scores import MOVEMENT

PREFIX = "plan_"  # of the keys of all widgets that make up a plan
_METHODS = {
    "channels": "Remove channels",
    "layers": "Remove layers",
    "weights": "Zero weights",
}
_METHOD_HELP = {
    "channels": "Whole channels, units and heads go: the model is really smaller and faster, on "
    "every machine, with no special software.",
    "layers": "Whole residual branches, transformer blocks and layers go: those that change least "
    "of what passes through them. The model gets faster by what they cost. "
    "[Source](https://arxiv.org/abs/2403.03853)",
    "weights": "Single weights become zero: the file compresses better. It does **not** run faster "
    "on ordinary processors, which multiply zeros like other numbers.",
}
_SCOPES = {
    "uniform": ("Uniform", "Every group or layer loses the same share."),
    "layer": ("Per layer", "Layers that hold more of the cost lose more."),
    "global": ("Global", "All scores compete: the least important go, wherever they are."),
}
_TARGETS = {
    "channels": {
        "flops": "FLOPs left",
        "params": "Parameters left",
        "bytes": "File size left",
    },
    "layers": {
        "flops": "FLOPs left",
        "params": "Parameters left",
        "bytes": "File size left",
    },
    "weights": {"sparsity": "Weights set to zero"},
}
_SCHEDULES = {
    "one_shot": ("At once", "All weights are zeroed before retraining."),
    "constant": ("Constant", "The full share is zero from the first pruning step on."),
    "polynomial": ("Polynomial", "The share of zeros grows, fast first, then slowly."),
}
_CUTS_SOURCE = "https://arxiv.org/abs/1611.06440"
_RECALIBRATION_SOURCE = "https://arxiv.org/abs/2007.02491"
_SCHEDULE_SOURCE = "https://arxiv.org/abs/1710.01878"


@dataclass(frozen=True)
class Choices:
    """What the form says; a plan without its ratios."""

    method: Method
    criterion: str
    scope: Scope
    target: Target | None
    schedule: Schedule
    training: Training
    engine: Engine
    round_to: int
    calibration_samples: int
    pattern: str
    block_pooling: Pooling
    recalibrate: bool = True
    on_request: tuple[str, ...] = ()
    cuts: int = 1


def show(profile: ModelProfile) -> Choices:
    """Draw the form and return what it says."""
    method = _method(profile)
    zeros = pattern.show(method, PREFIX)
    target = None
    if zeros.fixed is None:
        target = _target(profile, method)
    else:
        pattern.says_share(zeros)
    chosen = _criterion(method)
    # A pattern with a share of its own has it in every layer.
    scope: Scope = _scope(method) if zeros.fixed is None else "uniform"
    schedule, engine = _schedule(method, profile)
    training = retraining.show()
    with st.expander("Advanced", icon=":material/settings:", key="advanced"):
        round_to = _round_to(method)
        cuts = _cuts(method)
        recalibrate = _recalibrate(method)
        asked = on_request.show(profile) if method == "channels" else ()
        samples = _samples(chosen, method)
        training = retraining.advanced(training, method)
        schedule = _schedule_details(schedule, method)
    return Choices(
        method,
        chosen,
        scope,
        target,
        schedule,
        training,
        engine,
        round_to,
        samples,
        zeros.text,
        zeros.pooling,
        recalibrate,
        asked,
        cuts,
    )


def _method(profile: ModelProfile) -> Method:
    method: Method = st.segmented_control(
        "Method",
        list(_METHODS),
        default=_first_method(profile),
        required=True,
        format_func=_METHODS.__getitem__,
        key=f"{PREFIX}method",
        persist_state="session",
        wrap=True,
    )
    st.caption(_METHOD_HELP[method])
    return method


def _first_method(profile: ModelProfile) -> Method:
    """The method to begin with: removing channels, where there are any that can go."""
    if profile.prunable_groups:
        return "channels"
    return "layers" if profile.removable_blocks else "weights"


def _target(profile: ModelProfile, method: Method) -> Target:
    kinds = _TARGETS[method]
    kind: Any = next(iter(kinds))
    if len(kinds) > 1:
        kind = st.segmented_control(
            "Target",
            list(kinds),
            default=kind,
            required=True,
            format_func=kinds.__getitem__,
            key=f"{PREFIX}kind",
            persist_state="session",
            wrap=True,
        )
    default = {"channels": 50, "layers": 75, "weights": 80}[method]
    value = st.slider(
        kinds[kind],
        1,
        99,
        default,
        format="%d %%",
        key=f"{PREFIX}{method}_target",
        persist_state="session",
        help="The share of the original that stays."
        if method != "weights"
        else "The share of the kernels' weights that become exactly zero.",
    )
    if method == "channels" and profile.prunable_groups:
        least = channel_targets.smallest(profile, kind)
        st.caption(
            f"The smallest this model can get: {quantities.percent(least)} "
            "of the original, with the fewest channels left in every group."
        )
    if method == "layers" and profile.removable_blocks:
        least = block_targets.smallest(profile, kind)
        st.caption(
            f"The smallest this model can get: {quantities.percent(least)} of the original, "
            "without any block that can go."
        )
    return Target(kind, value / 100)


def _criterion(method: Method) -> str:
    known = criteria(method)
    names = sorted(known, key=lambda key: (*_looks_at(known[key]), key))
    name = default_criterion(method)
    if len(names) > 1:
        name = st.selectbox(
            "Criterion",
            names,
            names.index(name),
            format_func=lambda key: _criterion_label(known[key]),
            key=f"{PREFIX}{method}_criterion",
            persist_state="session",
        )
    found = known[name]
    st.caption(f"{found.sentence} [Source]({found.source})")
    return name


def _looks_at(found: Criterion) -> tuple[int, str]:
    """What a criterion looks at, in words, and where those stand among the others."""
    if MOVEMENT in found.needs:
        return 3, "from retraining"
    if found.data_driven:
        return 2, f"from {'validation' if found.name == 'sensitivity' else 'training'} samples"
    return (1, "by lot") if NOISE in found.needs else (0, "from the weights")


def _criterion_label(found: Criterion) -> str:
    return f"{found.title} · {_looks_at(found)[1]}"


def _samples(name: str, method: Method) -> int:
    if not criterion(name, method).data_driven:
        return PruningPlan.calibration_samples
    value: int = st.number_input(
        "Samples that the criterion looks at",
        1,
        MOST_CALIBRATION_SAMPLES,
        PruningPlan.calibration_samples,
        key=f"{PREFIX}calibration_samples",
        persist_state="session",
        help="More samples give steadier scores and take longer. They are drawn from the training "
        "split by the seed; samples that judge the model are never looked at.",
    )
    return value


def _scope(method: Method) -> Scope:
    if method == "layers":
        return "uniform"  # blocks are compared through the whole model, and go or stay
    scope: Scope = st.segmented_control(
        "Scope",
        SCOPES,
        default="uniform",
        required=True,
        format_func=lambda key: _SCOPES[key][0],
        key=f"{PREFIX}scope",
        persist_state="session",
        wrap=True,
    )
    st.caption(_SCOPES[scope][1])
    return scope


def _schedule(method: Method, profile: ModelProfile) -> tuple[Schedule, Engine]:
    if method != "weights":
        return Schedule(), "studio"
    kind = st.segmented_control(
        "Schedule",
        SCHEDULES,
        default="polynomial",
        required=True,
        format_func=lambda key: _SCHEDULES[key][0],
        key=f"{PREFIX}schedule",
        persist_state="session",
        wrap=True,
    )
    st.caption(f"{_SCHEDULES[kind][1]} Step for step as TF-MOT. [Source]({_SCHEDULE_SOURCE})")
    engine: Engine = "studio"
    if profile.family == "tf_keras" and st.toggle(
        "Use TF-MOT's own implementation",
        key=f"{PREFIX}tfmot",
        persist_state="session",
        help="The reference: prune_low_magnitude, then strip_pruning. Slower, same zeros.",
    ):
        engine = "tfmot"
    return Schedule(kind), engine


def _schedule_details(schedule: Schedule, method: Method) -> Schedule:
    if method != "weights" or schedule.kind == "one_shot":
        return schedule
    begin, end = st.slider(
        "Pruning from … to, share of all training steps",
        0,
        100,
        (0, 70),
        format="%d %%",
        key=f"{PREFIX}between",
        persist_state="session",
    )
    frequency = st.number_input(
        "Masks are computed again every … steps",
        1,
        100_000,
        100,
        key=f"{PREFIX}frequency",
        persist_state="session",
    )
    initial, power = 0.0, 3.0
    if schedule.kind == "polynomial":
        initial = st.slider(
            "Zeros at the start",
            0,
            90,
            0,
            format="%d %%",
            key=f"{PREFIX}initial",
            persist_state="session",
        )
        power = st.number_input(
            "Exponent", 1.0, 10.0, 3.0, key=f"{PREFIX}power", persist_state="session"
        )
    return Schedule(schedule.kind, initial / 100, begin / 100, end / 100, frequency, power)


def _round_to(method: Method) -> int:
    if method != "channels":
        return 1
    value: int = st.select_slider(
        "Keep channel counts in multiples of",
        [1, 2, 4, 8, 16, 32],
        1,
        key=f"{PREFIX}round_to",
        persist_state="session",
        help="Odd counts can be slow on some machines; 8 suits most.",
    )
    return value


def _cuts(method: Method) -> int:
    if method != "channels":
        return 1
    value: int = st.number_input(
        "Remove the channels in … cuts",
        1,
        MOST_CUTS,
        1,
        key=f"{PREFIX}cuts",
        persist_state="session",
        help="Between the cuts the model is retrained: half of the epochs are spread over them, "
        "the rest follow the last one. After a deep cut in one go little is left to retrain from; "
        f"3 to 5 cuts keep more of the accuracy and take longer. [Source]({_CUTS_SOURCE})",
    )
    return value


def _recalibrate(method: Method) -> bool:
    if method == "weights":
        return True
    chosen: bool = st.toggle(
        "Measure the statistics of BatchNorm again after the cut",
        True,
        key=f"{PREFIX}recalibrate",
        persist_state="session",
        help="What a BatchNorm layer reads has changed, its stored mean and variance have not. "
        "They are measured on training samples before retraining, and kept unless they are worse "
        f"on validation samples. [Source]({_RECALIBRATION_SOURCE})",
    )
    return chosen


def fill(plan: PruningPlan) -> None:
    """Make the form say what ``plan`` says. Called before the form is drawn."""
    values: dict[str, Any] = {
        "method": plan.method,
        f"{plan.method}_criterion": plan.criterion,
        "scope": plan.scope,
        "schedule": plan.schedule.kind,
        "tfmot": plan.engine == "tfmot",
        "between": (round(100 * plan.schedule.begin), round(100 * plan.schedule.end)),
        "frequency": plan.schedule.frequency,
        "initial": round(100 * plan.schedule.initial_sparsity),
        "power": plan.schedule.power,
        "round_to": plan.round_to,
        "calibration_samples": plan.calibration_samples,
        "recalibrate": plan.recalibrate,
        "cuts": plan.cuts,
        "on_request": list(plan.on_request),
    }
    if plan.target is not None:
        values["kind"] = plan.target.kind if plan.method != "weights" else "flops"
        values[f"{plan.method}_target"] = round(100 * plan.target.value)
    values |= pattern.values(plan)
    for key, value in (values | retraining.values(plan.training)).items():
        st.session_state[f"{PREFIX}{key}"] = value

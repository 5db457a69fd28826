"""PruningPlan: one frozen request that page, command line, worker and report all read.

A plan is explicit: whatever target it was made for, ``ratios`` holds the fraction to remove for
every channel group (method *channels*) or layer (method *weights*) by name, and ``removed`` the
blocks that go (method *layers*), so that two readers cannot resolve it differently.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from pruning.errors import PlanError
from pruning.strategy.patterns import POOLINGS, UNSTRUCTURED, Pattern, Pooling, parse_pattern

Method = Literal["channels", "weights", "layers"]
Scope = Literal["uniform", "layer", "global"]
TargetKind = Literal["params", "flops", "bytes", "sparsity"]
ScheduleKind = Literal["one_shot", "constant", "polynomial"]
Engine = Literal["studio", "tfmot"]
Decay = Literal["cosine", "none"]

TARGETS: tuple[TargetKind, ...] = ("params", "flops", "bytes", "sparsity")
REQUESTS = ("inexact", "rescaled", "summed")
METHODS: tuple[Method, ...] = ("channels", "weights", "layers")
SCOPES: tuple[Scope, ...] = ("uniform", "layer", "global")
SCHEDULES: tuple[ScheduleKind, ...] = ("one_shot", "constant", "polynomial")
ENGINES: tuple[Engine, ...] = ("studio", "tfmot")
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
DECAYS: tuple[Decay, ...] = ("cosine", "none")

_DEFAULT_CRITERION: dict[Method, str] = {
    "channels": "l1",
    "weights": "magnitude",
    "layers": "block_influence",
}

MOST_CALIBRATION_SAMPLES = 100_000
MOST_FEATURE_MATCHING = 1000
MOST_CUTS = 100


@dataclass(frozen=True)
class Target:
    """What the plan was made for.

    Attributes:
        kind: What is counted.
        value: The fraction of the original that is left (params, flops, bytes), or the fraction
            of zero weights (sparsity). Strictly between 0 and 1.
    """

    kind: TargetKind
    value: float


@dataclass(frozen=True)
class Schedule:
    """When the weights are zeroed during training (method *weights*).

    Attributes:
        kind: ``one_shot`` before training; ``constant`` and ``polynomial`` as in TF-MOT.
        initial_sparsity: Where ``polynomial`` starts.
        begin: Step at which pruning starts, as a fraction of all training steps.
        end: Step at which it ends, as a fraction of all training steps.
        frequency: Masks are computed again every so many steps.
        power: Exponent of ``polynomial``.
    """

    kind: ScheduleKind = "polynomial"
    initial_sparsity: float = 0.0
    begin: float = 0.0
    end: float = 0.7
    frequency: int = 100
    power: float = 3.0


@dataclass(frozen=True)
class Training:
    """Retraining after (channels) or during (weights) pruning.

    Attributes:
        learning_rate: That of the first step.
        decay: ``cosine`` lets the learning rate fall to 0 along half a cosine over all steps
            (https://arxiv.org/abs/1608.03983, without restarts); ``none`` keeps it.
        patience: Early stopping after so many epochs without a better validation loss;
            ``None`` switches it off.
        distillation: Share of the loss that is taken from the original model's answers instead
            of the labels, from 0 to 1 (https://arxiv.org/abs/1503.02531, temperature 1).
        feature_matching: Weight of a term in the loss for what the channels that stay hold beside
            what they hold in the original (https://arxiv.org/abs/1412.6550); method *channels*.
    """

    epochs: int = 3
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float = 3e-4  # below what models are trained with: keep what they know
    decay: Decay = "cosine"
    patience: int | None = None
    seed: int = 0
    distillation: float = 0.0
    feature_matching: float = 0.0


@dataclass(frozen=True)
class PruningPlan:
    """A validated request. See the module's docstring.

    Before :func:`pruning.strategy.planner.make_plan` has met its target, ``ratios`` and
    ``removed`` are only what the user set by hand.

    Attributes:
        model: Digest of the model file that the plan is for; empty until it is made for one.
        criterion: What decides; the method's usual one where none is named.
        ratios: Fraction to remove (channels) or zero (weights), by group id or layer name,
            each in [0, 1). Names that are missing are left whole.
        locked: Names the user excluded; their ratio is 0.
        on_request: Kinds of groups that are cut although they are left whole otherwise, see
            ``Group.on_request``.
        round_to: Kept channel counts are rounded up to a multiple of this.
        calibration_samples: Samples of the training split that a data-driven criterion looks at.
        engine: ``tfmot`` runs TF-MOT's own ``prune_low_magnitude`` (tf_keras, weights only).
        pattern: What is zeroed together (weights only): ``unstructured``, ``N:M`` or blocks
            ``HxW``, see :mod:`pruning.strategy.patterns`. Of N:M a layer's ratio says the zeros
            that the pattern leaves in it, and 0 that it stays whole.
        block_pooling: How the score of a block comes from those of its weights.
        fixed: Layers whose ratio the user set: with the scope ``global`` their weights do not
            compete with those of others (weights only).
        removed: Ids of the blocks to leave out (method *layers*).
        cuts: Channels are removed in so many cuts, with retraining between them, see
            :mod:`pruning.strategy.cuts`. Without retraining there is one.
        recalibrate: After a cut, and before retraining, the statistics of BatchNormalization are
            measured again. Without retraining they stay as they are.

    Raises:
        PlanError: On construction, when a value is out of its range.
    """

    model: str = ""
    method: Method = "channels"
    criterion: str = ""
    scope: Scope = "uniform"
    ratios: Mapping[str, float] = field(default_factory=dict)
    locked: tuple[str, ...] = ()
    target: Target | None = None
    schedule: Schedule = field(default_factory=Schedule)
    training: Training = field(default_factory=Training)
    engine: Engine = "studio"
    round_to: int = 1
    name: str = ""
    on_request: tuple[str, ...] = ()
    calibration_samples: int = 256
    pattern: str = UNSTRUCTURED
    block_pooling: Pooling = "average"
    fixed: tuple[str, ...] = ()
    recalibrate: bool = True
    removed: tuple[str, ...] = ()
    cuts: int = 1

    def __post_init__(self) -> None:
        _text("model", self.model)
        _text("criterion", self.criterion)
        _text("name", self.name)
        _choice("method", self.method, METHODS)
        if not self.criterion:
            object.__setattr__(self, "criterion", _DEFAULT_CRITERION[self.method])
        _choice("scope", self.scope, SCOPES)
        _choice("engine", self.engine, ENGINES)
        _choice("block pooling", self.block_pooling, POOLINGS)
        _check_training(self.training)
        _check_schedule(self.schedule)
        for kind in self.on_request:
            _choice("request", kind, REQUESTS)
        _integer("round_to", self.round_to, 1, 256)
        _integer("calibration_samples", self.calibration_samples, 1, MOST_CALIBRATION_SAMPLES)
        _switch("recalibrate", self.recalibrate)
        if self.target is not None:
            _check_target(self.target)
        for name, ratio in self.ratios.items():
            _between(f"The ratio of {name!r}", ratio, 0, 1, right_open=True)
            if ratio > 0 and name in self.locked:
                raise PlanError(
                    f"{name!r} is locked and has the ratio {ratio}.",
                    expected="A ratio of 0 for what is locked.",
                    fix="Unlock it, or set its ratio to 0.",
                )
        if self.pattern_of_zeros.text != UNSTRUCTURED and self.method != "weights":
            raise PlanError(
                f"The pattern {self.pattern} is one of zeros, and removing channels or layers "
                "leaves none.",
                expected="The method weights, or no pattern.",
                fix="Choose the method weights, or the pattern unstructured.",
            )
        self._check_removed()
        self._check_cuts()
        if self.training.feature_matching and self.method != "channels":
            raise PlanError(
                f"feature_matching is {self.training.feature_matching} with the method "
                f"{self.method}.",
                expected="The method channels: activations of the channels that stay are matched.",
                fix="Set feature_matching to 0, or use distillation.",
            )
        if self.engine == "tfmot" and self.method != "weights":
            raise PlanError(
                "The reference engine TF-MOT can only set weights to zero.",
                expected="engine tfmot with the method weights.",
                fix="Choose the method weights, or the studio's engine.",
            )

    @property
    def pattern_of_zeros(self) -> Pattern:
        """``pattern`` and ``block_pooling``, ready to make masks."""
        return parse_pattern(self.pattern, self.block_pooling)

    def _check_removed(self) -> None:
        blocks = self.method == "layers"
        if (self.ratios and blocks) or (self.removed and not blocks):
            raise PlanError(
                f"The method {self.method} takes no {'ratios' if blocks else 'list of blocks'}.",
                expected="Blocks in removed with the method layers, ratios with the other methods.",
                fix="Make the plan again with the method that you want.",
            )
        both = [name for name in self.removed if name in self.locked]
        if both:
            raise PlanError(
                f"The block {both[0]!r} is both locked and removed.",
                expected="A locked block stays.",
                fix="Unlock it, or do not remove it.",
            )

    def _check_cuts(self) -> None:
        _integer("cuts", self.cuts, 1, MOST_CUTS)
        if self.cuts > 1 and self.method != "channels":
            raise PlanError(
                f"The plan asks for {self.cuts} cuts, but the method {self.method} "
                "prunes in one go.",
                expected="The method channels, or 1 cut.",
                fix="Choose the method channels, or set the cuts to 1; weights have a schedule.",
            )
        if self.cuts > 1 and self.training.epochs == 1:
            raise PlanError(
                f"The plan asks for {self.cuts} cuts with retraining between them, in a single "
                "epoch.",
                expected="At least 2 epochs: half of them are spread over the cuts.",
                fix="Retrain for more epochs, or set the cuts to 1.",
            )

    @property
    def touched(self) -> int:
        """How many groups, layers or blocks it changes."""
        return len(self.removed) or sum(ratio > 0 for ratio in self.ratios.values())

    def with_training(self, **changes: Any) -> PruningPlan:
        """Return a copy with some retraining settings replaced."""
        return replace(self, training=replace(self.training, **changes))

    def with_ratios(self, ratios: Mapping[str, float]) -> PruningPlan:
        """Return a copy with other ratios."""
        return replace(self, ratios=dict(ratios))

    def to_dict(self) -> dict[str, Any]:
        """JSON form with its format number."""
        record = {"format": 1, **asdict(self), "ratios": dict(self.ratios)}
        for name in ("on_request", "fixed"):
            if not record[name]:
                del record[name]
        if self.method != "layers":
            del record["removed"]
        if self.method != "channels":
            del record["cuts"]
        return record

    @classmethod
    def from_dict(cls, record: Any) -> PruningPlan:
        """Inverse of :meth:`to_dict`; unknown keys are ignored, so that old plans stay readable.

        Raises:
            PlanError: The record is no plan, or a value has the wrong type or range.
        """
        known = isinstance(record, dict) and record.get("format") == 1
        if not known or not {"model", "ratios"} <= record.keys():
            raise PlanError(
                "This JSON is not a pruning plan of the studio.",
                expected='An object with "format": 1, "model", "method" and "ratios".',
                fix="Download a plan from the strategy page, or make one with the plan command.",
            )
        try:
            fields = {k: v for k, v in record.items() if k in cls.__dataclass_fields__}
            fields["ratios"] = {str(k): float(v) for k, v in record["ratios"].items()}
            for key in ("locked", "removed", "on_request", "fixed"):
                fields[key] = _names(key, record.get(key, ()))
            fields["target"] = Target(**record["target"]) if record.get("target") else None
            fields["schedule"] = Schedule(**record.get("schedule", {}))
            fields["training"] = Training(**record.get("training", {}))
            return cls(**fields)
        except (TypeError, ValueError, AttributeError) as error:
            raise PlanError(
                f"The plan has a value that cannot be used: {error}",
                expected="The types written by the studio.",
                fix="Make the plan again on the strategy page or with the plan command.",
            ) from error


def default_criterion(method: Method) -> str:
    """The criterion that a new plan starts with."""
    return _DEFAULT_CRITERION[method]


def removed_count(
    channels: int, ratio: float, *, minimum: int = 1, multiple: int = 1, round_to: int = 1
) -> int:
    """How many of ``channels`` a ratio removes; the one rule that pricing and cutting share.

    The kept count is ``channels - floor(ratio * channels + 0.5)``, at least ``minimum``, then
    rounded up to a common multiple of ``multiple`` and ``round_to``, and at most ``channels``.
    """
    step = math.lcm(multiple, round_to)
    kept = max(minimum, channels - int(ratio * channels + 0.5))
    return channels - min(channels, -(-kept // step) * step)


def _check_training(training: Training) -> None:
    _choice("optimizer", training.optimizer, OPTIMIZERS)
    _integer("epochs", training.epochs, 0, 10_000)
    _integer("batch size", training.batch_size, 1, 65_536)
    _between("learning rate", training.learning_rate, 0, 10)
    _choice("decay", training.decay, DECAYS)
    _between("distillation", training.distillation, 0, 1)
    _between("feature_matching", training.feature_matching, 0, MOST_FEATURE_MATCHING)
    _integer("seed", training.seed, 0, 2**32 - 1)
    if training.patience is not None:
        _integer("patience", training.patience, 1, 10_000)


def _check_schedule(schedule: Schedule) -> None:
    _choice("schedule kind", schedule.kind, SCHEDULES)
    _between("initial sparsity", schedule.initial_sparsity, 0, 1, right_open=True)
    _between("schedule begin", schedule.begin, 0, 1)
    _between("schedule end", schedule.end, schedule.begin, 1)
    _integer("frequency", schedule.frequency, 1, 1_000_000)
    _between("power", schedule.power, 0, 100)


def _check_target(target: Target) -> None:
    _choice("target", target.kind, TARGETS)
    if not 0 < target.value < 1:
        raise PlanError(
            f"The target {target.kind}={target.value:g} is out of range.",
            expected="A fraction between 0 and 1, both excluded.",
            fix="Give for example flops=0.5 for half of the FLOPs.",
        )


def _choice(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise PlanError(
            f"The {what} {value!r} does not exist.",
            expected=f"One of {', '.join(allowed)}.",
            fix=f"Choose a {what} from that list.",
        )


def _mistaken(what: str, written: str, expected: str) -> PlanError:
    """The error for one value of a plan."""
    return PlanError(
        f"{what} is {written}.", expected=expected, fix="Change that value in the plan."
    )


def _text(what: str, value: object) -> None:
    if not isinstance(value, str):
        raise _mistaken(what, repr(value), "Text.")


def _names(what: str, value: object) -> tuple[str, ...]:
    """A list of names from JSON; a single text would be read letter by letter."""
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise _mistaken(what, repr(value), "A list of names.")
    return tuple(value)


def _switch(what: str, value: object) -> None:
    if not isinstance(value, bool):
        raise _mistaken(what, repr(value), "true or false.")


def _integer(what: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _mistaken(what, repr(value), f"A whole number from {low} to {high}.")
    _between(what, value, low, high)


def _between(what: str, value: float, low: float, high: float, *, right_open: bool = False) -> None:
    inside = low <= value < high if right_open else low <= value <= high
    if not inside:
        end = " (excluded)" if right_open else ""
        raise _mistaken(what, str(value), f"A value from {low} to {high}{end}.")

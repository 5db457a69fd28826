"""What can be said on the command line about a plan."""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace

from pruning.command_line.commands._base import add_length, add_recalibration, path, place
from pruning.errors import PlanError
from pruning.strategy.criteria import criteria
from pruning.strategy.patterns import UNSTRUCTURED
from pruning.strategy.plan import (
    DECAYS,
    METHODS,
    OPTIMIZERS,
    Method,
    PruningPlan,
    Schedule,
    Training,
    default_criterion,
)


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", type=path, metavar="MODEL", help="a .keras or .h5 file")
    parser.add_argument(
        "--target",
        metavar="KIND=VALUE",
        help="params, flops or bytes: the fraction that is left; sparsity: the fraction of zeros; "
        "needed unless --ratio, --remove or an N:M pattern says what to remove",
    )
    parser.add_argument(
        "--data",
        type=place,
        metavar="DATA",
        help="also measure the accuracy before; layers needs it",
    )
    parser.add_argument(
        "--method", default="channels", help="channels (default), weights or layers"
    )
    parser.add_argument(
        "--criterion",
        metavar="NAME",
        help=f"what decides which go; {'; '.join(map(_criteria, METHODS))}",
    )
    parser.add_argument(
        "--calibration-samples",
        type=int,
        default=PruningPlan.calibration_samples,
        metavar="N",
        help="training samples that a criterion with --data looks at (default %(default)s)",
    )
    parser.add_argument(
        "--pattern",
        default=UNSTRUCTURED,
        help="which weights become zero together (method weights): unstructured (default), N:M "
        "such as 2:4 (of every M weights N stay), blocks such as 4x4 (rows x columns)",
    )
    parser.add_argument(
        "--block-pooling",
        default="average",
        help="how a block is scored from its weights: average (default) or max",
    )
    parser.add_argument("--scope", default="uniform", help="uniform (default), layer or global")
    parser.add_argument("--out", type=path, metavar="FILE", help="write the plan to this JSON file")
    parser.add_argument("--name", default="", help="a name for the plan")
    parser.add_argument("--engine", default="studio", help="studio (default) or tfmot")
    parser.add_argument(
        "--round-to",
        type=int,
        default=1,
        metavar="N",
        help="round the number of kept channels up to a multiple of N",
    )
    parser.add_argument(
        "--lock",
        action="append",
        default=[],
        metavar="NAME",
        help="do not prune this group, layer or block; repeatable",
    )
    parser.add_argument(
        "--ratio",
        action=_Ratio,
        default={},
        metavar="NAME=FRACTION",
        help="fraction to remove from one group or layer; repeatable",
    )
    parser.add_argument(
        "--remove",
        action="append",
        default=[],
        metavar="BLOCK",
        help="remove this block in any case (method layers); repeatable",
    )
    parser.add_argument(
        "--on-request",
        action="append",
        default=[],
        metavar="KIND",
        help="also cut groups that are left whole otherwise: inexact (widths that a layer "
        "normalises over; the change is measured), rescaled (key width of attention), summed "
        "(channels that a product or a sum adds up without weights); repeatable",
    )
    parser.add_argument(
        "--no-latency", action="store_true", help="do not measure the model's latency"
    )
    parser.add_argument(
        "--cuts",
        type=int,
        default=1,
        metavar="N",
        help="number of cuts in which the channels are removed, with retraining between them "
        "(default %(default)s)",
    )
    add_recalibration(parser)
    add_length(parser)
    _add_retraining(parser)


def _criteria(method: Method) -> str:
    """The criteria of a method in words; those that look at samples come last."""
    usual = default_criterion(method)
    words = []
    for name, found in sorted(criteria(method).items(), key=lambda entry: entry[1].data_driven):
        marks = ["default"] * (name == usual) + ["needs DATA"] * found.data_driven
        words.append(f"{name} ({', '.join(marks)})" if marks else name)
    return f"for {method} {', '.join(words)}"


def _add_retraining(parser: ArgumentParser) -> None:
    default = Training()
    group = parser.add_argument_group("retraining")
    group.add_argument(
        "--epochs", type=int, default=default.epochs, metavar="N", help="(default %(default)s)"
    )
    group.add_argument(
        "--batch-size",
        type=int,
        default=default.batch_size,
        metavar="N",
        help="(default %(default)s)",
    )
    group.add_argument(
        "--optimizer",
        default=default.optimizer,
        help=f"{', '.join(OPTIMIZERS)} (default %(default)s)",
    )
    group.add_argument(
        "--learning-rate",
        type=float,
        default=default.learning_rate,
        metavar="X",
        help="(default %(default)s)",
    )
    group.add_argument(
        "--decay",
        default=default.decay,
        help=f"how the learning rate falls over the training: {', '.join(DECAYS)}",
    )
    group.add_argument(
        "--distillation",
        type=float,
        default=default.distillation,
        metavar="X",
        help="share of the loss, 0 to 1, that is taken from the original model's answers",
    )
    group.add_argument(
        "--feature-matching",
        type=float,
        default=default.feature_matching,
        metavar="X",
        help="weight, 0 to 1000, of the term in the loss that keeps the activations of the "
        "remaining channels close to the original model's (method channels)",
    )
    group.add_argument(
        "--patience", type=int, metavar="N", help="stop after this many epochs without improvement"
    )
    group.add_argument(
        "--seed",
        type=int,
        default=default.seed,
        metavar="N",
        help="seed of the training and of the data split",
    )
    group.add_argument(
        "--schedule",
        default=Schedule().kind,
        help="when weights become zero: one_shot, constant or polynomial (method weights)",
    )
    moments = Schedule()
    group.add_argument(
        "--begin",
        type=float,
        default=moments.begin,
        metavar="X",
        help="fraction of the training after which the first become zero (default %(default)s)",
    )
    group.add_argument(
        "--end",
        type=float,
        default=moments.end,
        metavar="X",
        help="fraction of the training after which the last have (default %(default)s)",
    )
    group.add_argument(
        "--frequency",
        type=int,
        default=moments.frequency,
        metavar="N",
        help="steps between two updates of the masks (default %(default)s)",
    )


class _Ratio(Action):
    """Collect ``NAME=FRACTION`` into a dict; names may hold ``=``."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        name, _, number = str(values).rpartition("=")
        try:
            ratio = float(number)
        except ValueError:
            name = ""
        if not name:
            raise PlanError(
                f"The ratio {values!r} cannot be read.",
                expected="NAME=FRACTION with a name that inspect lists.",
                fix="Give for example --ratio conv1=0.5.",
            )
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), name: ratio})

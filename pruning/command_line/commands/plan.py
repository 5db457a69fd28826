"""``plan MODEL --target KIND=VALUE``: a plan that reaches a target, and its price."""

from __future__ import annotations

from argparse import Action, ArgumentParser, Namespace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pruning import quantities, storage
from pruning.api.results import Planned
from pruning.command_line.commands._base import Command, add_length
from pruning.command_line.output import Output
from pruning.command_line.targets import file_for
from pruning.errors import PlanError
from pruning.strategy.description import describe
from pruning.strategy.patterns import UNSTRUCTURED, parse_pattern
from pruning.strategy.plan import PruningPlan, Schedule, Training

UNITS = {"params": "parameters", "flops": "FLOPs", "bytes": "bytes", "latency_ms": "ms"}


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a .keras or .h5 file")
    parser.add_argument(
        "--target",
        metavar="KIND=VALUE",
        help="params, flops or bytes: the fraction that is left; sparsity: the fraction of zeros; "
        "needed unless --ratio or an N:M pattern says what to remove",
    )
    parser.add_argument("--data", metavar="DATA", help="also measure the accuracy before")
    parser.add_argument("--method", default="channels", help="channels (default) or weights")
    parser.add_argument(
        "--criterion",
        metavar="NAME",
        help="what decides which go; for channels bn_scale, fpgm, l1 (default), l2, random, and "
        "with --data apoz, hessian, mean_activation, taylor; for weights magnitude",
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
        help="of the zeros (method weights): unstructured (default), N:M such as 2:4 (of every M "
        "weights N stay), blocks such as 4x4 (rows x columns)",
    )
    parser.add_argument(
        "--block-pooling",
        default="average",
        help="how a block is scored from its weights: average (default) or max",
    )
    parser.add_argument("--scope", default="uniform", help="uniform (default), layer or global")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the plan to this JSON file")
    parser.add_argument("--name", default="", help="name of the plan")
    parser.add_argument("--engine", default="studio", help="studio (default) or tfmot")
    parser.add_argument(
        "--round-to", type=int, default=1, metavar="N", help="round kept channels up to multiples"
    )
    parser.add_argument(
        "--lock", action="append", default=[], metavar="NAME", help="leave it whole; repeatable"
    )
    parser.add_argument(
        "--ratio",
        action=_Ratio,
        default={},
        metavar="NAME=FRACTION",
        help="fraction to remove from one group or layer; repeatable",
    )
    parser.add_argument(
        "--on-request",
        action="append",
        default=[],
        metavar="KIND",
        help="also cut groups that are left whole otherwise: inexact (widths that a layer "
        "normalises over; the change is measured), rescaled (key width of attention); repeatable",
    )
    parser.add_argument(
        "--no-latency", action="store_true", help="do not measure the model's latency"
    )
    add_length(parser)
    _add_retraining(parser)


def run(options: Namespace, output: Output) -> None:
    """Make the plan, price it, and write it if asked to."""
    from pruning import api
    from pruning.api.inputs import check_apart

    out = file_for(options.out) if options.out else None
    if out is not None:
        check_apart(options.model, out)
    _check_goal(options)
    with output.working(f"plan {options.model.name}") as work:
        planned = api.plan(
            options.model,
            options.target,
            method=options.method,
            criterion=options.criterion,
            scope=options.scope,
            data=options.data,
            ratios=options.ratio,
            locked=options.lock,
            schedule=Schedule(kind=options.schedule),
            training=Training(
                epochs=options.epochs,
                batch_size=options.batch_size,
                optimizer=options.optimizer,
                learning_rate=options.learning_rate,
                patience=options.patience,
                seed=options.seed,
            ),
            engine=options.engine,
            round_to=options.round_to,
            length=options.length,
            latency=not options.no_latency,
            name=options.name,
            on_request=options.on_request,
            calibration_samples=options.calibration_samples,
            progress=work.progress,
            pattern=options.pattern,
            block_pooling=options.block_pooling,
        )
    if out is not None:
        storage.write_json(out, planned.plan.to_dict())
    output.answer(planned.to_dict(), lambda console: show(planned, out, console))


def _check_goal(options: Namespace) -> None:
    fixed = parse_pattern(options.pattern).fixed is not None and options.method == "weights"
    if options.target is None and not options.ratio and not fixed:
        raise PlanError(
            "Nothing says how much to remove.",
            expected="--target KIND=VALUE, or --ratio NAME=FRACTION, or an N:M pattern.",
            fix="Give for example --target flops=0.5.",
        )


def show(planned: Planned, out: Path | None, console: Console) -> None:
    """Write the plan in words, what is expected, and what is removed."""
    console.print(Text(describe(planned.plan)))
    table = Table("", "before", "after", "change", "basis", box=None, pad_edge=False)
    for name, unit in UNITS.items():
        before, after = planned.prices.before[name], planned.prices.after[name]
        if before.value is None or after.value is None:
            continue
        form = {"bytes": quantities.size, "ms": quantities.milliseconds}.get(unit, quantities.count)
        change = quantities.factor(before.value, after.value, unit)
        row = (form(before.value), form(after.value), change, after.basis or "")
        table.add_row("latency" if unit == "ms" else unit, *row)
    accuracy = planned.prices.before["accuracy"].value
    if accuracy is not None:
        table.add_row("accuracy", quantities.percent(accuracy), "?", "known after pruning", "")
    console.print(table)
    ratios = Table("remove from", box=None, pad_edge=False)
    ratios.add_column("fraction", justify="right")
    for name, ratio in planned.plan.ratios.items():
        if ratio > 0:
            ratios.add_row(Text(quantities.middle(name, 60)), quantities.percent(ratio))
    console.print(ratios)
    if planned.calibrated:
        samples = quantities.plural(planned.calibrated, "sample")
        console.print(f"{planned.plan.criterion} looked at {samples} of the training split")
    for note in planned.prices.notes:
        console.print(Text(note))
    if out is not None:
        console.print(Text(f"written to {out}"), soft_wrap=True)


def _add_retraining(parser: ArgumentParser) -> None:
    default = Training()
    group = parser.add_argument_group("retraining")
    group.add_argument("--epochs", type=int, default=default.epochs, metavar="N")
    group.add_argument("--batch-size", type=int, default=default.batch_size, metavar="N")
    group.add_argument("--optimizer", default=default.optimizer, help="adam, adamw, sgd, rmsprop")
    group.add_argument("--learning-rate", type=float, default=default.learning_rate, metavar="X")
    group.add_argument("--patience", type=int, metavar="N", help="epochs without improvement")
    group.add_argument(
        "--seed", type=int, default=default.seed, metavar="N", help="of training and split"
    )
    group.add_argument(
        "--schedule",
        default=Schedule().kind,
        help="one_shot, constant or polynomial (method weights)",
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


COMMAND = Command(
    "plan",
    "make a plan that reaches a target, and price it",
    "Make a plan that reaches a target, print it with what is expected of it, write it as JSON.",
    arguments,
    run,
    order=3,
)

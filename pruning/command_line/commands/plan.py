"""``plan MODEL --target KIND=VALUE``: a plan that reaches a target, and its price."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pruning import quantities, storage
from pruning.api.results import Planned
from pruning.command_line.commands._base import Command
from pruning.command_line.commands._plan_options import arguments
from pruning.command_line.output import Output, plain
from pruning.command_line.targets import writing
from pruning.errors import UsageError
from pruning.strategy.description import describe
from pruning.strategy.patterns import parse_pattern
from pruning.strategy.plan import Schedule, Training

UNITS = {"params": "parameters", "flops": "FLOPs", "bytes": "bytes", "latency_ms": "ms"}


def run(options: Namespace, output: Output) -> None:
    """Make the plan, price it, and write it if asked to."""
    from pruning import api
    from pruning.api.inputs import check_apart

    if options.out is not None:
        check_apart(options.model, options.out)
    _check_goal(options)
    place = nullcontext() if options.out is None else writing(options.out)
    with place as out, output.working(f"plan {options.model.name}") as work:
        planned = api.plan(
            options.model,
            options.target,
            method=options.method,
            criterion=options.criterion,
            scope=options.scope,
            data=options.data,
            ratios=options.ratio,
            locked=options.lock,
            schedule=Schedule(
                kind=options.schedule,
                begin=options.begin,
                end=options.end,
                frequency=options.frequency,
            ),
            training=Training(
                epochs=options.epochs,
                batch_size=options.batch_size,
                optimizer=options.optimizer,
                learning_rate=options.learning_rate,
                decay=options.decay,
                distillation=options.distillation,
                feature_matching=options.feature_matching,
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
            recalibrate=not options.no_recalibrate,
            cuts=options.cuts,
            removed=options.remove,
            progress=work.progress,
            pattern=options.pattern,
            block_pooling=options.block_pooling,
        )
        if out is not None:
            storage.write_json(out, planned.plan.to_dict())
    output.answer(planned.to_dict(), lambda console: show(planned, out, console))


def _check_goal(options: Namespace) -> None:
    fixed = parse_pattern(options.pattern).fixed is not None and options.method == "weights"
    said = options.target is not None or options.ratio or options.remove or fixed
    if not said:
        raise UsageError(
            "Nothing says how much to remove.",
            expected="--target KIND=VALUE, --ratio NAME=FRACTION, --remove BLOCK or a pattern N:M.",
            fix="Give for example --target flops=0.5.",
        )


def show(planned: Planned, out: Path | None, console: Console) -> None:
    """Write the plan in words, what is expected, and what is removed."""
    console.print(plain(describe(planned.plan)))
    table = Table("", "before", "after", "change", "basis", box=None, pad_edge=False)
    units = UNITS
    if planned.plan.method == "weights":
        units = {"nonzero_params": "weights not zero", **UNITS}
    for name, unit in units.items():
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
    if planned.plan.method == "layers":
        console.print(_blocks(planned))
    ratios = Table("remove from", box=None, pad_edge=False)
    ratios.add_column("fraction", justify="right")
    for name, ratio in planned.plan.ratios.items():
        if ratio > 0:
            ratios.add_row(plain(quantities.middle(name, 60)), quantities.percent(ratio))
    if ratios.row_count:
        console.print(ratios)
    if planned.plan.target is not None and planned.prices.achieved is not None:
        target, achieved = planned.plan.target, planned.prices.achieved
        console.print(f"asked for {target.kind}={target.value:g}, comes to {achieved:.4g}")
    if planned.calibrated:
        samples = quantities.plural(planned.calibrated, "sample")
        console.print(f"{planned.plan.criterion} looked at {samples} of the training split")
    for note in planned.prices.notes:
        console.print(plain(note))
    if out is not None:
        console.print(plain(f"written to {out}"), soft_wrap=True)


def _blocks(planned: Planned) -> Table:
    """The blocks that go, and those that could have gone, by what they change."""
    found = planned.influences
    table = Table("block", "", box=None, pad_edge=False)
    if found is None:
        for name in planned.plan.removed:
            table.add_row(plain(quantities.middle(name, 60)), "removed")
        return table
    title = f"{found.criterion.replace('_', ' ')} ({found.samples:,} {found.split} samples)"
    table.add_column(title, justify="right")
    for name, value in sorted(found.values.items(), key=lambda entry: entry[1]):
        state = "removed" if name in planned.plan.removed else ""
        table.add_row(plain(quantities.middle(name, 60)), state, f"{value:.4f}")
    return table


COMMAND = Command(
    "plan",
    "make a plan that reaches a target, and price it",
    "Make a plan that reaches a target, print it with what to expect of it, and write it as JSON.",
    arguments,
    run,
    order=3,
)

"""``compare BEFORE AFTER --data DATA``: two models on the same test samples."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from rich.console import Console
from rich.table import Table

from pruning import quantities
from pruning.command_line.commands._base import Command, path, place
from pruning.command_line.output import Output, plain
from pruning.comparison import details
from pruning.comparison.result import Comparison, Scores
from pruning.comparison.verdict import verdict

WORST = 10  # classes shown as text; JSON has all


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("before", type=path, metavar="BEFORE", help="the original model")
    parser.add_argument("after", type=path, metavar="AFTER", help="the pruned model")
    parser.add_argument(
        "--data",
        required=True,
        type=place,
        metavar="DATA",
        help="both models are judged on its test samples",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="the plan's seed; splits data that brings no test samples",
    )
    parser.add_argument("--no-latency", action="store_true", help="do not measure the latency")


def run(options: Namespace, output: Output) -> None:
    """Compare the models."""
    from pruning import api

    with output.working("compare") as work:

        def report(entry: dict[str, Any]) -> None:
            if "done" in entry:
                share = entry["done"] / entry["total"]
                work.progress(share, f"{entry['step']}: {entry['done']:,} test samples")
            else:
                work.progress(0.0, entry["step"])

        found = api.compare(
            options.before,
            options.after,
            options.data,
            latency=not options.no_latency,
            seed=options.seed,
            report=report,
        )
    output.answer(found.to_dict(), lambda console: show(found.comparison, console))


def show(found: Comparison, console: Console) -> None:
    """Write the verdict, the figures, and the classes that lost most."""
    console.print(plain(verdict(found)))
    table = Table("", "before", "after", "", box=None, pad_edge=False)
    before, after = found.before, found.after
    table.add_row(before.metric, _interval(before), _interval(after))
    table.add_row("loss", f"{before.loss:.4f}", f"{after.loss:.4f}")
    changes, was_in_words = details.changes_in_words(found), details.in_words(before.details)
    for name, words in details.in_words(after.details).items():
        table.add_row(name, was_in_words[name], words, changes[name])
    sizes = (found.sizes_before, found.sizes_after)
    for name, unit in (("params", "parameters"), ("flops", "FLOPs")):
        was, now = (getattr(side, name) for side in sizes)
        change = quantities.factor(was, now, unit)
        table.add_row(unit, quantities.count(was), quantities.count(now), change)
    for name, title in (("bytes", "file"), ("gzip_bytes", "gzip")):
        was, now = (getattr(side, name) for side in sizes)
        change = quantities.factor(was, now, "bytes")
        table.add_row(title, quantities.size(was), quantities.size(now), change)
    was, now = found.latency_before.median_ms, found.latency_after.median_ms
    if was is not None and now is not None:
        change = quantities.factor(was, now, "ms")
        times = [quantities.milliseconds(ms, beside=[was, now]) for ms in (was, now)]
        table.add_row("latency", *times, change)
    console.print(table)
    for note in found.notes:
        console.print(plain(note), soft_wrap=True)
    if found.latency_before.note:
        console.print(plain(found.latency_before.note))
    if found.both_right is not None:
        console.print(
            f"both right {found.both_right:,}, only before {found.only_before:,}, "
            f"only after {found.only_after:,}, both wrong {found.both_wrong:,}"
        )
    if found.classes:
        _classes(found, console)


def _classes(found: Comparison, console: Console) -> None:
    shown = sorted((c for c in found.classes if c.count), key=lambda c: c.after - c.before)
    table = Table("class", box=None, pad_edge=False)
    titles = [f"{found.judged[1].removeprefix('test ')}s", "before", "after", "change"]
    for title in [*titles, *(["IoU before", "IoU after"] if found.of_pixels else [])]:
        table.add_column(title, justify="right")
    for entry in shown[:WORST]:
        table.add_row(
            plain(quantities.middle(entry.name, 40)),
            f"{entry.count:,}",
            quantities.percent(entry.before),
            quantities.percent(entry.after),
            quantities.points(entry.after - entry.before),
            *(quantities.percent(v) for v in (entry.iou_before, entry.iou_after) if v is not None),
        )
    console.print(table)
    if len(shown) > WORST:
        console.print(f"and {len(shown) - WORST:,} classes that lost less")


def _interval(scores: Scores) -> str:
    interval = scores.value
    if scores.metric == "mae":
        return quantities.number_interval(interval.value, interval.low, interval.high)
    return quantities.percent_interval(interval.value, interval.low, interval.high)


COMMAND = Command(
    "compare",
    "judge two models on the same test samples",
    "Compare a model with its pruned version: accuracy and loss on the same test samples, the "
    "paired difference with its 95 % interval, classes, sizes, FLOPs and latency.",
    arguments,
    run,
    order=5,
)

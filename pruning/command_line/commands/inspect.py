"""``inspect MODEL``: what a model is made of, and what of it can be pruned."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rich.console import Console
from rich.table import Table

from pruning import quantities
from pruning.analysis.profile import ModelProfile
from pruning.api.results import Inspection
from pruning.command_line.commands._base import Command, add_length, path, place
from pruning.command_line.output import Output, plain
from pruning.comparison.result import Scores
from pruning.intake.dataset import Manifest

_SPLITS = {"train": "training", "val": "validation", "test": "test"}
MEMBERS = 4  # layers of a group shown as text; JSON has all


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("model", type=path, metavar="MODEL", help="a .keras or .h5 file")
    parser.add_argument(
        "--data",
        type=place,
        metavar="DATA",
        help="also check that this data fits, and evaluate the model on it",
    )
    add_length(parser)


def run(options: Namespace, output: Output) -> None:
    """Analyse the model."""
    from pruning import api

    with output.working(f"inspect {options.model.name}"):
        found = api.inspect(options.model, data=options.data, length=options.length)
    output.answer(found.to_dict(), lambda console: show(found, console))


def show(found: Inspection, console: Console) -> None:
    """Write the passport, the layers and the channel groups."""
    profile = found.profile
    console.print(
        plain(
            f"{profile.name}: {profile.writer}, {quantities.count(profile.params)} parameters, "
            f"{quantities.count(profile.flops)} FLOPs, {quantities.size(profile.bytes)}"
        )
    )
    for words, specs in (("reads", profile.inputs), ("answers", profile.outputs)):
        # Of several the names matter: they are the keys of their arrays.
        names = [f"{spec.name} " if len(specs) > 1 else "" for spec in specs]
        tensors = ", ".join(
            f"{name}{quantities.shape(spec.shape)} {spec.dtype}"
            for name, spec in zip(names, specs, strict=True)
        )
        console.print(plain(f"{words} {tensors}"))
    console.print(
        f"smallest that removing channels can reach: {quantities.count(profile.floor_params)} "
        f"parameters, {quantities.count(profile.floor_flops)} FLOPs"
    )
    if found.data is not None:
        console.print(plain(data(found.data)), soft_wrap=True)
    if found.baseline is not None:
        console.print(baseline(found.baseline))
    for note in found.notes:
        console.print(plain(note), soft_wrap=True)
    table = Table("layer", "class", "output", box=None, pad_edge=False)
    for title in ("parameters", "FLOPs", "zeros"):
        table.add_column(title, justify="right")
    table.add_column("prunable")
    for layer in profile.layers:
        table.add_row(
            plain(quantities.middle(layer.name, 40)),
            plain(layer.cls),
            quantities.shape(layer.output_shape),
            quantities.count(layer.params),
            quantities.count(layer.flops),
            quantities.percent(layer.zeros),
            "yes" if layer.prunable else plain(layer.reason or "no"),
        )
    console.print(table)
    console.print(_groups(profile))
    if profile.blocks:
        console.print(_blocks(profile))
    for note in profile.notes:
        console.print(plain(note))


def _groups(profile: ModelProfile) -> Table:
    """The channels that can only go together."""
    table = Table("group", box=None, pad_edge=False)
    table.add_column("channels", justify="right")
    table.add_column("layers")
    table.add_column("prunable")
    for group in profile.groups:
        members = [quantities.middle(name, 40) for name in group.layers]
        table.add_row(
            plain(quantities.middle(group.id, 40)),
            f"{group.channels:,}",
            plain(quantities.listed(members, MEMBERS)),
            "yes" if group.prunable else plain(group.reason or "no"),
        )
    return table


def _blocks(profile: ModelProfile) -> Table:
    """What could be left out whole."""
    table = Table("block", "kind", box=None, pad_edge=False)
    for title in ("parameters", "FLOPs", "layers"):
        table.add_column(title, justify="right")
    table.add_column("removable")
    for block in profile.blocks:
        table.add_row(
            plain(quantities.middle(block.id, 40)),
            block.kind,
            quantities.count(block.params),
            quantities.count(block.flops),
            str(len(block.layers)),
            "yes" if block.removable else plain(block.reason or "no"),
        )
    return table


def data(manifest: Manifest) -> str:
    """Say how many samples there are, and how they were made fit for the model."""
    counts = ", ".join(f"{count:,} {_SPLITS[split]}" for split, count in manifest.counts.items())
    return f"{manifest.name}: {counts} samples; {', '.join(manifest.pipeline) or 'as they are'}"


def baseline(scores: Scores) -> str:
    """Say the quality before pruning, against chance."""
    value = scores.value
    if scores.metric == "mae":
        error, chance = quantities.number(value.value), quantities.number(scores.chance)
        return f"mean absolute error {error} (chance {chance})"
    words = quantities.percent_interval(value.value, value.low, value.high)
    return (
        f"{scores.metric} {words} on the test samples, chance {quantities.percent(scores.chance)}"
    )


COMMAND = Command(
    "inspect",
    "show what a model is made of and what can be pruned",
    "Print layers, channel groups, parameters, FLOPs, and the smallest size that removing channels "
    "could reach. With --data the data is checked against the model and its baseline is measured.",
    arguments,
    run,
    order=1,
)

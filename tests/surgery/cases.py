"""A cut of each topology, made once and looked at by several tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pruning.analysis.graph import trace
from pruning.analysis.groups import flops_cost, make_groups
from pruning.analysis.profiler import Analysis, analyse
from pruning.frameworks._base import Framework, framework
from pruning.strategy.cost_table import bytes_table, widths
from pruning.strategy.sizes import cuts_are_exact, file_bytes, whole_bytes
from pruning.surgery.channels import Cut, cut
from tests import models
from tests.surgery import (
    topologies,
    topologies_functions,
    topologies_operators,
    topologies_products,
    topologies_rows,
    topologies_sequence,
)

BUILDERS = {
    **topologies.BUILDERS,
    **topologies_sequence.BUILDERS,
    **topologies_operators.BUILDERS,
    **topologies_products.BUILDERS,
    **topologies_rows.BUILDERS,
    **topologies_functions.BUILDERS,
}
TOPOLOGIES = (*models.NAMES, *BUILDERS)
# Models with groups that are cut on request only.
REQUESTED = ("attention", "cross_attention", "states", "normalized")
REQUESTED += ("summed_channels", "towers", "own_norms", "heads_by_hand", "attended_values")
REQUESTED += ("neighbours", "gates_across", "projected")
# Layers that only one of the two Kerases has.
ONLY = {**topologies_sequence.ONLY, **topologies_rows.ONLY, **topologies_functions.ONLY}
CASES = [
    (name, family)
    for name in TOPOLOGIES
    for family in models.FAMILIES
    if ONLY.get(name, family) == family
]


@dataclass(eq=False)
class Case:
    """One model, its analysis and a random cut of it."""

    analysis: Analysis
    weights_before: list[np.ndarray]
    cut: Cut

    @property
    def counts(self) -> dict[str, int]:
        """Kept channels by group."""
        whole = {group.id: group.channels for group in self.analysis.groups}
        return whole | {name: len(kept) for name, kept in self.cut.kept.items()}


def build(name: str, family: str) -> Any:
    """Build one of the shared topologies or of this room's."""
    if name in models.NAMES:
        return models.build(name, family)
    model = BUILDERS[name](models.keras_of(family))
    models.randomize(model)
    return model


def analysed(model: Any, family: str, file_format: str = "keras", **options: Any) -> Analysis:
    """Analyse a model in memory as if it had been loaded from a file.

    Not ``for_pricing`` unless that is asked for: half of the time goes into writing a file.
    """
    file = SimpleNamespace(file_format=file_format, writer="test")
    loaded = SimpleNamespace(model=model, framework=framework(family), file=file, length=128)
    options = {"for_pricing": False} | options
    return analyse(loaded, digest="digest", name="model.keras", bytes=1000, **options)


def random_kept(analysis: Analysis, seed: int, on_request: bool = False) -> dict[str, np.ndarray]:
    """A different random ratio for each group: from one channel to whole, the first never whole.

    ``on_request`` also cuts what is left whole otherwise, never whole.
    """
    rng = np.random.default_rng(seed)
    kept: dict[str, np.ndarray] = {}
    for group in analysis.groups:
        if group.prunable or (on_request and group.can_shrink):
            whole_allowed = kept and not group.on_request
            most = group.channels if whole_allowed else group.channels - 1
            kept[group.id] = rng.choice(group.channels, rng.integers(1, most + 1), replace=False)
    return kept


@cache
def case(name: str, family: str, on_request: bool = False) -> Case:
    """Analyse and cut a topology, with a seed of its own."""
    analysis = analysed(build(name, family), family, for_pricing=True)
    before = [np.array(weight) for weight in analysis.model.get_weights()]
    kept = random_kept(analysis, TOPOLOGIES.index(name), on_request)
    return Case(analysis, before, cut(analysis, kept))


def assert_priced(analysis: Analysis, made: Cut, folder: Path) -> None:
    """Save a cut model, and compare its file's size with what the profile says."""
    profile = analysis.profile
    path = folder / f"small.{profile.file_format}"
    analysis.framework.save(made.model, path)
    kept = widths(profile, {name: len(indices) for name, indices in made.kept.items()})
    priced = file_bytes(profile, bytes_table(profile).total(kept))
    if cuts_are_exact(profile):
        assert priced == path.stat().st_size
    else:
        assert priced == pytest.approx(path.stat().st_size, rel=0.3)
    assert path.stat().st_size < whole_bytes(profile)


def flops_of(model: Any, of: Framework) -> int:
    """FLOPs counted on the model as it is."""
    traced = trace(of, of.flat(model), 128)
    groups = make_groups(traced)
    whole: Mapping[str, int] = {group.id: group.channels for group in groups.groups}
    return sum(flops_cost(layer, groups).value(whole) for layer in traced.layers.values())


def weights_by_path(model: Any, of: Framework) -> dict[str, list[np.ndarray]]:
    """``get_weights()`` of every layer by its path."""
    flat = of.flat(model)
    return {of.path_of(flat, layer): layer.get_weights() for layer in of.layers(model)}

"""Priced bytes against files that were really written, in both Kerases and both formats."""

from __future__ import annotations

import pytest

from pruning.analysis.profiler import analyse, channel_weights
from pruning.frameworks._base import framework
from pruning.intake import model_file
from pruning.strategy.criteria import criterion
from pruning.strategy.estimates import price
from pruning.strategy.plan import PruningPlan
from pruning.strategy.scoring import group_scores
from pruning.strategy.selection import kept_channels
from pruning.surgery import channels
from pruning.surgery.masks import WeightMasks
from tests.models import build

MODEL = "0123456789abcdef0123"


def saved_size(model, kind, path):
    kind.save(model, path)
    return path.stat().st_size


@pytest.mark.parametrize("family", ["keras3", "tf_keras"])
@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize(
    "name", ["residual_identity", "lstm", "nested_sequential", "time_distributed"]
)
def test_bytes_of_real_files(name, suffix, family, tmp_path):
    kind = framework(family)
    path = tmp_path / f"model.{suffix}"
    build(name, family).save(str(path))  # as a user of plain Keras would
    loaded = model_file.load(path)
    analysis = analyse(loaded, digest=MODEL, name=name, bytes=path.stat().st_size)
    profile = analysis.profile

    halves = {group.id: 0.5 for group in profile.prunable_groups}
    plan = PruningPlan(MODEL, ratios=halves)
    scores = group_scores(criterion("l1", "channels"), channel_weights(analysis))
    cut = channels.cut(analysis, kept_channels(profile, plan, scores)).model
    priced = price(profile, tmp_path, plan)
    assert priced.after["params"].value == cut.count_params()
    written = saved_size(cut, kind, tmp_path / f"cut.{suffix}")
    assert priced.after["bytes"].basis == "exact"
    assert priced.after["bytes"].value == written
    assert written < priced.before["bytes"].value

    ratios = {layer.name: 0.8 for layer in profile.layers if layer.maskable}
    plan = PruningPlan(MODEL, method="weights", criterion="magnitude", ratios=ratios)
    masks = WeightMasks(loaded.model, kind, plan)
    masks.update(lambda final: final)
    priced = price(profile, tmp_path, plan)
    assert priced.after["bytes"].basis == "exact"
    written = saved_size(loaded.model, kind, tmp_path / f"masked.{suffix}")
    assert priced.after["bytes"].value == written

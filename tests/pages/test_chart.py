"""The component that draws every chart."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from pages.components.chart import _specification
from pruning.charts import comparison, layers, runs, samples, strategy, training

ALL = [
    (comparison.class_scores, "name whole count before after", {"classes": 3}),
    (comparison.confusion, "truth predicted count", {"classes": 3, "limit": 9, "view": "after"}),
    (comparison.latencies, "side time drawn beyond", {"unit": "microseconds"}),
    (layers.cost_bars, "bar name start end kind", {"selected": "conv"}),
    (layers.weight_histogram, "low high count", {"threshold": 0.1}),
    (
        layers.sorted_scores,
        "rank start end score fate",
        {"unit": "head", "title": "L1", "planned": True},
    ),
    (runs.quality_against_size, "run size quality side", {"size_title": "FLOPs"}),
    (samples.waveform, "seconds low high", {}),
    (strategy.kept_widths, "name whole before after state", {"unit": "channels"}),
    (
        strategy.kept_widths,
        "name whole before after state",
        {"unit": "channels", "states": strategy.BLOCK_STATES, "crowded": True},
    ),
    (training.curve, "step value split", {"quantity": "loss", "reference": 0.5}),
]


@pytest.mark.parametrize(("build", "columns", "settings"), ALL)
def test_a_specification_leaves_its_only_data_to_the_rows(build, columns, settings):
    spec = json.loads(_specification(build, tuple(columns.split()), tuple(settings.items())))
    assert "datasets" not in spec
    assert "data" not in spec
    assert all("data" not in layer for layer in spec.get("layer", ()))


def test_it_is_made_once_for_all_rows_and_again_for_another_setting():
    _specification.cache_clear()
    first = _specification(training.curve, ("step",), (("quantity", "loss"),))
    assert _specification(training.curve, ("step",), (("quantity", "loss"),)) is first
    other = _specification(training.curve, ("step",), (("quantity", "accuracy"),))
    assert other != first
    assert _specification.cache_info().misses == 2


def test_a_chart_with_data_of_its_own_is_refused():
    import altair as alt

    def two(rows: pd.DataFrame) -> alt.LayerChart:
        more = pd.DataFrame({"x": [1]})
        return alt.layer(alt.Chart(rows).mark_bar(), alt.Chart(more).mark_bar())

    with pytest.raises(ValueError, match="draws more than its rows"):
        _specification(two, ("x",), ())

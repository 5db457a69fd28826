from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pruning.charts import layers, theme

FRAME = pd.DataFrame(
    {
        "full_name": ["a", "b", "c", "d"],
        "name": ["a", "b", "c", "d"],
        "cls": ["Conv2D", "ReLU", "Conv2D", "Dense"],
        "params": [100, 0, 300, 600],
        "flops": [1000, 0, 3000, 0],
        "shrinks": [True, True, True, False],
    }
)


def test_segments_lie_end_to_end_and_leave_out_what_costs_nothing():
    rows = layers.segments(FRAME, "c")
    params = rows[rows["bar"] == "Parameters"]
    assert params["name"].tolist() == ["a", "c", "d"]
    assert params["start"].tolist() == pytest.approx([0, 0.1, 0.4])
    assert params["end"].tolist() == pytest.approx([0.1, 0.4, 1])
    flops = rows[rows["bar"] == "FLOPs"]
    assert flops["end"].tolist() == pytest.approx([0.25, 1])
    assert rows[rows["selected"]]["name"].tolist() == ["c", "c"]
    assert params["kind"].tolist() == ["shrinks, its neighbour", "shrinks", "keeps its size"]


def test_latency_is_a_third_bar_when_it_is_known():
    rows = layers.segments(FRAME.assign(latency=[0.5, 0.25, 1.25, np.nan]), "c")
    latency = rows[rows["bar"] == "Latency"]
    assert latency["end"].tolist() == pytest.approx([0.25, 0.375, 1])
    assert latency["amount"].tolist() == ["0.500 ms", "0.250 ms", "1.25 ms"]


def test_bars_start_with_the_selection_and_name_it():
    spec = layers.cost_bars(layers.segments(FRAME, "c"), "c").to_dict()
    (parameter,) = [entry for entry in spec["params"] if entry["name"] == layers.SELECTION]
    assert parameter["value"] == [{"name": "c"}]
    assert parameter["select"]["fields"] == ["name"]
    assert spec["layer"][0]["encoding"]["x2"]["field"] == "end"


def test_layers_that_keep_their_size_are_outlines_and_not_only_grey():
    blocks = layers.cost_bars(layers.segments(FRAME, "c"), "c").to_dict()["layer"][0]["encoding"]
    keeps = "datum.kind == 'keeps its size'"
    assert blocks["fillOpacity"]["condition"] == {"test": keeps, "value": 0.2}
    assert blocks["fillOpacity"]["value"] == 1
    assert blocks["stroke"] == {"condition": {"test": keeps, "value": theme.FROZEN}, "value": None}


def test_histogram_bins_keep_their_edges():
    spec = layers.weight_histogram(layers.histogram_rows([-1, 0, 2], [5, 7])).to_dict()
    (rows,) = spec["datasets"].values()
    assert rows == [{"low": -1, "high": 0, "count": 5}, {"low": 0, "high": 2, "count": 7}]


def test_counts_on_an_axis_are_written_as_in_words():
    """Vega's own format writes 500k beside captions that say 500 k."""
    spec = layers.weight_histogram(layers.histogram_rows([-1, 0, 2], [5, 7])).to_dict()
    axis = spec["layer"][0]["encoding"]["y"]["axis"]
    assert axis == {"labelExpr": theme.COUNT_LABEL, "tickMinStep": 1}  # there is no half weight
    assert theme.COUNT_LABEL == "replace(format(datum.value, '~s'), /([kMGTP])$/, ' $1')"


def test_a_threshold_is_drawn_on_both_sides_of_zero():
    rows = layers.histogram_rows([-1, 0, 2], [5, 7])
    spec = layers.weight_histogram(rows, threshold=0.25).to_dict()
    rules = [layer for layer in spec["layer"] if layer["mark"]["type"] == "rule"]
    assert [rule["encoding"]["x"]["datum"] for rule in rules] == [-0.25, 0.25]


def test_scores_are_sorted_and_know_their_channel_and_fate():
    rows = layers.score_rows(np.array([3.0, 1.0, 2.0]), kept=np.array([0, 2]))
    assert rows[["rank", "channel", "score", "fate"]].values.tolist() == [
        [1, 1, 1.0, "removed"],
        [2, 2, 2.0, "kept"],
        [3, 0, 3.0, "kept"],
    ]
    assert layers.score_rows(np.array([3.0, 1.0]))["fate"].tolist() == ["kept", "kept"]


def test_the_plans_cut_is_drawn_only_when_there_is_one():
    rows = layers.score_rows(np.array([3.0, 1.0, 2.0]), kept=np.array([0, 2]))
    spec = layers.sorted_scores(rows, unit="head", title="L1 score", planned=True).to_dict()
    assert spec["layer"][0]["encoding"]["x"]["title"] == "Heads, weakest first"
    assert spec["layer"][-1]["encoding"]["x"] == {
        "aggregate": "max", "field": "rank", "type": "quantitative"
    }  # fmt: skip
    assert "removed" in str(spec["layer"][-1]["transform"])
    unplanned = layers.sorted_scores(rows, unit="head", title="L1 score").to_dict()
    assert len(unplanned["layer"]) == len(spec["layer"]) - 1

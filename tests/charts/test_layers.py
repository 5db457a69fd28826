from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pruning.charts import layers

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
    assert params["kind"].tolist() == ["shrinks, its neighbour", "shrinks", "frozen"]


def test_bars_start_with_the_selection_and_name_it():
    spec = layers.cost_bars(layers.segments(FRAME, "c"), "c").to_dict()
    (parameter,) = [entry for entry in spec["params"] if entry["name"] == layers.SELECTION]
    assert parameter["value"] == [{"name": "c"}]
    assert parameter["select"]["fields"] == ["name"]
    assert spec["layer"][0]["encoding"]["x2"]["field"] == "end"


def test_histogram_bins_keep_their_edges():
    spec = layers.weight_histogram([-1, 0, 2], [5, 7]).to_dict()
    (rows,) = spec["datasets"].values()
    assert rows == [{"low": -1, "high": 0, "count": 5}, {"low": 0, "high": 2, "count": 7}]


def test_scores_are_sorted_and_know_their_channel():
    spec = layers.sorted_scores(np.array([3.0, 1.0, 2.0]), "head").to_dict()
    tables = list(spec["datasets"].values())
    bars = next(rows for rows in tables if "rank" in rows[0])
    assert [(row["rank"], row["channel"], row["score"]) for row in bars] == [
        (1, 1, 1.0),
        (2, 2, 2.0),
        (3, 0, 3.0),
    ]
    assert spec["layer"][0]["encoding"]["x"]["title"] == "Heads, weakest first"
    assert any(rows[0].get("text") == "median" and rows[0]["score"] == 2.0 for rows in tables)

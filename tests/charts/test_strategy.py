from __future__ import annotations

import pandas as pd

from pruning.charts import strategy, theme

ROWS = pd.DataFrame({"name": ["a"], "whole": ["a"], "before": [8], "after": [5], "state": ["cut"]})


def test_a_crowd_has_neither_gaps_nor_outlines() -> None:
    """A thousand outlines of one pixel hide what is inside of them."""
    few = strategy.kept_widths(ROWS).to_dict()["layer"]
    many = strategy.kept_widths(ROWS, crowded=True).to_dict()["layer"]
    assert [layer["mark"].get("width") for layer in few] == [None, {"band": 0.45}]
    assert [layer["mark"].get("width") for layer in many] == [{"band": 1}, {"band": 1}]
    assert [layer["mark"].get("strokeOpacity") for layer in (few[0], many[0])] == [1, 0]


def test_states_and_colours_go_together() -> None:
    _, filled = strategy.kept_widths(ROWS).to_dict()["layer"]
    assert filled["encoding"]["color"]["scale"] == {
        "domain": ["cut", "whole", "frozen"],
        "range": [theme.AFTER, theme.BEFORE, theme.FROZEN],
    }
    # What is frozen is told apart without its colour.
    assert filled["encoding"]["fillOpacity"] == {
        "condition": {"test": "datum.state == 'frozen'", "value": theme.HOLLOW}, "value": 1
    }  # fmt: skip
    assert "frozen (hollow)" in filled["encoding"]["color"]["legend"]["labelExpr"]
    _, filled = strategy.kept_widths(ROWS, states=strategy.BLOCK_STATES).to_dict()["layer"]
    assert filled["encoding"]["color"]["scale"] == {
        "domain": ["removed", "stays"],
        "range": [theme.AFTER, theme.BEFORE],
    }

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from pruning.charts import comparison, theme

CONFIG = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"


def test_names_stand_beside_their_rows_and_ticks_keep_apart() -> None:
    rows = pd.DataFrame({"name": ["a"], "count": [9], "before": [0.99], "after": [0.995]})
    dots = comparison.class_scores(rows, classes=1).to_dict()["layer"][1]["encoding"]
    assert dots["y"]["axis"]["labelFlush"] is False
    assert dots["x"]["axis"]["labelExpr"] == theme.PERCENT_LABEL


def test_the_score_of_a_class_has_its_name() -> None:
    rows = pd.DataFrame({"name": ["a"], "count": [9], "before": [0.99], "after": [0.995]})
    line = comparison.class_scores(rows, classes=1, score="F1").to_dict()["layer"][0]["encoding"]
    assert line["x"]["title"] == "F1 of the class"


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("hue", [theme.BEFORE, theme.AFTER])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_counts_of_a_confusion_matrix_can_be_read_on_every_cell(dark, hue, share) -> None:
    page = tomllib.loads(CONFIG.read_text())["theme"]["dark" if dark else "light"]
    opacity = share * comparison.STRONGEST[dark]
    ground = rgb(page["backgroundColor"])
    mixed = (opacity * a + (1 - opacity) * b for a, b in zip(rgb(hue), ground, strict=True))
    cell = "#" + bytes(round(value) for value in mixed).hex()
    assert theme.contrast(cell, theme.INK[dark]) >= 4.5
    assert theme.INK[dark] == page["textColor"]


def test_a_confusion_matrix_follows_the_page() -> None:
    """In the browser: its theme can be changed without a word to the server."""
    rows = pd.DataFrame({"truth": ["a"], "predicted": ["a"], "count": [9]})
    cells, numbers = comparison.confusion(rows, classes=3, limit=9, view="after").to_dict()["layer"]
    opacity = "(luminance(background) < 0.5 ? 0.6 : 0.8) * sqrt(abs(datum.count) / 9)"
    assert cells["mark"]["fillOpacity"] == {"expr": opacity}
    ink = "luminance(background) < 0.5 ? '#E4EAF0' : '#1B2733'"
    assert numbers["mark"]["color"] == {"expr": ink}


def test_one_very_slow_call_does_not_press_all_others_into_a_corner() -> None:
    times = [1.0] * 95 + [1.5] * 4 + [90.0]
    rows = pd.DataFrame({"side": ["before"] * 100 + ["after"] * 100, "time": times + [0.5] * 100})
    drawn = comparison.within_reach(rows)
    assert drawn["drawn"].max() == pytest.approx(2 * rows["time"][:100].quantile(0.95))
    assert drawn[drawn["beyond"]]["time"].tolist() == [90.0]
    assert drawn[~drawn["beyond"]]["drawn"].tolist() == [*times[:-1], *[0.5] * 100]
    dots = comparison.latencies(drawn).to_dict()["layer"][0]["encoding"]
    assert dots["x"]["field"] == "drawn"
    assert dots["shape"]["condition"]["value"] == "triangle-right"
    assert [entry["field"] for entry in dots["tooltip"]] == ["side", "time"]


def test_calls_that_are_alike_are_all_drawn_where_they_are() -> None:
    rows = pd.DataFrame({"side": ["before", "after"] * 2, "time": [1.0, 0.5, 1.2, 0.6]})
    drawn = comparison.within_reach(rows)
    assert not drawn["beyond"].any()
    assert drawn["drawn"].tolist() == rows["time"].tolist()


def test_counts_in_a_confusion_matrix_have_their_thousands_separated() -> None:
    """It said +9051 where all else says 9,051."""
    rows = pd.DataFrame({"truth": ["a"], "predicted": ["a"], "count": [9051]})
    for view, written in (("difference", "+,d"), ("before", ",d")):
        spec = comparison.confusion(rows, classes=1, limit=9051, view=view).to_dict()
        assert spec["layer"][1]["encoding"]["text"]["format"] == written

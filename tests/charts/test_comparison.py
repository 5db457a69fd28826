from __future__ import annotations

import pandas as pd

from pruning.charts import comparison, theme


def test_names_stand_beside_their_rows_and_ticks_keep_apart() -> None:
    rows = pd.DataFrame({"name": ["a"], "count": [9], "before": [0.99], "after": [0.995]})
    dots = comparison.class_scores(rows, classes=1).to_dict()["layer"][1]["encoding"]
    assert dots["y"]["axis"]["labelFlush"] is False
    assert dots["x"]["axis"]["format"] == theme.PERCENT


def test_the_score_of_a_class_has_its_name() -> None:
    rows = pd.DataFrame({"name": ["a"], "count": [9], "before": [0.99], "after": [0.995]})
    line = comparison.class_scores(rows, classes=1, score="F1").to_dict()["layer"][0]["encoding"]
    assert line["x"]["title"] == "F1 of the class"

from __future__ import annotations

import pandas as pd

from pruning.charts import theme, training

POINTS = pd.DataFrame({"step": [1], "value": [0.5], "split": ["training"]})


def test_the_first_step_is_a_dot_for_a_line_needs_two() -> None:
    layers = training.curve(POINTS, "loss").to_dict()["layer"]
    dots = [layer for layer in layers if "datum.steps <= 2" in str(layer.get("transform"))]
    assert [layer["mark"]["type"] for layer in dots] == ["point"]


def test_close_ticks_of_accuracy_keep_apart() -> None:
    """``.0%`` would write 99 % beside 99 %."""
    for layer in training.curve(POINTS, "accuracy").to_dict()["layer"][:1]:
        assert layer["encoding"]["y"]["axis"]["labelExpr"] == theme.PERCENT_LABEL


def test_a_learning_rate_starts_at_zero_and_an_accuracy_does_not() -> None:
    """Its first steps differ by a millionth, which no axis can write."""
    for quantity, zero in (("learning_rate", True), ("accuracy", False)):
        layer = training.curve(POINTS, quantity).to_dict()["layer"][0]
        assert layer["encoding"]["y"]["scale"]["zero"] is zero


def test_the_words_beside_the_level_can_be_read_on_a_dark_page() -> None:
    layers = training.curve(POINTS, "loss", reference=0.4).to_dict()["layer"]
    (words,) = [layer["mark"] for layer in layers if layer["mark"]["type"] == "text"]
    assert words["color"] == {"expr": theme.INK_EXPRESSION}


def test_a_large_loss_is_written_out_on_its_axis() -> None:
    axis = training.curve(POINTS, "loss").to_dict()["layer"][0]["encoding"]["y"]["axis"]
    assert axis["labelExpr"] == theme.NUMBER_LABEL
    assert "format" not in axis

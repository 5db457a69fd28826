"""Curves of a retraining run."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from pruning.charts.theme import (
    AFTER,
    BEFORE,
    INK_EXPRESSION,
    NUMBER_LABEL,
    PERCENT_LABEL,
    number_of,
    percent_of,
)

DOTS = 2  # points of training that are drawn as dots, too
QUANTITIES = {
    "loss": "Loss",
    "accuracy": "Accuracy",
    "sparsity": "Zero weights",
    "learning_rate": "Learning rate",
}


def curve(
    points: pd.DataFrame, quantity: str, *, reference: float | None = None, height: int = 260
) -> alt.LayerChart | alt.FacetChart:
    """One quantity over the training steps, training and validation apart by dash and shape.

    Args:
        points: Columns ``step``, ``value``, ``split`` ("training" or "validation").
        quantity: Key of :data:`QUANTITIES`.
        reference: The unpruned model's value on validation, drawn as a level line.
        height: Pixels.
    """
    title = QUANTITIES[quantity]
    share = quantity in ("accuracy", "sparsity")
    axis = alt.Axis(labelExpr=PERCENT_LABEL if share else NUMBER_LABEL)
    words = percent_of("value", 2) if share else number_of("value")
    # A rate has fallen by a millionth after its first steps: from zero on that is a level line.
    scale = alt.Scale(zero=quantity == "learning_rate")
    base = alt.Chart().transform_calculate(words=words)
    base = base.encode(
        x=alt.X("step:Q", title="Training step", axis=alt.Axis(format=",d", tickMinStep=1)),
        y=alt.Y("value:Q", title=title, scale=scale, axis=axis),
    )
    training = base.transform_filter(alt.datum.split == "training")
    # A line needs two points: the first step is a dot until there are some.
    first = training.transform_joinaggregate(steps="count()")
    first = first.transform_filter(f"datum.steps <= {DOTS}")
    validation = base.transform_filter(alt.datum.split == "validation")
    layers: list[Any] = [
        training.mark_line(color=AFTER, opacity=0.65, strokeWidth=1.5),
        first.mark_point(color=AFTER, filled=True, size=35),
        validation.mark_line(color=AFTER, strokeWidth=2.5),
        validation.mark_point(color=AFTER, filled=True, size=70, shape="diamond").encode(
            tooltip=[
                alt.Tooltip("step:Q", title="Step", format=","),
                alt.Tooltip("words:N", title=f"Validation {title.lower()}"),
            ]
        ),
    ]
    if reference is not None:
        # One row, or there would be as many lines over one another as there are points.
        level = alt.Chart().transform_aggregate(n="count()").encode(y=alt.datum(reference))
        layers.append(level.mark_rule(color=BEFORE, strokeDash=[6, 4]))
        # In the page's ink: on a dark page the line's blue is too dim for words.
        ink = alt.ExprRef(INK_EXPRESSION)
        label = level.mark_text(align="left", dx=4, dy=-6, color=ink, fontSize=11)
        layers.append(label.encode(x=alt.value(0), text=alt.value("before pruning")))
    return alt.layer(*layers, data=points).properties(height=height, title=title)


def points(metrics: list[dict[str, Any]], quantity: str) -> pd.DataFrame:
    """Long form of the metrics of a run. -> columns step, value, split.

    Args:
        metrics: The lines of ``metrics.jsonl``.
        quantity: Key of :data:`QUANTITIES`; ``val_<quantity>`` is read as validation.
    """
    rows = [
        {"step": line["step"], "value": line[key], "split": split}
        for line in metrics
        for key, split in ((quantity, "training"), (f"val_{quantity}", "validation"))
        if line.get(key) is not None and line.get("step") is not None
    ]
    return pd.DataFrame(rows, columns=["step", "value", "split"])

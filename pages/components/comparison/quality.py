"""Quality tab: the paired difference, per class, confusion."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import chart, heading
from pages.components.columns import COUNT
from pages.components.text import apart, plain, visible
from pruning import quantities
from pruning.charts import comparison as charts
from pruning.comparison import details
from pruning.comparison.result import Comparison, Interval, Scores
from pruning.comparison.verdict import NAMES
from pruning.runs.folder import RunFolder

_NAME = 24
_AXIS_NAME = 17  # characters that fit beside the matrix: its own ends are seen, not an ellipsis
_DRAWN = 30  # classes in the chart: more could not be told apart
_MATRIX = 30  # classes of the largest matrix that is drawn
_PAIRS = 50
_NAMED = 5  # classes without test samples that are named


def show(folder: RunFolder, result: Comparison) -> None:
    """Draw quality before and after, overall and by class."""
    st.dataframe(_overall(result), hide_index=True)
    if result.both_right is not None:
        _pairs(result)
    if result.classes:
        _classes(result)
    if result.confusion_before:
        _confusion(result)


def _overall(result: Comparison) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row("before", result.before),
            _row("after", result.after),
            {
                "model": "difference, paired",
                "metric": _difference(result.before.metric, result.difference),
                "95 % interval": _interval(result.before.metric, result.difference, signed=True),
                "loss": _loss(result.after.loss - result.before.loss, signed=True),
                **_more(details.changes_in_words(result)),
            },
        ]
    ).rename(columns={"metric": NAMES[result.before.metric]})


def _row(name: str, scores: Scores) -> dict[str, str]:
    return {
        "model": name,
        "metric": _number(scores.metric, scores.value.value),
        "95 % interval": _interval(scores.metric, scores.value),
        "loss": _loss(scores.loss),
        **_more(details.in_words(scores.details)),
    }


def _more(words: Mapping[str, str]) -> dict[str, str]:
    """Further figures of a task, by the title of their column."""
    return {details.NAMES[name]: said for name, said in words.items()}


def _loss(value: float, *, signed: bool = False) -> str:
    """With four decimals, one below another; a large one without any."""
    if abs(value) >= 1000:
        return quantities.number(value, signed=signed)
    return quantities.minus(f"{value:{'+' if signed else ''}.4f}")


def _number(metric: str, value: float, *, signed: bool = False, decimals: int = 1) -> str:
    if metric == "mae":
        return quantities.number(value, signed=signed)
    return quantities.points(value, decimals) if signed else quantities.percent(value)


def _interval(metric: str, interval: Interval, *, signed: bool = False) -> str:
    decimals = quantities.decimals_of_points(interval.low, interval.high)
    low, high = (
        _number(metric, end, signed=signed, decimals=decimals)
        for end in (interval.low, interval.high)
    )
    return f"{low.removesuffix(' points').removesuffix(' %')} to {high}"  # the unit once


def _difference(metric: str, interval: Interval) -> str:
    """The change, with the digits of its interval, as the verdict writes it."""
    decimals = quantities.decimals_of_points(interval.low, interval.high)
    return _number(metric, interval.value, signed=True, decimals=decimals)


def _pairs(result: Comparison) -> None:
    counts = {
        "Both right": result.both_right,
        "Fixed: only after right": result.only_after,
        "Broken: only before right": result.only_before,
        "Both wrong": result.both_wrong,
    }
    answers, what = result.judged
    with st.container(key="pairs"), st.grid(4, min_column_width=170):
        for label, number in counts.items():
            share = quantities.percent((number or 0) / answers)
            st.metric(
                label,
                f"{number:,}",
                f"{share} of {what.removeprefix('test ')}s",
                delta_color="off",
                delta_arrow="off",
                border=True,
            )


def _classes(result: Comparison) -> None:
    tested = [entry for entry in result.classes if entry.count]  # the others have no accuracy
    score = _class_score(result)
    recalls = [(entry.before, entry.after) for entry in tested]
    scores = [(e.iou_before, e.iou_after) for e in tested] if score == "IoU" else recalls
    rows = pd.DataFrame(
        {
            "name": apart([entry.name for entry in tested], _NAME),
            "whole": [visible(entry.name) for entry in tested],
            "count": [entry.count for entry in tested],
            "before": [before for before, _ in scores],
            "after": [after for _, after in scores],
            "recall before": [before for before, _ in recalls],
            "recall after": [after for _, after in recalls],
        }
    )
    rows["change"] = rows["after"] - rows["before"]
    rows = rows.sort_values(["change", "count"], ascending=[True, False], kind="stable")
    worst = rows.iloc[0]
    heading.part("By class, worst change first")
    drawn = rows.head(_DRAWN).drop(columns=["recall before", "recall after"])
    chart.show(
        charts.class_scores,
        drawn,
        key="class_scores",
        alt=f"{score} by class before and after; the worst change is {worst['name']}, "
        f"{quantities.points(worst['change'])}.",
        classes=len(drawn),
        score=score,
        counted=f"{result.judged[1].capitalize()}s",
    )
    more = (
        f" The {_DRAWN} worst of {len(rows)} classes; all are in the table."
        if (len(rows) > _DRAWN)
        else ""
    )
    st.caption(f"Circle: before, diamond: after.{more}{_untested(result)}")
    table = st.expander(
        "The numbers as a table", icon=":material/table:", key="class_numbers", on_change="rerun",
        expanded=len(rows) > _DRAWN,
    )  # fmt: skip
    if table.open:
        table.dataframe(
            _class_table(rows, result.judged[1], score), hide_index=True, width="content"
        )


def _class_score(result: Comparison) -> str:
    """What classes are drawn by; of pixels, what both recall and false alarms go into."""
    if result.before.metric == "macro_f1":
        return "F1"
    return "IoU" if result.of_pixels else "Accuracy"


def _untested(result: Comparison) -> str:
    """Name the classes that nothing is known of."""
    names = [plain(entry.name, _NAME) for entry in result.classes if not entry.count]
    if not names:
        return ""
    named = quantities.listed(names, _NAMED)
    return f" Without a test sample, and so not judged: {named}."


def _class_table(rows: pd.DataFrame, what: str, score: str) -> pd.DataFrame:
    """Every class in words, worst change first; of pixels, the accuracy beside the IoU."""
    title = "IoU " if score == "IoU" else ""
    columns = {
        "class": rows["name"],
        f"{what}s": rows["count"],
        f"{title}before": [quantities.percent(value) for value in rows["before"]],
        f"{title}after": [quantities.percent(value) for value in rows["after"]],
        "change": [quantities.points(value) for value in rows["change"]],
    }
    if score == "IoU":
        for side in ("before", "after"):
            recalls = rows[f"recall {side}"]
            columns[f"accuracy {side}"] = [quantities.percent(value) for value in recalls]
    return pd.DataFrame(columns)


def _confusion(result: Comparison) -> None:
    if len(result.classes) > _MATRIX:
        _confused(result)
        return
    names = apart([entry.name for entry in result.classes], _AXIS_NAME)
    what = result.judged[1]
    before, after = np.array(result.confusion_before), np.array(result.confusion_after)
    views = {
        "Difference": after - before,
        "Before": before,
        "After": after,
    }
    choice = st.segmented_control(
        "Confusion matrix",
        list(views),
        default="Difference",
        required=True,
        key="confusion",
        wrap=True,
    )
    matrix = views[choice]
    words = {
        "Difference": f"{what.capitalize()}s after minus before: orange more, blue fewer; off the "
        "diagonal, more is worse.",
        "Before": f"{what.capitalize()}s by truth and prediction, before pruning.",
        "After": f"{what.capitalize()}s by truth and prediction, after pruning.",
    }[choice]
    if choice == "Difference" and not matrix.any():
        words += " Both matrices are the same."
    st.caption(words)
    rows = pd.DataFrame(
        {
            "truth": np.repeat(names, len(names)),
            "predicted": np.tile(names, len(names)),
            "count": matrix.ravel(),
        }
    )
    with st.container(width=charts.confusion_width(len(names))):  # less where the page is narrow
        chart.show(
            charts.confusion,
            rows,
            key=f"confusion_{choice}",
            alt=f"Confusion matrix of {len(names)} classes. {words}",
            classes=len(names),
            limit=max(1, int(np.abs(matrix).max())),
            view=choice.lower(),
        )


def _confused(result: Comparison) -> None:
    """Of many classes, the pairs that are confused most, those that became worse first."""
    heading.part("Most confused after pruning")
    rows = confused_pairs(
        apart([entry.name for entry in result.classes], _NAME),
        np.array(result.confusion_before),
        np.array(result.confusion_after),
    )
    count = st.column_config.NumberColumn(format=COUNT)
    st.dataframe(
        rows.head(_PAIRS),
        hide_index=True,
        width="content",
        column_config={"before": count, "after": count, "change": count},
    )
    st.caption(f"{len(result.classes)} classes: a matrix of all would be too large to read.")


def confused_pairs(names: list[str], before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    """Pairs of classes taken for one another, the largest increase first.

    Args:
        names: Of the classes.
        before: Confusion matrix of the original, (classes, classes), truth in rows.
        after: The same of the pruned model.

    Returns:
        Columns ``truth``, ``taken for``, ``before``, ``after``, ``change``; no pair without errors.
    """
    wrong = ~np.eye(len(names), dtype=bool) & ((before > 0) | (after > 0))
    truth, predicted = np.nonzero(wrong)
    old, new = before[truth, predicted], after[truth, predicted]
    order = np.lexsort((-new, old - new))
    columns = {
        "truth": [names[i] for i in truth[order]],
        "taken for": [names[i] for i in predicted[order]],
        "before": old[order],
        "after": new[order],
        "change": (new - old)[order],
    }
    return pd.DataFrame(columns)

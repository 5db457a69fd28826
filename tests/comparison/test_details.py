from dataclasses import replace

from pruning.comparison import details
from pruning.comparison.result import ClassScore, Comparison, Interval
from tests.comparison.records import comparison


def with_details(before: dict, after: dict, **differences: Interval) -> Comparison:
    found = comparison()
    return replace(
        found,
        before=replace(found.before, details=before),
        after=replace(found.after, details=after),
        detail_differences=differences,
    )


def test_figures_are_written_as_what_they_are() -> None:
    found = {"r2": 0.5, "rmse": 25_123.0, "mean_iou": 0.763, "subset_accuracy": 0.9, "new": 1.0}
    assert details.in_words(found) == {
        "mean_iou": "76.3 %", "subset_accuracy": "90.0 %", "rmse": "25,123", "r2": "0.5000"
    }  # fmt: skip


def test_changes_have_their_interval_where_there_is_one() -> None:
    before, after = {"mean_iou": 0.75, "r2": 0.5}, {"mean_iou": 0.73, "r2": 0.4}
    found = with_details(before, after, mean_iou=Interval(-0.02, -0.03, -0.01))
    assert details.changes_in_words(found) == {
        "mean_iou": "−2.0 points (95 %: −3.0 to −1.0)",
        "r2": "−0.1000",
    }


def test_the_record_has_them_only_where_there_are_some() -> None:
    plain = replace(comparison(), classes=(ClassScore("a", 3, 0.5, 1.0),)).to_dict()
    assert "detail_differences" not in plain
    assert plain["classes"] == [{"name": "a", "count": 3, "before": 0.5, "after": 1.0}]
    masks = replace(
        with_details({"mean_iou": 0.75}, {"mean_iou": 0.73}, mean_iou=Interval(-0.02, -0.03, 0.0)),
        classes=(ClassScore("a", 3, 0.5, 1.0, 0.4, 0.9), ClassScore("b", 0, 0.0, 0.0)),
    )
    assert Comparison.from_dict(masks.to_dict()) == masks

"""The report: one page that stands alone, with the figures of the comparison page."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pruning.comparison.result import ClassScore, Comparison, Interval, Latency
from pruning.comparison.verdict import verdict
from pruning.delivery.report import MOST_CLASSES, About, report
from pruning.strategy.plan import PruningPlan, Target
from tests.comparison.records import comparison

ABOUT = About(
    model="net.keras", data="animals.zip", samples="640 train, 60 test", run="20260101-120000-ab",
    finished="1 January 2026", model_id="0123", data_ref="4567-89",
)  # fmt: skip
PLAN = PruningPlan(model="0123", ratios={"conv": 0.5}, target=Target("flops", 0.5), name="half")
RESULTS = {"self_check": {"max_abs_error": 1.2e-7, "tolerance": 1e-5, "samples": 32}}


class Read(HTMLParser):
    """The page as its reader has it: text, the cells of each row, the tags that were opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append(tag)
        if tag == "meta":
            return
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def read(made: Comparison, **changes) -> Read:
    page = Read(report(made, PLAN, RESULTS, replace(ABOUT, **changes)))
    assert not page.open
    return page


def rows(page: Read) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in page.rows}


def test_it_says_what_the_comparison_page_says() -> None:
    made = comparison()
    page = read(made)
    told = " ".join(page.words)
    assert verdict(made) in told
    found = rows(page)
    assert found["Parameters"] == ["1,000", "500", "2.0× fewer", "exactly"]
    assert found["FLOPs of one sample"] == ["420 k", "200 k", "2.1× fewer", "exactly"]
    assert found["Latency"] == ["1.80 ms", "1.00 ms", "1.8× faster", "measured"]
    assert found["before"] == ["90.0 %", "88.0 to 92.0 %", "0.3"]
    assert found["difference, paired"] == ["−0.3 points", "−0.8 to +0.2 points", "+0.01"]
    assert "Nonzero parameters" not in found
    assert "half · Remove channels to 50 % of the FLOPs" in told
    assert "The cut is proven: before retraining" in told
    for words in ("net.keras on animals.zip · 1 January 2026", "640 train, 60 test", "4567-89"):
        assert words in told


def test_an_error_is_in_its_own_unit() -> None:
    page = read(
        comparison(task="regression", metric="mae", before=Interval(25_123.4, 24_000.0, 26_000.0),
                   difference=Interval(-120.5, -200.25, -40.0), chance=90_000.0)
    )  # fmt: skip
    found = rows(page)
    assert found["before"][:2] == ["25,123", "24,000 to 26,000"]
    assert found["difference, paired"][:2] == ["−120.5", "−200.2 to −40"]


def test_zeros_and_a_latency_that_was_not_measured() -> None:
    made = comparison(params=(1000, 1000), nonzero=(1000, 200))
    made = replace(made, latency_after=Latency(None, None, 0, note="LiteRT has no such operation."))
    found = rows(read(made))
    assert found["Nonzero parameters"] == ["1,000", "200", "5.0× fewer", "exactly"]
    assert found["Latency"] == ["—", "—", "", "LiteRT has no such operation."]


def test_classes_stand_with_the_worst_first_and_not_without_end() -> None:
    classes = tuple(
        ClassScore(f"class {number}", 10, 0.9, 0.9 - number / 1000) for number in range(120)
    )
    page = read(replace(comparison(), classes=classes))
    shown = [row for row in page.rows if row[0].startswith("class ")]
    assert shown[0] == ["class 119", "10", "90.0 %", "78.1 %", "−11.9 points"]
    assert len(shown) == MOST_CLASSES
    assert "and 70 classes that lost less." in " ".join(page.words)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "a & b"])
def test_names_from_files_are_text(name: str) -> None:
    made = replace(comparison(), classes=(ClassScore(name, 3, 1.0, 0.5),))
    page = read(made, model=name, data=name)
    assert not {"script", "img"} & set(page.tags)
    assert rows(page)[name] == ["3", "100.0 %", "50.0 %", "−50.0 points"]


def test_the_page_stands_alone() -> None:
    page = report(comparison(), PLAN, RESULTS, ABOUT)
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|<script|<link|url\(", page)


def test_a_class_without_test_samples_has_no_accuracy_of_none() -> None:
    classes = (ClassScore("seen", 10, 0.9, 0.8), ClassScore("unseen", 0, 0.0, 0.0))
    words = read(replace(comparison(), classes=classes)).words
    assert "seen" in words
    assert "unseen" not in words


def test_labels_at_each_pixel_are_called_so() -> None:
    counts = {"both_right": 90, "only_before": 4, "only_after": 3, "both_wrong": 3}
    made = replace(comparison(), samples=25, answers=100, **counts)
    words = " ".join(read(replace(made, classes=(ClassScore("a", 100, 0.9, 0.9),))).words)
    assert "Of 100 labels: both models right 90, only the original 4" in words
    assert "labels before after" in words

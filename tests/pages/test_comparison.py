"""The comparison page: the verdict, the figures, the samples, the files."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.proto.Metric_pb2 import Metric

from pages.components import state
from pages.components.columns import latency_unit
from pages.components.comparison import advice, quality, speed, structure
from pruning import storage
from pruning.comparison.result import Comparison, Interval, Latency
from pruning.intake.store import model_folder
from pruning.runs import processes
from pruning.runs.folder import RunFolder
from pruning.strategy.description import describe
from pruning.strategy.plan import PruningPlan, Training
from tests.pages import studio


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    return studio.run(tmp_path, studio.build(tmp_path))


def open_page(run: RunFolder, **query: str):
    app = studio.page(
        "comparison", model=studio.profiles.MODEL, data=studio.REF, run=run.id, **query
    )
    assert not app.exception
    return app


def test_the_verdict_is_the_first_line(done: RunFolder) -> None:
    words = studio.texts(open_page(done)).replace("\\", "")
    # 50 of 60 right before, 48 after: two thirtieths fewer, far inside the interval.
    assert "2.1× fewer FLOPs, 2.0× faster, accuracy −3.3 points" in words
    assert "no loss shown on 60 test samples" in words


def test_who_waits_for_a_run_sees_how_far_it_is_and_then_its_comparison(
    done: RunFolder, tmp_path: Path
) -> None:
    record = storage.read_json(done.record)
    storage.write_json(done.record, record | studio.running("retrain"))
    app = open_page(done)
    assert "This run is **running**: nothing to compare yet." in studio.texts(app)
    assert app.get("progress")[0].proto.text.startswith("This run · retrain")
    storage.write_json(done.record, record)
    app.run()
    assert not app.get("progress")
    assert "no loss shown on 60 test samples" in studio.texts(app)


def test_the_strip_shows_before_after_and_basis(done: RunFolder) -> None:
    metrics = {m.label: m for m in open_page(done).metric}
    assert metrics["Parameters ●"].value == "500"
    assert metrics["Parameters ●"].delta == "2.0× fewer"
    assert metrics["Latency ◆"].value == "1.00 ms"
    assert metrics["Test accuracy ◆"].value == "80.0 %"
    assert metrics["Test accuracy ◆"].delta == "−3.3 points"
    # The verdict says "no loss shown": then it is not red either.
    assert metrics["Test accuracy ◆"].proto.color == Metric.MetricColor.GRAY
    assert metrics["FLOPs ●"].proto.color == Metric.MetricColor.GREEN


def test_an_error_is_larger_or_smaller_with_its_interval(done: RunFolder) -> None:
    result = Comparison.load(done.comparison)
    error = replace(result.before, metric="mae", value=Interval(0.2355, 0.2126, 0.2611))
    after = replace(error, value=Interval(0.8194, 0.744, 0.905))
    difference = Interval(0.5839, 0.5055, 0.669)
    changed = replace(
        result, task="regression", before=error, after=after, difference=difference,
        classes=(), confusion_before=(),
    )  # fmt: skip
    changed.save(done.comparison)
    shown = {m.label: m for m in open_page(done).metric}["Test mean abs. error ◆"]
    assert (shown.value, shown.delta) == ("0.8194", "3.5× larger")
    assert shown.proto.delta_description == "from 0.2355"
    assert shown.proto.color == Metric.MetricColor.RED
    assert "(95 %: 0.744 to 0.905)" in shown.help
    assert "mean absolute error" in quality._overall(changed).columns


def test_the_first_tab_has_a_name_for_every_metric(done: RunFolder) -> None:
    """An error is no accuracy, and a link to the tab opens it for runs of any task."""
    app = open_page(done)
    assert [tab.label for tab in app.tabs] == [
        "Quality",
        "Samples",
        "Speed",
        "Structure",
        "Training",
    ]
    old_link = open_page(done, sheet="Accuracy")
    assert [m.label for m in old_link.metric] == [m.label for m in app.metric]


def test_the_four_counts(done: RunFolder) -> None:
    metrics = {m.label: m.value for m in open_page(done).metric}
    counts = ("Both right", "Fixed: only after right", "Broken: only before right", "Both wrong")
    assert [metrics[name] for name in counts] == ["46", "2", "4", "8"]


def test_samples_by_outcome_and_class(done: RunFolder) -> None:
    app = open_page(done, sheet="Samples")
    assert len(app.get("image")) == 2  # the fixed ones come first
    words = studio.texts(app)
    assert "✗ dog 80.0 %" in words
    assert "✓ cat 80.0 %" in words
    app.button_group(key="outcome").set_value("broken").run()
    assert len(app.get("image")) == 4
    assert r"**\<b\>bird\<\/b\>**" in studio.texts(app)  # class names are text, never HTML
    app.selectbox(key="sample_class").set_value(0).run()
    assert len(app.get("image")) == 1  # of samples 10 to 13 only 12 is a cat


def test_a_picture_has_its_class_as_alternative_text(done: RunFolder) -> None:
    app = open_page(done, sheet="Samples")
    alts = [image.alt for element in app.get("image") for image in element.proto.imgs]
    assert alts == ["Test sample 1: cat", "Test sample 2: dog"]


def test_several_labels_are_read_by_the_models_activation(done: RunFolder, tmp_path: Path) -> None:
    """Sigmoids that do not sum to 1 are probabilities all the same: 0.2 is a no."""
    prepared = tmp_path / "data" / studio.DATA / "prepared" / studio.PREPARED
    labels = np.eye(3, dtype=np.int64)[np.arange(studio.TESTS) % 3]
    storage.write_array(prepared / "y_test.npy", labels)
    record = storage.read_json(prepared / "manifest.json")
    storage.write_json(prepared / "manifest.json", record | {"task": "multilabel"})
    said = (0.2 + 0.6 * labels).astype(np.float32)
    for side in ("before", "after"):
        storage.write_array(done.path / f"{side}.npy", said)
    app = open_page(done, sheet="Samples", outcome="both right")
    assert app.button_group(key="outcome").value == "both right"
    assert "60 samples" in studio.texts(app)


def test_speed_and_structure_and_training_tabs(done: RunFolder) -> None:
    assert "10.0 ms → 6.00 ms (1.7× faster)" in studio.texts(open_page(done, sheet="Speed"))
    structure = open_page(done, sheet="Structure")
    rows = structure.dataframe[0].value
    cut = rows[rows["layer"] == "stem"].iloc[0]
    assert cut["width after"] < cut["width before"] == 8
    assert "61 s" in studio.texts(open_page(done, sheet="Training")) or "1 min 1 s" in studio.texts(
        open_page(done, sheet="Training")
    )


def test_numbers_in_tables_are_exact_and_independent_of_the_browsers_language(
    done: RunFolder,
) -> None:
    app = open_page(done, sheet="Structure")
    (table,) = app.dataframe
    settings = json.loads(table.proto.columns)
    assert settings["FLOPs before"]["type_config"]["format"] == "%,d"
    assert settings["parameters before"]["type_config"]["format"] == "%,d"
    # Numbers, not words: they are sorted by size.
    assert table.value["FLOPs before"].dtype == int
    assert table.value["FLOPs before"].max() == 2 * 9 * 32 * 32 * 8 * 8


def test_a_layer_is_called_as_on_the_strategy_page(done: RunFolder) -> None:
    """The output layer is frozen there; it was whole here."""
    profile = state.profile(studio.profiles.MODEL)
    plan = studio.plan_for(profile, locked=["stage2_block1_conv1"])
    storage.write_json(done.plan, plan.to_dict())
    (chart,) = open_page(done, sheet="Structure").get("vega_lite_chart")
    rows = convert_arrow_bytes_to_pandas_df(chart.proto.data.data)
    assert rows["name"].is_unique
    states = dict(zip(rows["whole"], rows["state"], strict=True))
    assert [name for name, word in states.items() if word == "frozen"] == ["scores"]
    assert [name for name, word in states.items() if word == "whole"] == [
        "stage2_block1_conv1", "stage2_block1_conv1_bn"
    ]  # fmt: skip
    assert states["stem"] == "cut"


def test_long_names_of_layers_show_where_they_differ(done: RunFolder, monkeypatch) -> None:
    """They were told apart by numbers, which nothing else on the page has."""
    profile = state.profile(studio.profiles.MODEL)
    plan = studio.plan_for(profile)
    long = "a_model_inside_of_a_model/a_stage_{}_of_it_with_a_long_name/convolution"
    layers = tuple(replace(e, name=long.format(n)) for n, e in enumerate(profile.layers))
    prices = structure.estimates.price(profile, model_folder(plan.model), plan)
    renamed = replace(prices, layers=tuple(
        replace(entry, name=long.format(n)) for n, entry in enumerate(prices.layers)
    ))  # fmt: skip
    rows = structure._rows(replace(profile, layers=layers), renamed, "channels")
    assert rows["layer"].iloc[3] == "…odel/a_stage_3_of_it_with_a_…"
    drawn = structure._drawn(rows)
    assert drawn["name"].iloc[0] == "…a_stage_0_of_it_wi…"
    assert drawn["whole"].iloc[0] == long.format(0)
    assert drawn["name"].is_unique


def test_matrices_that_do_not_differ_are_said_to_be_the_same(done: RunFolder) -> None:
    """An empty grid looked as if it had failed to load."""
    result = Comparison.load(done.comparison)
    replace(result, confusion_after=result.confusion_before).save(done.comparison)
    assert "Both matrices are the same." in studio.texts(open_page(done, sheet="Quality"))


def test_latencies_of_one_table_have_one_unit(done: RunFolder) -> None:
    """80.0 µs stood above 0.250 ms."""
    result = Comparison.load(done.comparison)
    replace(
        result,
        latency_before=Latency(0.4, 1.2, 3, (0.3, 0.4, 2.5)),
        latency_after=Latency(0.08, 0.25, 3, (0.07, 0.08, 30.0)),
    ).save(done.comparison)
    table = open_page(done, sheet="Speed").dataframe[0].value
    assert table["before"].tolist() == ["400 µs", "1,200 µs", "2,500 µs"]
    assert table["after"].tolist() == ["80.0 µs", "250 µs", "30,000 µs"]


def test_latencies_far_apart_have_one_unit_all_over_the_page(done: RunFolder) -> None:
    """80.0 µs stood beside "from 1.20 ms", in the figures and in the table below."""
    result = Comparison.load(done.comparison)
    replace(
        result,
        latency_before=Latency(1.2, 1.2, 2, (1.2, 1.2)),
        latency_after=Latency(0.08, 0.08, 2, (0.08, 0.08)),
    ).save(done.comparison)
    app = open_page(done, sheet="Speed")
    shown = next(metric for metric in app.metric if metric.label.startswith("Latency"))
    assert (shown.value, shown.proto.delta_description) == ("80.0 µs", "from 1,200 µs")
    table = app.dataframe[0].value
    assert table["after"].tolist() == ["80.0 µs"] * 3
    assert table["before"].tolist() == ["1,200 µs"] * 3
    assert "Microseconds" in app.get("vega_lite_chart")[0].proto.spec


def test_layers_are_timed_before_and_after_on_request(done: RunFolder, jobs) -> None:
    jobs.states["layer_latency"] = "done"
    jobs.results["layer_latency"] = {"layers": {"stem": 0.5, "gone": 0.25}}
    assert not jobs.asked
    app = open_page(done, sheet="Speed")
    app.toggle(key="by_layer").set_value(True).run()
    asked = [request for _, _, request, _ in jobs.asked]
    assert asked == [{"model": studio.profiles.MODEL}, {"run": done.id}]
    table = app.dataframe[1].value
    assert table["layer"].tolist() == ["stem", "gone"]
    assert table["share"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("longest", "shown", "unit"), [(0.9, 900.0, "%,.1f µs"), (41.2, 41.2, "%,.4f ms")]
)
def test_latencies_of_a_table_have_the_unit_of_the_longest(longest, shown, unit) -> None:
    frame = pd.DataFrame({"before": [longest, None], "after": [0.0123, None]})
    table, written = latency_unit(frame, ("before", "after"))
    assert written == unit
    assert table["before"].max() == pytest.approx(shown)
    assert table["after"].max() == pytest.approx(0.0123 * shown / longest)


@pytest.mark.parametrize(
    ("median", "unit", "longest"), [(0.5, "Microseconds", 2500), (2.0, "Milliseconds", 2.5)]
)
def test_the_chart_of_latencies_has_the_unit_of_the_words(
    done: RunFolder, median: float, unit: str, longest: float
) -> None:
    result = Comparison.load(done.comparison)
    sides = {
        f"latency_{side}": replace(getattr(result, f"latency_{side}"), median_ms=median)
        for side in ("before", "after")
    }
    replace(result, **sides).save(done.comparison)
    (chart,) = open_page(done, sheet="Speed").get("vega_lite_chart")
    assert f"{unit} per sample" in chart.proto.spec
    rows = convert_arrow_bytes_to_pandas_df(chart.proto.data.data)
    assert rows["time"].max() == pytest.approx(longest)


def test_a_very_slow_call_is_said_and_its_time_is_in_the_table(done: RunFolder) -> None:
    result = Comparison.load(done.comparison)
    slow = replace(result.latency_after, median_ms=2.0, samples_ms=(2.0,) * 99 + (180.0,))
    calm = replace(result.latency_before, median_ms=3.0, samples_ms=(3.0,) * 100)
    replace(result, latency_before=calm, latency_after=slow).save(done.comparison)
    app = open_page(done, sheet="Speed")
    assert "▶ 1 of 200 calls took longer than the chart is wide" in studio.texts(app)
    rows = convert_arrow_bytes_to_pandas_df(app.get("vega_lite_chart")[0].proto.data.data)
    assert rows["drawn"].max() == pytest.approx(6.0)
    table = next(t.value for t in app.dataframe if "LiteRT" in t.value)
    assert table.set_index("LiteRT").loc["slowest", ["before", "after"]].tolist() == [
        "3.00 ms",
        "180 ms",
    ]


def test_a_difference_is_written_as_the_verdict_writes_it(done: RunFolder) -> None:
    """−1.1 points stood above an interval of −2.12 to −0.01, beside a verdict of 1.05."""
    result = replace(Comparison.load(done.comparison), difference=Interval(-0.0105, -0.0212, -1e-4))
    result.save(done.comparison)
    app = open_page(done)
    assert "fell by 1.05 points" in studio.texts(app).replace("\\", "")
    rows = app.dataframe[0].value
    assert rows["accuracy"].tolist()[2] == "−1.05 points"
    assert rows["95 % interval"].tolist()[2] == "−2.12 to −0.01 points"


def test_what_the_verdict_calls_no_faster_is_not_green(done: RunFolder) -> None:
    result = Comparison.load(done.comparison)
    slower = replace(result.latency_before, median_ms=1.04)
    replace(result, latency_before=slower).save(done.comparison)
    app = open_page(done)
    assert "no faster" in studio.texts(app)
    latency = next(metric for metric in app.metric if metric.label == "Latency ◆")
    assert latency.delta == "3.8 % faster"
    assert latency.proto.color == Metric.MetricColor.GRAY


def test_a_layer_that_is_gone_has_no_latency_after() -> None:
    table = speed.layer_table({"a": 0.5, "b": 0.25, "c": None}, {"a": 0.25, "c": 1.0})
    assert table["share"].tolist()[0] == 0.5
    assert table["share"].isna().tolist() == [False, True, True]


def test_downloads_name_their_size(done: RunFolder) -> None:
    labels = [b.label for b in open_page(done).get("download_button")]
    assert labels[0] == "Pruned model (.keras) · 6.00 kB"
    assert {label.split(" · ")[0] for label in labels[1:]} == {
        "Report (.html)",
        "Plan",
        "Kept channels",
        "Comparison",
    }


def test_a_run_that_is_not_done_says_so_and_links(done: RunFolder, tmp_path: Path) -> None:
    profile = studio.profiles.resnet(blocks=(1, 1), width=8)
    failed = studio.run(tmp_path, profile, "20260102-120000-abcdef", state="cancelled")
    assert "This run is **cancelled**: it made no model to compare." in studio.texts(
        open_page(failed)
    )


def test_an_unknown_run_is_an_error_with_a_way_out(done: RunFolder) -> None:
    app = studio.page("comparison", run="20990101-000000-ffffff")
    assert not app.exception
    assert "To fix it" in studio.texts(app)


def test_without_a_run_the_page_links_to_the_runs(done: RunFolder) -> None:
    app = studio.page("comparison")
    assert not app.exception
    assert "No run is open yet." in studio.texts(app)


def test_missing_data_keeps_the_figures(done: RunFolder, tmp_path: Path) -> None:
    manifest = tmp_path / "data" / studio.DATA / "prepared" / studio.PREPARED / "manifest.json"
    manifest.unlink()
    words = studio.texts(open_page(done, sheet="Samples"))
    assert "no longer in the studio" in words
    assert "2.1× fewer FLOPs" in words.replace("\\", "")


def test_many_classes_are_told_by_their_worst_pairs() -> None:
    before = np.array([[9, 1, 0], [2, 8, 0], [0, 0, 10]])
    after = np.array([[5, 5, 0], [2, 8, 0], [3, 0, 7]])
    rows = quality.confused_pairs(["a", "b", "c"], before, after)
    assert rows.values.tolist() == [
        ["a", "b", 1, 5, 4],
        ["c", "a", 0, 3, 3],
        ["b", "a", 2, 2, 0],
    ]


def test_zeroed_weights_are_counted_where_parameters_stay(done: RunFolder) -> None:
    record = storage.read_json(done.comparison)
    record["sizes_after"] |= {"params": 1000, "nonzero_params": 200}
    storage.write_json(done.comparison, record)
    metrics = {m.label: m for m in open_page(done).metric}
    assert metrics["Nonzero parameters ●"].value == "200"
    assert metrics["Nonzero parameters ●"].delta == "5.0× fewer"


def test_the_proof_of_the_cut_is_shown(done: RunFolder) -> None:
    record = done.read(done.record)
    check = {"max_abs_error": 3.6e-7, "tolerance": 1e-5, "samples": 32}
    record["results"]["self_check"] = check
    storage.write_json(done.record, record)
    words = studio.texts(open_page(done, sheet="Structure"))
    assert "to 3.6e-07 (allowed 1e-05) on 32 samples" in words
    assert "Inexact" not in words
    record["results"]["self_check"] = check | {"max_abs_error": 0.0}
    storage.write_json(done.record, record)
    words = studio.texts(open_page(done, sheet="Structure"))
    assert "to the last bit (allowed 1e-05) on 32 samples" in words
    record["results"]["self_check"] = check | {"cuts": 3}
    storage.write_json(done.record, record)
    words = studio.texts(open_page(done, sheet="Structure"))
    assert "Each of the 3 cuts is proven" in words
    record["results"]["self_check"] = check | {"inexact": ["block_a`x"], "change": 0.0123}
    storage.write_json(done.record, record)
    words = studio.texts(open_page(done, sheet="Structure"))
    assert "all channels of `block_aʼx`" in words
    assert "up to 0.012 beyond" in words


def test_what_was_not_cut_needs_no_proof(done: RunFolder) -> None:
    record = done.read(done.record)
    record["results"]["self_check"] = None
    storage.write_json(done.record, record)
    assert "proven" not in studio.texts(open_page(done, sheet="Structure"))


def lose(run: RunFolder) -> None:
    """Make the comparison's difference one that the samples show."""
    result = Comparison.load(run.comparison)
    replace(result, difference=Interval(-0.1, -0.15, -0.05)).save(run.comparison)


def test_a_loss_comes_with_what_may_help_and_the_way_to_the_plan(
    done: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "slots", lambda: 0)
    assert "What may help" not in studio.texts(open_page(done))  # no loss is shown
    lose(done)
    plan = PruningPlan.from_dict(done.read(done.plan)).with_training(epochs=7)
    storage.write_json(done.plan, plan.to_dict())
    app = open_page(done)
    words = studio.texts(app)
    assert "**What may help:** more epochs or a larger learning rate, for the validation" in words
    assert "3 to 5 cuts" in words
    app.button(key="change_plan").click().run()
    assert not app.exception
    assert app.title[0].value == "Strategy"
    assert app.number_input(key="plan_epochs").value == 7
    assert app.session_state["plan on the strategy page"].ratios == plan.ratios


@pytest.mark.parametrize(
    ("changes", "losses", "first"),
    [
        ({"training": Training(epochs=0)}, [], "retraining, which this plan leaves out"),
        ({"training": Training(epochs=1)}, [0.5], "more than one epoch of retraining"),
        ({"training": Training(epochs=3)}, [0.5, 0.3], "more epochs or a larger"),
        ({"training": Training(epochs=4)}, [9, 5, 4, 3.99], "more epochs or a larger"),
        ({"training": Training(epochs=3)}, [0.5, 0.499], "removing the channels in 3 to 5 cuts"),
        (
            {"training": Training(epochs=3), "cuts": 3},
            [0.5, 0.6],
            "feature matching with a weight of about 3",
        ),
        (
            {"training": Training(epochs=3, feature_matching=1.0), "cuts": 3},
            [0.5, 0.6],
            "a milder target",
        ),
        ({"training": Training(epochs=3), "method": "layers"}, [], "a milder target"),
    ],
)
def test_what_helps_is_what_the_plan_leaves_to_be_tried(changes, losses, first) -> None:
    plan = PruningPlan(**{"model": "m" * 20, "ratios": {}} | changes)
    lines = [{"step": 100, "loss": 0.9}, *({"step": 100, "val_loss": loss} for loss in losses)]
    found = advice.what_helps(plan, lines)
    assert found[0].startswith(first)
    assert found[-1] == "a milder target"


@pytest.mark.parametrize(("steps", "few"), [(14, True), (99, True), (100, False)])
def test_few_training_steps_are_named_first(steps: int, few: bool) -> None:
    plan = PruningPlan("m" * 20, training=Training(epochs=2))
    first = advice.what_helps(plan, [{"step": steps, "loss": 0.9}])[0]
    words = f"more epochs or smaller batches: {steps} training steps are few"
    assert (first == words) is few


def test_a_report_can_be_taken_away_and_shown(done: RunFolder) -> None:
    from pages.components.comparison import downloads

    button = open_page(done).get("download_button")[1].proto
    assert re.fullmatch(r"Report \(\.html\) · \d\.\d+ kB", button.label)
    about = downloads._about(done)
    assert (about.model, about.data) == ("resnet.keras", "animals.zip")
    assert about.samples == "640 train, 60 val, 60 test"
    assert about.finished == "1 January 2026"
    page = downloads._written(str(done.path), 0, about)
    assert "accuracy −3.3 points" in page
    assert "&lt;b&gt;bird&lt;/b&gt;" in page
    assert "both models right 46" in page.lower()


def test_shares_of_a_model_that_answers_at_each_pixel_are_of_its_labels(done: RunFolder) -> None:
    """Of 45 pictures of 24×24, "51200.0 % of samples" were right."""
    result = Comparison.load(done.comparison)
    counts = {"both_right": 23_040, "only_after": 0, "only_before": 0, "both_wrong": 2_880}
    replace(result, samples=45, answers=25_920, **counts).save(done.comparison)
    app = open_page(done, sheet="Quality")
    shares = {metric.label: metric.delta for metric in app.metric}
    assert shares["Both right"] == "88.9 % of labels"
    assert shares["Both wrong"] == "11.1 % of labels"
    assert "Labels after minus before" in studio.texts(app)


def test_classes_with_long_alike_names_are_told_apart(done: RunFolder) -> None:
    result = Comparison.load(done.comparison)
    long = "a class of an ontology, number {}, that nobody reads to its end"
    classes = [replace(e, name=long.format(n)) for n, e in enumerate(result.classes)]
    replace(result, classes=tuple(classes)).save(done.comparison)
    app = open_page(done, sheet="Quality")
    rows = convert_arrow_bytes_to_pandas_df(app.get("vega_lite_chart")[0].proto.data.data)
    assert sorted(rows["name"])[0] == "…y, number 0, that nobo…"
    assert rows["name"].is_unique
    assert sorted(rows["whole"]) == sorted(entry.name for entry in classes)


def test_classes_without_test_samples_are_named(done: RunFolder) -> None:
    result = Comparison.load(done.comparison)
    gone = replace(result.classes[0], name="rare [x]", count=0)
    replace(result, classes=(gone, *result.classes[1:])).save(done.comparison)
    words = studio.texts(open_page(done, sheet="Quality")).replace("\\", "")
    assert "Without a test sample, and so not judged: rare [x]." in words


def test_what_else_is_known_of_a_regression_is_in_the_table(done: RunFolder) -> None:
    result = Comparison.load(done.comparison)
    sides = {
        side: replace(getattr(result, side), metric="mae", details={"rmse": rmse, "r2": r2})
        for side, rmse, r2 in (("before", 290.78, 0.99261), ("after", 1047.7, 0.904))
    }
    none = {"classes": (), "both_right": None, "confusion_before": (), "confusion_after": ()}
    replace(result, task="regression", **none, **sides).save(done.comparison)
    table = open_page(done, sheet="Quality").dataframe[0].value
    assert table["root mean squared error"].tolist() == ["290.8", "1,048", "+756.9"]
    assert table["R²"].tolist() == ["0.9926", "0.9040", "−0.0886"]


def test_how_many_samples_have_all_labels_right_is_in_the_table(done: RunFolder) -> None:
    result = Comparison.load(done.comparison)
    sides = {
        side: replace(getattr(result, side), metric="macro_f1", details={"subset_accuracy": share})
        for side, share in (("before", 0.75), ("after", 0.5))
    }
    replace(result, task="multilabel", **sides).save(done.comparison)
    table = open_page(done, sheet="Quality").dataframe[0].value
    column = table["all labels of a sample right"].tolist()
    assert column == ["75.0 %", "50.0 %", "−25.0 points"]


def test_who_only_has_the_link_reads_what_was_done(done: RunFolder) -> None:
    plan = PruningPlan.from_dict(done.read(done.plan))
    storage.write_json(done.plan, replace(plan, name="half [x]").to_dict())
    captions = [caption.value.replace("\\", "") for caption in open_page(done).caption]
    assert captions[0] == f"**half [x]** · {describe(plan)}"

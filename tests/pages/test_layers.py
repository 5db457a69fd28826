from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

from pages.components.layers import graph, tables
from pages.components.layers.advice import advice, group_of, halved
from pruning.analysis.profile import ModelProfile, load_magnitudes
from pruning.errors import ModelFileError
from pruning.strategy import library
from pruning.strategy.plan import PruningPlan
from pruning.strategy.planner import make_plan
from tests.pages.conftest import words
from tests.pages.profiles import HOSTILE, MODEL, resnet, store


@pytest.fixture(scope="module")
def profile():
    return resnet()


@pytest.fixture
def page(app, home, profile, jobs):
    """The layers page with a model of 72 layers, each timed alone: 1, 2, 3 … microseconds."""
    store(profile, home)
    jobs.states["layer_latency"] = "done"
    timed = {layer.name: (index + 1) / 1000 for index, layer in enumerate(profile.layers)}
    jobs.results["layer_latency"] = {"layers": timed}
    app.query_params["model"] = MODEL
    app.run()
    return app.switch_page("layers.py").run()


def chosen(page) -> str:
    return page.selectbox(key="layers_box").value


def dot_of(page) -> str:
    return page.get("graphviz_chart")[0].proto.spec


def test_all_views_show_the_same_layer_at_first(page, profile):
    """Without one in the URL it is the prunable layer with the most parameters."""
    assert not page.exception
    name = chosen(page)
    largest = max(layer.params for layer in profile.layers if layer.prunable)
    assert profile.layer(name).params == largest
    assert page.header[0].value == name.replace("_", r"\_")
    row = page.session_state["layers_table"]["selection"]["rows"][0]
    assert page.dataframe[0].value.iloc[row]["full_name"] == name
    assert "layer" not in page.query_params


def test_layers_are_shown_while_they_are_timed(page, jobs):
    """Streamlit's ``status`` sleeps 50 ms: a page that waits for something draws a bar."""
    jobs.states["layer_latency"] = "running"
    page.run()
    assert page.dataframe
    assert [bar.proto.text for bar in page.get("progress")] == ["Timing each layer · work"]
    assert not page.get("status")


def test_a_row_of_the_table_selects_everywhere(page, profile):
    from pages.components.layers import selection

    names = [layer.name for layer in profile.layers]
    page.query_params["layer"] = names[20]
    page.run()
    assert chosen(page) == names[20]
    assert page.session_state["layers_table"]["selection"]["rows"] == [20]
    own = group_of(profile, profile.layers[20])
    groups = [group.id for group in profile.groups]
    assert page.session_state[selection.GROUPS]["selection"]["rows"] == [groups.index(own.id)]
    spec = page.get("vega_lite_chart")[0].proto.spec
    assert names[20] in spec


def test_the_select_box_writes_the_url(page):
    page.selectbox(key="layers_box").select("stage2_block1_conv1").run()
    assert page.query_params["layer"] == "stage2_block1_conv1"
    assert page.header[0].value == r"stage2\_block1\_conv1"
    assert "stage2_block1_conv1" in dot_of(page)


def test_the_plan_of_the_link_is_drawn_where_it_cuts(page, profile, home):
    group = next(g for g in profile.groups if g.id == "stage2_block1_conv1")
    plan = make_plan(profile, home / "models" / MODEL, PruningPlan(ratios={group.id: 0.25}))
    library.save_plan(MODEL, "mine", plan)
    page.query_params["layer"] = group.id
    page.run()
    assert "current plan" not in words(page)
    page.query_params["plan"] = "mine"
    page.run()
    quarter = group.channels // 4
    assert f"The current plan removes {quarter} of {group.channels} channels: mine" in words(page)
    spec = page.get("vega_lite_chart")[-1].proto.spec
    assert '"aggregate": "max"' in spec


def test_the_threshold_of_zeroed_weights_is_drawn(page, profile, home):
    name = "stage2_block1_conv1"
    folder = home / "models" / MODEL
    plan = make_plan(
        profile, folder, PruningPlan(method="weights", criterion="magnitude", ratios={name: 0.5})
    )
    library.save_plan(MODEL, "half", plan)
    page.query_params["layer"] = name
    page.query_params["plan"] = "half"
    page.run()
    median = float(np.median(load_magnitudes(profile, folder)[name]))
    assert f"(|w| ≤ {median:.3g})" in words(page)


def test_a_layer_that_does_not_exist_falls_back(page):
    page.query_params["layer"] = "no such layer"
    page.run()
    assert not page.exception
    assert chosen(page) != "no such layer"


def test_filters_keep_what_matches(page):
    page.text_input(key="filter").set_value("stage1 conv2d").run()
    assert list(page.dataframe[0].value["cls"].unique()) == ["Conv2D"]
    assert len(page.dataframe[0].value) == 6
    page.text_input(key="filter").set_value("nothing like this").run()
    assert "No layer matches this filter" in words(page)
    assert len(page.dataframe) == 1


def test_hostile_names_are_text(app, home):
    store(resnet(odd_name=HOSTILE), home)
    app.query_params["model"] = MODEL
    app.query_params["layer"] = HOSTILE
    app.run()
    app.switch_page("layers.py").run()
    assert not app.exception
    assert r"\<img src\=x" in app.header[0].value
    assert "<img" not in dot_of(app)
    assert "&lt;img" in dot_of(app)


def test_without_a_profile_the_model_is_read_first(app, home, jobs):
    folder = store(resnet(), home)
    (folder / "profile.json").unlink()
    app.query_params["model"] = MODEL
    app.run()
    app.switch_page("layers.py").run()
    assert not app.exception
    assert ("profile", MODEL, {"model": MODEL}, False) in jobs.asked
    assert not app.dataframe


def test_a_model_that_cannot_be_read_says_why_and_offers_to_try_again(app, home, jobs):
    folder = store(resnet(), home)
    (folder / "profile.json").unlink()
    jobs.states["profile"] = "failed"
    jobs.errors["profile"] = ModelFileError(
        "The file holds weights only.", expected="A whole model.", fix="Save it with model.save."
    )
    app.query_params["model"] = MODEL
    app.run()
    app.switch_page("layers.py").run()
    shown = words(app)
    assert r"The file holds weights only\." in shown
    assert r"**To fix it:** Save it with model\.save\." in shown
    app.button(key=f"retry_profile_{MODEL}").click().run()
    assert ("profile", MODEL, {"model": MODEL}, True) in jobs.asked


def test_halving_a_group_is_priced_exactly(profile):
    """stage3_block2_conv1: 64 channels between two 3×3 convolutions of 64, with BatchNorm."""
    group = next(g for g in profile.groups if g.id == "stage3_block2_conv1")
    params, flops = halved(profile, group)
    # 32 channels fewer: kernels in and out, one bias and four BatchNorm values each.
    assert params * profile.params == pytest.approx(32 * (9 * 64 + 9 * 64 + 1 + 4))
    assert flops * profile.flops == pytest.approx(2 * 32 * (9 * 64 + 9 * 64) * 8 * 8)


@pytest.mark.parametrize(
    ("name", "scores", "sentence"),
    [
        ("stage3_block2_conv1", np.r_[np.ones(32), 9 * np.ones(32)], "a good place to cut"),
        ("stage3_block2_conv1", np.ones(64), "much alike"),
        ("image", None, r"Nothing to cut here. It is the model\'s input\."),
        ("scores", None, r"Leave it: These are the model\'s outputs\."),
    ],
)
def test_advice(profile, name, scores, sentence):
    assert sentence in advice(profile, profile.layer(name), scores)


def test_what_is_added_to_an_input_is_no_input(profile):
    stem = replace(profile.groups[0], prunable=False, reason="This is an input.")
    first = replace(profile.layers[0], groups_out=("stem",))
    tied = replace(
        profile,
        layers=(first, *profile.layers[1:]),
        groups=tuple(stem if group.id == "stem" else group for group in profile.groups),
    )
    assert advice(tied, first, None) == r"Leave it: This is an input\."
    assert "together with those of the model's input" in advice(tied, tied.layer("stem"), None)


def test_a_group_that_hardly_counts_is_left_for_later():
    deep = resnet((16, 16, 16))
    assert "hardly worth the risk" in advice(deep, deep.layer("stage1_block1_conv1"), np.ones(16))


def test_long_names_that_differ_in_the_middle_are_told_apart_everywhere(profile):
    """Of a deep network all rows, chips and nodes were named backbone_networ…volution_1_3x3."""
    names = {layer.name: f"backbone/{layer.name:·^60}/convolution_3x3" for layer in profile.layers}
    text = json.dumps(profile.to_dict(), ensure_ascii=False)
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(f'"{name}"', f'"{names[name]}"')
    long = ModelProfile.from_dict(json.loads(text))
    assert tables.layer_frame("long", 0, long)["name"].is_unique
    groups = tables.group_frame("long", 0, long.groups)
    assert groups["name"].is_unique
    assert max(groups["layers"].map(lambda row: len(row) - len(set(row)))) == 0
    labels = re.findall(r'label="([^"\\\\]+)', graph.dot(long, graph.nodes(long), None))
    assert len(set(labels)) == len(labels)


def test_the_graph_folds_what_only_passes_channels_on(profile):
    nodes = graph.nodes(profile)
    assert [layer.cls for layer in nodes["stem"].layers] == ["Conv2D", "BatchNormalization"]
    assert nodes["stem"].readers == ["stage1_block1_add", "stage1_block1_conv1"] or set(
        nodes["stem"].readers
    ) == {"stage1_block1_add", "stage1_block1_conv1"}
    assert sum(len(node.layers) for node in nodes.values()) == len(profile.layers)


def test_a_large_graph_is_shown_around_the_selection(profile):
    nodes = graph.nodes(profile)
    shown = graph.around(nodes, "stage2_block2_conv1", 5)
    assert len(shown) == 5
    assert {"stage2_block2_conv1", "stage2_block2_conv2", "stage2_block1_add"} <= set(shown)
    text = graph.dot(profile, shown, "stage2_block2_conv1")
    assert text.count("penwidth=4") == 1
    assert "style=dashed" in text
    # A line each: the drawing is fitted into its column, and its words with it.
    assert "stage2_block2_conv2\\nConv2D · BatchNorm\\n16×16×32\\n9,376 parameters" in text


def test_a_frozen_node_is_dashed_and_a_tooltip_names_the_group(profile):
    text = graph.dot(profile, graph.nodes(profile), "stem").splitlines()
    scores = next(line for line in text if 'label="scores' in line)
    assert 'style="filled,rounded,dashed"' in scores
    assert '\\nfrozen"' in scores
    conv = next(line for line in text if 'label="stage1_block1_conv1' in line)
    assert "dashed" not in conv
    assert '\\ngroup: stage1_block1_conv1"' in conv


@pytest.mark.parametrize(
    ("name", "escaped"),
    [('a"b', "a&quot;b"), ("a\\N", "a&#92;N"), ("<i>&amp;", "&lt;i&gt;&amp;amp;")],
)
def test_names_cannot_leave_a_dot_string(name, escaped):
    assert graph.escaped(name) == escaped


def test_frozen_layers_are_those_whose_own_channels_stay(home, profile):
    """As on the strategy page and the comparison: the output layer, though what it reads is cut."""
    store(profile, home)
    frame = tables.layer_frame("frozen", 0, profile)
    alone = replace(profile, groups=tuple(replace(g, prunable=False) for g in profile.groups))
    all_frozen = tables.layer_frame("alone", 0, alone)
    assert list(tables.filtered(frame, "", "Frozen")["name"]) == ["scores"]
    assert bool(frame[frame["name"] == "scores"]["shrinks"].iloc[0])
    assert len(tables.filtered(all_frozen, "", "Frozen")) == (frame["params"] > 0).sum()
    assert frame["params_share"].sum() == pytest.approx(1)


def test_shares_are_shown_in_percent_in_every_browsers_language(page, profile):
    """Streamlit's own percent writes 13.94% here and 13,94 % there, beside 13.9 %."""
    shown = page.dataframe[0].value
    assert shown["params_share"].sum() == pytest.approx(100)
    settings = json.loads(page.dataframe[0].proto.columns)["params_share"]["type_config"]
    assert settings["format"] == "%.2f %%"
    assert settings["max_value"] == pytest.approx(shown["params_share"].max())


def test_whether_a_layer_can_be_cut_is_seen_beside_the_graph_without_scrolling(page):
    columns = list(page.dataframe[0].proto.column_order)
    config = json.loads(page.dataframe[0].proto.columns)
    seen = columns[: columns.index("cut") + 1]
    assert {"params_share", "flops_share", "weights"} < set(seen)
    checkbox, table = 34, 876  # pixels, at a width of 1,440
    assert checkbox + sum(config[name]["width"] for name in seen) <= table


def test_each_layers_latency_is_in_the_table_and_in_words(page, profile):
    frame = page.dataframe[0].value
    assert frame["latency"].tolist() == pytest.approx([i + 1 for i in range(len(profile.layers))])
    settings = json.loads(page.dataframe[0].proto.columns)["latency"]["type_config"]
    assert settings["format"] == "%,.1f µs"
    page.query_params["layer"] = profile.layers[39].name
    page.run()
    assert "40.0 µs alone" in words(page)
    assert "neighbours are joined" in words(page)


def test_a_bar_of_the_time_holds_all_layers_or_is_not_drawn(page, profile, jobs):
    """Of one measured layer it would say that it takes 100 % of the time."""
    bars = [row["bar"] for row in rows_of_the_bars(page)]
    assert "Latency" in bars
    jobs.results["layer_latency"]["layers"]["scores"] = None
    page.run()
    assert "Latency" not in [row["bar"] for row in rows_of_the_bars(page)]
    assert "The time of 1 layer could not be measured" in words(page)
    assert "latency" in page.dataframe[0].value


def rows_of_the_bars(page):
    data = page.get("vega_lite_chart")[0].proto.data.data
    return convert_arrow_bytes_to_pandas_df(data).to_dict("records")


def test_the_page_leads_on_to_the_strategy(page):
    assert "Choose what to remove" in [link.proto.label for link in page.get("page_link")]


def test_the_page_does_without_latencies_while_they_are_measured(page, jobs):
    jobs.states["layer_latency"] = "running"
    page.run()
    assert not page.exception
    assert "latency" not in page.dataframe[0].value
    assert "alone" not in words(page)

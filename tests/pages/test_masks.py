"""A class for each pixel: seen beside the sample when the data is opened and when it is judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pages.components import figures, masks
from pages.components.text import apart
from pages.components.upload import baseline
from pruning import storage
from pruning.charts import theme
from pruning.comparison.result import Comparison
from pruning.comparison.tasks import TASKS
from pruning.intake.dataset import Manifest, prepared_folder
from tests.pages import studio

HOSTILE = "<b>bird</b>"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A finished run of a model that tells three classes apart at each of 4×4 pixels."""
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    profile = studio.build(tmp_path)
    done = studio.run(tmp_path, profile)
    folder = prepared_folder(studio.REF)
    labels = np.zeros((studio.TESTS, 4, 4), np.int64)
    labels[:, 0] = 1
    labels[:, 3] = 2
    said = {"before": labels.copy(), "after": labels.copy()}
    said["before"][0, 0, :2] = 0  # the first sample is fixed
    said["before"][:, 1, 0] = 2  # of all one pixel, so that the median sample has one wrong
    said["after"][1:, 1, :2] = 2
    storage.write_array(folder / "y_test.npy", labels)
    manifest = Manifest.from_dict(storage.read_json(folder / "manifest.json"))
    counts = {"test": np.bincount(labels.ravel()).tolist()}
    changed = replace(manifest, modality="arrays", y_shape=(4, 4), class_counts=counts)
    storage.write_json(folder / "manifest.json", changed.to_dict())
    task = TASKS["classification"]
    answers = {side: np.eye(3, dtype=np.float32)[classes] for side, classes in said.items()}
    for side, values in answers.items():
        storage.write_array(done.path / f"{side}.npy", values)
    scores = {side: task.scores(labels, v, "probabilities") for side, v in answers.items()}
    paired = task.pair(labels, *answers.values(), "probabilities", studio.CLASSES)
    judged = {name: getattr(paired, name) for name in paired.__dataclass_fields__}
    replace(Comparison.load(done.comparison), answers=labels.size, **scores, **judged).save(
        done.comparison
    )
    return done


def pictures(app) -> list:
    return [picture for images in app.get("image") for picture in images.proto.imgs]


def test_samples_show_label_both_answers_and_where_they_are_wrong(run) -> None:
    app = studio.page("comparison", run=run.id, data=studio.REF, sheet="Samples")
    assert not app.exception
    shown = pictures(app)
    assert [picture.caption for picture in shown] == [
        "sample", "label", "before", "after", "right and wrong"
    ]  # fmt: skip
    assert [picture.alt for picture in shown[1:]] == [
        "label: cat 50.0 %, dog 25.0 %, <b>bird</b> 25.0 %",
        "before: cat 56.2 %, <b>bird</b> 31.2 %, dog 12.5 %",
        "after: cat 50.0 %, dog 25.0 %, <b>bird</b> 25.0 %",
        "right and wrong: both right 81.2 %, only after right 18.8 %",
    ]
    assert "**cat 50\\.0 \\%\\, dog 25\\.0 \\%" in studio.texts(app)
    legend = "".join(element.proto.body for element in app.get("html"))
    assert "&lt;b&gt;bird&lt;/b&gt;" in legend
    assert HOSTILE not in legend


def test_quality_has_the_mean_iou_with_its_interval_and_that_of_each_class(run) -> None:
    app = studio.page("comparison", run=run.id, data=studio.REF, sheet="Quality")
    table = app.dataframe[0].value.set_index("model")["mean IoU"]
    # Pixels of 960: 240 dog, 240 bird, 480 cat. Before, dog lacks 2, and bird has 60 of cat's.
    before = (238 / 240 + 240 / 300 + 420 / 482) / 3
    after = (1 + 240 / 358 + 362 / 480) / 3
    assert table["before"] == f"{100 * before:.1f} %"
    assert table["after"] == f"{100 * after:.1f} %"
    assert table["difference, paired"].startswith(f"−{100 * (before - after):.1f} points (95 %: −")
    assert "; mean IoU fell by" in studio.texts(app)
    app.session_state["class_numbers"] = True
    classes = app.run().dataframe[1].value.set_index("class")
    assert classes.loc["cat", "IoU before"] == f"{100 * 420 / 482:.1f} %"
    assert classes.loc["cat", "accuracy before"] == "87.5 %"
    assert classes.loc[HOSTILE, "accuracy after"] == "100.0 %"


def test_data_is_shown_with_its_labels(run) -> None:
    app = studio.page("upload", model=studio.profiles.MODEL, data=studio.REF)
    assert not app.exception
    demos = 3
    assert [picture.caption for picture in pictures(app)[demos:]] == ["sample", "label"] * 4


def test_the_baseline_has_the_mean_iou_where_there_is_one(run) -> None:
    scores = Comparison.load(run.comparison).before
    (figure,) = baseline._of_pixels(scores, "60 test samples")
    assert figures.written(figure.value, figure.unit) == "88.8 %"
    assert baseline._of_pixels(replace(scores, details={}), "60 test samples") == []


def test_a_mask_is_drawn_pixel_by_pixel_with_the_proportions_of_its_picture() -> None:
    colours = masks.palette(["a", "b"])
    drawn = masks.draw(np.array([[0, 1], [1, 1]]), colours, np.zeros((100, 200, 3), np.uint8))
    assert drawn.shape == (100, 200, 3)
    assert {tuple(pixel) for pixel in drawn[:50, :100].reshape(-1, 3).tolist()} == {(0, 0, 0)}
    assert drawn[60, 20].tolist() == list(bytes.fromhex(theme.CLASSES[1][1:]))
    assert masks.draw(np.zeros((3, 4), int), colours).shape == (180, 240, 3)


def test_of_many_classes_the_commonest_have_colours_of_their_own() -> None:
    names = [f"class {number}" for number in range(21)]
    colours = masks.palette(names, [1] * 14 + [9] * 7)
    assert colours.names == (*names[14:], "14 other classes")
    assert colours.of_class.tolist() == [7] * 14 + list(range(7))
    assert colours.colours[7] == theme.FROZEN


def test_change_tells_who_is_right() -> None:
    found = masks.change(*np.array([[[0, 0, 0, 0]], [[0, 0, 1, 1]], [[0, 1, 0, 2]]]))
    assert [masks.CHANGE.names[place] for place in found[0]] == list(masks.CHANGE.names)


def test_names_that_look_alike_when_shortened_are_told_apart() -> None:
    long = [f"a long beginning that classes share, number {n}, and an end" for n in range(3)]
    assert masks.palette(long).names == tuple(apart(long, 24))

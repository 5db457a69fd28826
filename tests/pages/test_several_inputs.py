"""The pages for a model that reads several inputs: what to bring, what was brought, its samples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pages.components.upload import baseline, fields
from pruning import storage
from pruning.analysis.input_needs import InputNeeds
from pruning.analysis.profile import TensorSpec
from pruning.comparison.result import Comparison
from pruning.intake import store as uploads
from pruning.intake.check import model_input
from pruning.intake.dataset import Dataset, InputArray, prepared_folder
from pruning.intake.prepare import prepare
from pruning.intake.source import look
from tests.pages import profiles, studio
from tests.pages.conftest import words


@pytest.fixture
def profile(home):
    """A ResNet's profile that claims to read a picture and facts."""
    found = replace(
        profiles.resnet(),
        inputs=(TensorSpec("picture", (6, 6, 1), "float32"), TensorSpec("<b>", (3,), "float32")),
        other_needs=(InputNeeds(),),
    )
    profiles.store(found, home)
    return found


def npz(folder: Path, **changes) -> Path:
    """Ten classes, 40 samples; sample i is a picture of i and the facts i, 0, 0.5."""
    rows = np.arange(40)
    content = {
        "x_picture": np.repeat(rows, 36).reshape(40, 6, 6).astype(np.uint8),
        "x_<b>": np.stack([rows, 0 * rows, 0 * rows + 0.5], axis=1),
        "y": rows % 10,
    }
    path = folder / "facts.npz"
    np.savez(path, **(content | changes))
    return path


def upload_and_prepare(app, jobs, profile, path: Path) -> str:
    """Drop the file on the page, and do the worker's work in its place. -> ref."""
    app.query_params["model"] = profile.digest
    app.run()
    assert not app.exception
    drop = next(one for one in app.file_uploader if one.label.startswith("Your own data"))
    jobs.states.update(data="done", look="done")
    stored = uploads.store_data(path.name, path)
    ref = prepare(uploads.data_path(stored), model_input=model_input(profile)).manifest.ref
    jobs.results["data"] = {"ref": ref}
    jobs.results["look"] = {"source": look(path).to_dict()}
    drop.upload(path.name, path.read_bytes()).run()
    assert not app.exception
    assert app.query_params["data"] == ref
    return ref


def test_the_page_says_what_to_bring(app, jobs, profile):
    app.query_params["model"] = profile.digest
    app.run()
    shown = words(app).replace("\\", "")
    assert "This model reads 2 inputs" in shown
    assert "x_train_picture, x_train_<b>, beside y_train" in shown


def test_an_upload_shows_what_each_input_reads(app, demos, jobs, profile, tmp_path):
    ref = upload_and_prepare(app, jobs, profile, npz(tmp_path))
    shown = words(app)
    assert "picture: reshape (6, 6) to (6, 6, 1), divide by 255" in shown.replace("\\", "")
    # Beside the demos' own, thumbnails of the input whose values are pictures.
    assert len(app.get("image")) == len(demos) + 4
    facts = Dataset.open(prepared_folder(ref)).inputs("test")[1]
    first = next(text.value for text in app.text if "picture 6×6×1" in text.value)
    # The first sample shown is the first of class 0.
    row = next(index for index, fact in enumerate(facts) if fact[0] % 10 == 0)
    assert f"<b> 3: {facts[row][0]:.3g}, 0, 0.5" in first
    assert ("baseline", f"{profile.digest}-{ref}") in [call[:2] for call in jobs.asked]


def test_each_input_has_a_scaling_of_its_own(app, home, jobs, profile, tmp_path):
    ref = upload_and_prepare(app, jobs, profile, npz(tmp_path))
    identifier = ref.partition("-")[0]
    app.session_state[f"settings_{identifier}"] = True
    app.run()
    scalings = {box.label: box.value for box in app.selectbox if box.label.startswith("Scaling")}
    assert scalings == {"Scaling of picture": "0..1", "Scaling of <b>": "raw"}
    box = next(box for box in app.selectbox if box.label == "Scaling of picture")
    box.select("-1..1").run()
    app.button(key="prepare").click().run()
    request = [call[2] for call in jobs.asked if call[0] == "data"][-1]
    assert request["preprocessing"] == {
        "modality": "arrays", "scaling_picture": "-1..1", "scaling_<b>": "raw"
    }  # fmt: skip


def test_data_for_one_input_says_what_is_missing(app, home, jobs, profile):
    app.query_params["model"] = profile.digest
    app.query_params["data"] = studio.REF
    studio_profile = studio.build(home)
    profiles.store(replace(studio_profile, inputs=profile.inputs), home)
    app.run()
    assert not app.exception
    shown = words(app).replace("\\", "")
    assert "The model has 2 inputs: picture, <b>; the data has one array of inputs" in shown
    assert "baseline" not in jobs.kinds()


def test_settings_that_are_no_scaling_keep_their_fields():
    assert [field.key for field in fields.fields_of({"modality": "arrays"})] == ["scaling"]
    assert baseline.tries({"modality": "arrays", "scaling_a": "raw"}) == {}
    assert len(baseline.tries({"modality": "arrays", "scaling": "raw"})) == 2


def test_samples_of_a_comparison_show_every_input(home, jobs):
    run = studio.run(home, studio.build(home))
    folder = prepared_folder(studio.REF)
    dataset = Dataset.open(folder)
    inputs = (InputArray("tokens", (3,), "int32"), InputArray("mask", (2,), "float32"))
    rows = np.arange(studio.TESTS)
    storage.write_array(folder / "x_test_0.npy", np.stack([rows, rows, rows], 1).astype("int32"))
    storage.write_array(folder / "x_test_1.npy", np.ones((studio.TESTS, 2), np.float32))
    (folder / "preview" / "images.npy").unlink()
    manifest = replace(dataset.manifest, modality="arrays", inputs=inputs)
    storage.write_json(folder / "manifest.json", manifest.to_dict())
    app = studio.page(
        "comparison", model=profiles.MODEL, data=studio.REF, run=run.id, sheet="Samples"
    )
    assert not app.exception
    assert [text.value for text in app.text if "tokens" in text.value] == [
        "tokens 3: 0, 0, 0\nmask 2: 1, 1",
        "tokens 3: 1, 1, 1\nmask 2: 1, 1",
    ]


def test_outputs_that_nobody_judged_are_named(home, jobs):
    run = studio.run(home, studio.build(home))
    note = "The labels are for the output kind; <b> is neither trained nor judged."
    replace(Comparison.load(run.comparison), notes=(note,)).save(run.comparison)
    app = studio.page("comparison", model=profiles.MODEL, data=studio.REF, run=run.id)
    assert not app.exception
    assert note in studio.texts(app).replace("\\", "")


def test_the_upload_page_names_them_too(app, home, jobs):
    built = studio.build(home)
    outputs = (TensorSpec("kind", (3,), "float32"), TensorSpec("<b>", (1,), "float32"))
    profile = replace(
        built, inputs=(TensorSpec("picture", (4, 4, 1), "float32"),), outputs=outputs,
        output_activations=("softmax", "linear"),
    )  # fmt: skip
    profiles.store(profile, home)
    app.query_params["model"] = profile.digest
    app.query_params["data"] = studio.REF
    app.run()
    assert not app.exception
    shown = words(app).replace("\\", "")
    assert "**kind** 3 by softmax, **<b>** 1 by linear" in shown
    assert "The labels are for the output kind; <b> is neither trained nor judged." in shown

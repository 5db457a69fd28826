"""The shipped demos: complete, licensed, small, and as accurate as they say."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from pruning import demos
from pruning.errors import NotFoundError
from pruning.frameworks._base import framework
from pruning.intake import store
from pruning.intake.dataset import SPLITS
from pruning.intake.prepare import prepare

# What the product promises of each demo's dense model.
BOUNDS = {"image": 0.90, "speech": 0.88, "text": 0.80}
every = pytest.mark.parametrize("name", demos.ORDER)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Each demo's data, prepared once for the module, in a home folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_STUDIO_HOME", str(tmp_path_factory.mktemp("home")))
        datasets = {}

        def dataset(name):
            if name not in datasets:
                datasets[name] = prepare(demos.demo(name).data)
            return datasets[name]

        yield dataset


def test_a_stored_copy_of_a_demo_is_known_as_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path))
    text = demos.demo("text")
    assert demos.is_demo(store.store_model("renamed.h5", text.model))
    assert demos.is_demo(store.store_data("data.zip", text.data))
    assert not demos.is_demo(store.store_model("own.h5", text.model.read_bytes() + b"x"))


def test_there_is_one_demo_of_each_modality_and_one_of_keras_2():
    found = demos.demos()
    assert [demo.name for demo in found] == ["image", "speech", "text"]
    assert [demo.modality for demo in found] == ["image", "audio", "text"]
    assert [demo.family for demo in found] == ["keras3", "keras3", "tf_keras"]
    assert [demo.model.suffix for demo in found] == [".keras", ".keras", ".h5"]


def test_together_they_stay_small():
    folder = demos.demo("image").model.parent.parent
    files = [file for name in demos.ORDER for file in (folder / name).iterdir()]
    assert sum(file.stat().st_size for file in files) < 25_000_000
    assert all(demo.bytes > 100_000 for demo in demos.demos())


@every
def test_card_and_licence_are_complete(name):
    demo = demos.demo(name)
    assert demo.title
    assert demo.task.endswith(".")
    assert demo.source
    assert demo.licence
    assert demo.limits
    text = demo.attribution.read_text()
    owners = {"image": "Zalando SE", "speech": "Carlo Flora", "text": "Princeton University"}
    assert owners[name] in text
    assert "licen" in text.lower()


def test_the_one_speaker_limit_is_stated():
    assert any("One speaker a language" in limit for limit in demos.demo("speech").limits)


@every
def test_the_data_is_in_the_form_of_an_upload(name):
    demo = demos.demo(name)
    with zipfile.ZipFile(demo.data) as archive:
        names = archive.namelist()
        settings = json.loads(archive.read("preprocessing.json"))
    assert settings["modality"] == demo.modality
    assert settings["licence"] == demo.licence
    assert settings["source"] == demo.source
    if name == "text":
        assert sorted(names) == ["data.csv", "preprocessing.json", "vocabulary.txt"]
    else:
        folders = {tuple(entry.split("/")[:2]) for entry in names if entry.count("/") == 2}
        assert folders == {(split, label) for split in SPLITS for label in demo.classes}


@every
def test_preparing_gives_classes_counts_and_licence(name, prepared):
    demo, manifest = demos.demo(name), prepared(name).manifest
    assert manifest.classes == demo.classes
    assert manifest.counts["test"] == demo.test_samples >= 1000
    assert manifest.counts["train"] == demo.train_samples >= 2000
    assert min(manifest.class_counts["test"]) == max(manifest.class_counts["test"])
    assert manifest.licence == demo.licence
    assert manifest.source == demo.source


def contents(demo):
    """Split -> contents of its samples."""
    found = {split: [] for split in SPLITS}
    with zipfile.ZipFile(demo.data) as archive:
        if demo.modality == "text":
            table = io.StringIO(archive.read("data.csv").decode(), newline="")
            for row in csv.DictReader(table):
                found[row["split"]].append(row["text"])
        for entry in archive.namelist():
            if entry.count("/") == 2:
                found[entry.split("/")[0]].append(archive.read(entry))
    return found


@every
def test_no_training_sample_is_tested(name):
    found = contents(demos.demo(name))
    assert len(found["test"]) == demos.demo(name).test_samples
    assert not set(found["train"] + found["val"]) & set(found["test"])


def test_prompts_are_in_one_split_only():
    with zipfile.ZipFile(demos.demo("speech").data) as archive:
        files = [entry.split("/") for entry in archive.namelist() if entry.count("/") == 2]
    splits = {}
    for split, _, file in files:
        splits.setdefault(file.rsplit("-", 1)[0], set()).add(split)
    assert max(len(found) for found in splits.values()) == 1


@every
def test_the_model_is_as_accurate_as_its_card_says(name, prepared):
    demo, dataset = demos.demo(name), prepared(name)
    model = framework(demo.family).load(demo.model)
    answers = model.predict(dataset.x("test"), batch_size=256, verbose=0).argmax(axis=-1)
    accuracy = float((answers == dataset.y("test")).mean())
    assert accuracy == pytest.approx(demo.accuracy, abs=0.005)
    assert accuracy >= BOUNDS[name]
    assert model.count_params() == demo.params
    assert model.output_shape[-1] == len(demo.classes)


@every
def test_the_models_batch_normalisation_follows_short_retraining(name):
    demo = demos.demo(name)
    model = framework(demo.family).load(demo.model)
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    assert all(layer.momentum == 0.9 for layer in norms)
    assert bool(norms) == (name != "text")


@every
def test_copies_are_the_same_files(name, tmp_path):
    model, data = demos.copy_to(name, tmp_path / "new" / "folder")
    demo = demos.demo(name)
    assert model.read_bytes() == demo.model.read_bytes()
    assert data.read_bytes() == demo.data.read_bytes()
    assert (model.parent / "LICENCE.md").read_text() == demo.attribution.read_text()


def test_an_unknown_demo_is_answered_with_the_list(tmp_path):
    with pytest.raises(NotFoundError, match="'video'") as caught:
        demos.copy_to("video", tmp_path)
    assert "image, speech, text" in caught.value.expected
    assert list(tmp_path.iterdir()) == []


def test_listing_does_not_import_tensorflow():
    code = (
        "import sys; from pruning import demos; demos.demos();"
        "print([m for m in ('tensorflow', 'keras', 'tf_keras') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pages.components import sample
from pages.components.upload import baseline, opening, preview
from pruning import storage
from pruning.analysis.profile import Block
from pruning.errors import DataFileError, MismatchError, StorageError
from pruning.intake import store as uploads
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.runs import executor
from tests.pages import prepared
from tests.pages.conftest import words
from tests.pages.profiles import MODEL, resnet, store


def figures(app) -> dict[str, str]:
    """Values of the figures by label, without the mark of their basis."""
    return {metric.label.rsplit(" ", 1)[0]: metric.value for metric in app.metric}


@pytest.fixture
def opened(app, home, jobs):
    """A model and pictures that fit it, both read already."""
    store(resnet(), home)
    prepared.store(prepared.IMAGE, (32, 32, 3))
    app.query_params["model"] = MODEL
    app.query_params["data"] = prepared.REF
    return app


def test_the_empty_page_offers_demos_and_both_drop_zones(app):
    app.run()
    assert not app.exception
    assert [button.key for button in app.button if str(button.key).startswith("demo_")] == [
        "demo_image",
        "demo_speech",
        "demo_text",
    ]
    labels = [uploader.label for uploader in app.file_uploader]
    assert ".keras, .h5 or .hdf5" in labels[0]
    assert ".npz" in labels[1]
    assert ".csv or .tsv" in labels[1]
    assert "91.2 % test accuracy  \n9.90 MB with its data" in words(app)


def test_one_click_on_a_demo_stores_it_and_starts_the_jobs(app, home, jobs):
    app.run()
    app.button(key="demo_speech").click().run()
    assert not app.exception
    model, source = app.query_params["model"], app.query_params["source"]
    assert uploads.model_path(model).read_bytes() == b"model of speech"
    assert uploads.data_path(source).read_bytes() == b"data of speech"
    assert uploads.models()[0].name == "Demo speech.keras"
    assert set(jobs.kinds()) == {"data", "profile"}
    shown = words(app) + str([bar.proto.text for bar in app.get("progress")])
    assert "Reading the model" in shown
    assert "Preparing the data" in shown


def test_when_the_data_is_prepared_its_ref_is_in_the_url(app, home, jobs):
    store(resnet(), home)
    prepared.store(prepared.IMAGE, (32, 32, 3))
    jobs.states["data"] = "done"
    jobs.results["data"] = {"ref": prepared.REF}
    app.query_params["model"] = MODEL
    app.query_params["source"] = prepared.DATA
    app.run()
    assert not app.exception
    assert app.query_params["data"] == prepared.REF
    assert "source" not in app.query_params
    _, key, request, _ = next(call for call in jobs.asked if call[0] == "data")
    assert key.startswith(prepared.DATA)
    assert request == {
        "data": prepared.DATA, "model": MODEL, "preprocessing": None, "options": {}
    }  # fmt: skip
    assert ("baseline", f"{MODEL}-{prepared.REF}") in [call[:2] for call in jobs.asked]


def test_an_uploaded_model_is_stored_and_opened(app, home, jobs):
    app.run()
    app.file_uploader[0].upload("renamed.bin", b"some bytes").run()
    assert not app.exception
    model = app.query_params["model"]
    assert uploads.model_path(model).read_bytes() == b"some bytes"
    assert jobs.asked[0][:2] == ("profile", model)


def zone(app, kind: str):
    return next(z for z in app.file_uploader if z.label.startswith(f"Your own {kind}"))


def test_a_stored_model_leaves_the_zone_for_data_as_it_is(app, home, jobs):
    """A data file that was still on its way arrived in a zone that was replaced, and was lost."""
    app.run()
    before = zone(app, "data").proto.id
    model = zone(app, "model").proto.id
    zone(app, "model").upload("a.keras", b"some bytes").run()
    assert zone(app, "data").proto.id == before
    assert zone(app, "model").proto.id != model
    zone(app, "data").upload("reviews.csv", b"text,label\na,1\n").run()
    assert app.query_params["source"] == uploads.data()[0].id


def test_a_file_that_was_taken_is_not_taken_again(monkeypatch):
    """The request of a timer that was under way brought it once more."""
    monkeypatch.setattr(opening.st, "session_state", {"data_drop_0": "file", "drops of data": 0})
    taken = []
    for _ in range(2):
        opening._drop("data", "data_drop_0", taken.append)
    assert taken == ["file"]


def test_an_uploaded_data_file_waits_for_the_model(app, home, jobs):
    app.query_params["model"] = MODEL
    folder = store(resnet(), home)
    (folder / "profile.json").unlink()
    app.run()
    data_drop = next(drop for drop in app.file_uploader if drop.label.startswith("Your own data"))
    data_drop.upload("reviews.csv", b"text,label\na,1\n").run()
    assert uploads.data()[0].name == "reviews.csv"
    assert app.query_params["source"] == uploads.data()[0].id
    assert "Waits until a model is read" in words(app)
    assert "data" not in jobs.kinds()


def test_an_empty_file_is_refused_in_three_sentences(app, jobs):
    app.run()
    app.file_uploader[0].upload("empty.keras", b"").run()
    shown = words(app)
    assert r"empty\.keras is empty\." in shown
    assert r"**Expected:** A file with content\." in shown
    assert "**To fix it:**" in shown
    assert "model" not in app.query_params
    assert not jobs.asked
    app.run()
    assert not app.error


def test_a_full_disk_is_told_like_any_other_error(app, home, monkeypatch):
    def full(*_, **__):
        raise StorageError("The disk is full.", expected="Free space.", fix="Free some space.")

    folder = store(resnet(), home)
    (folder / "profile.json").unlink()
    monkeypatch.setattr(executor, "ensure", full)
    app.query_params["model"] = MODEL
    app.run()
    assert not app.exception
    assert r"The disk is full\." in words(app)


def test_an_upload_can_be_opened_again(app, home, jobs):
    store(resnet(), home, MODEL)
    app.run()
    app.selectbox[0].select(MODEL).run()
    assert app.query_params["model"] == MODEL
    assert figures(app)["Parameters"] == "275 k"


def test_a_path_on_this_machine_is_stored_like_an_upload(app, tmp_path, jobs, monkeypatch):
    monkeypatch.setattr(opening, "on_this_machine", lambda: True)
    large = tmp_path / "large.keras"
    large.write_bytes(b"a large model")
    app.run()
    (key,) = [field.key for field in app.text_input if str(field.key).startswith("model_drop")]
    app.text_input(key=key).set_value(f' "{large}" ').run()
    assert not app.exception
    assert uploads.model_path(app.query_params["model"]).read_bytes() == b"a large model"
    assert large.exists()


def test_a_path_that_does_not_exist_says_so(app, tmp_path, jobs, monkeypatch):
    monkeypatch.setattr(opening, "on_this_machine", lambda: True)
    app.run()
    key = next(f.key for f in app.text_input if str(f.key).startswith("data_drop"))
    app.text_input(key=key).set_value(str(tmp_path / "nothing.npz")).run()
    assert "There is no file" in words(app)
    assert "source" not in app.query_params


@pytest.mark.parametrize(
    ("address", "headers", "here"),
    [
        ("127.0.0.1", {"Host": "127.0.0.1:8501"}, True),
        ("127.0.0.1", {"Host": "localhost:8501"}, True),
        ("127.0.0.1", {"Host": "localhost:8501", "X-Forwarded-For": "10.0.0.7"}, False),
        ("127.0.0.1", {"Host": "studio.example.org"}, False),
        ("127.0.0.1", {}, False),
        ("0.0.0.0", {"Host": "127.0.0.1:8501"}, False),
        (None, {"Host": "127.0.0.1:8501"}, False),
    ],
)
def test_paths_are_offered_only_to_who_sits_at_the_server(monkeypatch, address, headers, here):
    class Context:
        pass

    Context.headers = headers
    monkeypatch.setattr(opening.st, "context", Context)
    monkeypatch.setattr(opening.st, "get_option", lambda name: address)
    assert opening.on_this_machine() is here


def test_the_passport(opened):
    opened.run()
    assert not opened.exception
    shown = figures(opened)
    assert shown["Parameters"] == "275 k"
    assert shown["FLOPs"] == "81.6 M"
    assert shown["File"] == "1.15 MB"
    assert shown["Reachable floor"] == "316"
    text = words(opened)
    assert r"Written by Keras 3\.15\.1 as .keras" in text
    assert "**image** 32×32×3 float32 → **10** by softmax" in text
    assert "448 channels in 12 groups" in text
    assert "Frozen: 1 group" in text


def test_the_passport_of_a_model_without_channels_to_remove_names_what_is_left(app, home, jobs):
    profile = resnet()
    frozen = tuple(replace(group, prunable=False, reason="So.") for group in profile.groups)
    blocks = (Block("first", "residual", ("a",), 9, 9, "b", "c", (4,), ((1, 0),), 1),)
    store(replace(profile, groups=frozen, blocks=blocks), home)
    app.query_params["model"] = MODEL
    app.run()
    assert "**Can be pruned:** 1 whole block, or single weights in 22 layers." in words(app)


def test_data_shows_its_pipeline_its_samples_and_its_notes(opened):
    opened.run()
    text = words(opened)
    assert ":blue-badge[resize 32×32] → :blue-badge[RGB] → :blue-badge[divide by 255]" in text
    assert "samples: 60 train, 20 val, 20 test" in text
    assert r"2 files were skipped\." in text
    captions = [picture.caption for images in opened.get("image") for picture in images.proto.imgs]
    assert [caption for caption in captions if caption][:10] == list(prepared.CLASSES)


def test_the_baseline_stands_against_chance(opened, home):
    prepared.judge(home, MODEL, 0.912)
    opened.run()
    shown = figures(opened)
    assert shown["Test accuracy"] == "91.2 %"
    assert shown["By chance"] == "10.0 %"
    assert not opened.warning


def test_near_chance_says_what_to_try_and_tries_it(opened, home, jobs):
    prepared.judge(home, MODEL, 0.105)
    opened.run()
    assert "no better than chance" in words(opened)
    button = next(b for b in opened.button if b.label == "Scaling: scale to −1 … 1")
    button.click().run()
    _, key, request, _ = next(call for call in jobs.asked if call[0] == "data")
    assert request["preprocessing"] == {**prepared.IMAGE, "scaling": "-1..1"}
    assert request["model"] == MODEL
    assert opened.query_params["job"] == key
    assert opened.query_params["source"] == prepared.DATA
    assert "data" not in opened.query_params


def test_data_of_another_kind_than_the_model_reads_is_refused_once(app, home, jobs):
    store(resnet(), home)
    refusal = MismatchError("No row of tokens fits.", expected="Tokens.", fix="Open another.")
    jobs.states.update(data="failed", look="done")
    jobs.errors["data"] = refusal
    jobs.results["look"] = {"source": {**_source(), "modality": "text"}}
    app.query_params["model"] = MODEL
    app.query_params["source"] = uploads.store_data("reviews.csv", b"text,label")
    app.run().run()
    assert not app.exception
    assert len(app.error) == 1
    assert "There is nothing to set" in words(app)
    assert not [button for button in app.button if button.key == "prepare"]


def test_failed_preparation_shows_why_keeps_the_form_and_tries_again(app, home, jobs):
    store(resnet(), home)
    prepared.store(prepared.IMAGE, (32, 32, 3))
    jobs.states.update(data="failed", look="done")
    jobs.results["look"] = {"source": _source()}
    jobs.errors["data"] = DataFileError(
        "The table has no column 'label'.", expected="A label column.", fix="Choose one."
    )
    app.query_params["model"] = MODEL
    app.query_params["source"] = prepared.DATA
    app.run()
    assert not app.exception
    assert r"The table has no column \'label\'\." in words(app)
    retry = next(b for b in app.button if str(b.key).startswith("retry_data_"))
    retry.click().run()
    assert [call[3] for call in jobs.asked if call[0] == "data"].count(True) == 1


def test_a_file_that_cannot_be_read_is_refused_once(app, home, jobs):
    store(resnet(), home)
    refusal = DataFileError("It is a picture.", expected="A zip.", fix="Make one.")
    jobs.states.update(data="failed", look="failed")
    jobs.errors.update(data=refusal, look=refusal)
    app.query_params["model"] = MODEL
    app.query_params["source"] = uploads.store_data("picture.zip", b"a picture")
    app.run().run()  # the page runs again when the file has been looked into
    assert not app.exception
    assert words(app).count("It is a picture") == 1


def test_data_made_for_another_model_says_so(app, home, jobs):
    store(resnet(), home)
    prepared.store(prepared.IMAGE, (28, 28, 1))
    app.query_params["model"] = MODEL
    app.query_params["data"] = prepared.REF
    app.run()
    assert r"The model reads samples of shape \(32\, 32\, 3\)" in words(app)
    assert "baseline" not in jobs.kinds()
    app.button(key="prepare_default").click().run()
    assert app.query_params["source"] == prepared.DATA


def test_changed_settings_are_checked_against_the_model_and_applied(opened, jobs):
    jobs.states["look"] = "done"
    jobs.results["look"] = {"source": _source()}
    opened.session_state[f"settings_{prepared.DATA}"] = True
    opened.run()
    assert not opened.exception
    prefix = f"set_{prepared.DATA}_image"
    opened.number_input(key=f"{prefix}_height").set_value(16).run()
    assert "These settings give samples of 16×32×3" in words(opened)
    assert "prepare" not in [button.key for button in opened.button]
    opened.number_input(key=f"{prefix}_height").set_value(32)
    opened.selectbox(key=f"{prefix}_scaling").select("raw").run()
    assert ":blue-badge[keep 0 to 255]" in words(opened)
    opened.text_input(key=f"classes_{prepared.DATA}").set_value("b, a ,c").run()
    opened.button(key="prepare").click().run()
    request = [call[2] for call in jobs.asked if call[0] == "data"][-1]
    assert request["preprocessing"]["scaling"] == "raw"
    assert request["options"]["classes"] == ["b", "a", "c"]


def test_the_columns_of_a_table_are_chosen_the_split_included(app, home, jobs):
    prepared.store(prepared.TEXT, (6,), np.zeros((20, 6), np.int32))
    jobs.states["look"] = "done"
    columns = ["body", "topic", "part"]
    jobs.results["look"] = {
        "source": _source()
        | {"modality": "text", "columns": columns, "text_column": "body", "label_column": "topic"}
    }
    app.query_params["data"] = prepared.REF
    app.session_state[f"settings_{prepared.DATA}"] = True
    app.run()
    assert not app.exception
    assert app.selectbox(key=f"split_column_{prepared.DATA}").value is None
    app.selectbox(key=f"split_column_{prepared.DATA}").select("part").run()
    app.button(key="prepare").click().run()
    options = [call[2] for call in jobs.asked if call[0] == "data"][-1]["options"]
    assert (options["text_column"], options["label_columns"]) == ("body", ["topic"])
    assert options["split_column"] == "part"


def test_a_quiet_sound_is_drawn_as_high_as_a_loud_one():
    quiet = np.array([0, 40, -80, 20], np.int16)
    rows = sample.envelope(quiet, 4, bins=2)
    assert rows["low"].tolist() == [0, -1]
    assert rows["high"].tolist() == [0.5, 0.25]
    assert rows["seconds"].tolist() == [0, 0.5]
    silence = sample.envelope(np.zeros(4, np.int16), 4, bins=2)
    assert silence["high"].tolist() == [0, 0]
    lowest = sample.envelope(np.array([-32768, 0], np.int16), 2, bins=2)
    assert lowest["low"].tolist() == [-1, 0]


def test_a_sound_has_a_player_and_what_the_model_hears(app, home, jobs):
    prepared.store(prepared.AUDIO, (38, 32, 1))
    app.query_params["data"] = prepared.REF
    app.run()
    assert not app.exception
    assert len(app.get("audio")) == 3
    assert words(app).count("log\\-mel, 38×32×1: what the model reads") == 3


def test_texts_are_text_and_show_their_tokens(app, home, jobs):
    rows = np.tile(np.array([2, 1, 4, 0, 0, 0], np.int32), (20, 1))
    prepared.store(prepared.TEXT, (6,), rows)
    app.query_params["data"] = prepared.REF
    app.run()
    assert not app.exception
    assert app.text[0].value == "text 0 is **good** <b>"
    assert ":gray-badge[good] :orange-badge[unknown] :gray-badge[\\<script\\>]" in words(app)


def test_a_link_to_data_of_another_studio_says_so(app):
    app.query_params["data"] = prepared.REF
    app.run()
    assert "not in this studio" in words(app)


def test_samples_are_spread_over_the_classes(home):
    record = prepared.store(prepared.IMAGE, (32, 32, 3))
    dataset = Dataset(prepared_folder(record.ref), record)
    assert preview.spread(dataset, 12) == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 1, 3]
    regression = Dataset(dataset.folder, replace(record, task="regression"))
    assert preview.spread(regression, 3) == [0, 1, 2]


def test_shades_put_low_tones_below_and_loud_ones_bright():
    spectrogram = np.zeros((10, 4), np.float32)
    spectrogram[:, 0] = 1.0  # the lowest tone is loud
    picture = preview.shades(spectrogram, time_first=True)
    assert picture.shape[2] == 3
    assert picture[-1, 0].sum() > 700
    assert picture[0, 0].tolist() == [16, 26, 38]
    assert np.array_equal(picture, preview.shades(spectrogram.T, time_first=False))


def test_tries_change_one_setting_each():
    found = baseline.tries(prepared.IMAGE)
    assert {entry["scaling"] for entry in found.values()} == {"raw", "-1..1", "torch", "caffe"}
    grey = baseline.tries({**prepared.IMAGE, "channels": 1})
    assert {entry["scaling"] for entry in grey.values()} == {"raw", "-1..1"}
    assert list(baseline.tries(prepared.TEXT)) == ["Tokens: characters"]
    (letters,) = baseline.tries(prepared.TEXT).values()
    assert letters["tokens"] == "characters"
    assert "vocabulary" not in letters


def test_a_vocabulary_is_kept_only_for_tokens_of_its_kind(app, home, jobs):
    prepared.store(prepared.TEXT, (6,), np.zeros((20, 6), np.int32))
    jobs.states["look"] = "done"
    jobs.results["look"] = {"source": {**_source(), "modality": "text"}}
    app.query_params["data"] = prepared.REF
    app.session_state[f"settings_{prepared.DATA}"] = True
    app.run()
    keep = next(t for t in app.toggle if t.label.startswith("Keep the vocabulary"))
    assert keep.value
    app.selectbox(key=f"set_{prepared.DATA}_text_tokens").select("characters").run()
    assert not app.exception
    keep = next(t for t in app.toggle if t.label.startswith("Keep the vocabulary"))
    assert (keep.value, keep.disabled) == (False, True)
    assert not app.error


def test_a_space_among_characters_can_be_seen():
    assert preview._badge(" ") == ":gray-badge[␣]"
    assert preview._badge("a") == ":gray-badge[a]"


def _source() -> dict:
    return json.loads(
        json.dumps(
            {
                "kind": "zip", "modality": "image", "files": 100, "bytes": 23,
                "classes": list(prepared.CLASSES), "class_counts": {}, "splits_given": False,
                "columns": None, "rows": [], "text_column": None, "label_column": None,
                "split_column": None, "delimiter": None, "header": None, "arrays": {},
                "preprocessing": {}, "notes": [],
            }
        )
    )  # fmt: skip


@pytest.fixture
def stopped(monkeypatch) -> list[str]:
    """Jobs that were stopped; their worker is this very process."""
    folders: list[str] = []
    monkeypatch.setattr(executor, "stop", lambda folder: folders.append(folder.id))
    return folders


def deletion(app, kind: str):
    """Open the form that deletes an upload of that kind."""
    key = next(str(s.key) for s in app.selectbox if f"({kind})" in s.label)
    app.session_state[key.replace("_earlier", "_delete")] = True
    app.run()
    assert not app.exception
    return key.removesuffix("_earlier")


def test_uploads_are_told_apart_and_broken_ones_are_marked(app, home, jobs):
    from pruning.errors import ModelFileError
    from pruning.runs.folder import job_folder

    older, newer = (uploads.store_model("model.keras", each) for each in (b"one", b"two"))
    record = {"name": "model.keras", "bytes": 3, "uploaded": 1e9}
    storage.write_json(uploads.model_folder(older) / "upload.json", record)
    jobs.states["profile"] = "failed"
    jobs.errors["profile"] = ModelFileError("No.", expected="Yes.", fix="Try.")
    jobs.ensure("profile", newer, {"model": newer})
    assert job_folder("profile", newer).record.exists()
    app.run()
    offered = app.selectbox[0].options
    assert len(offered) == 2
    assert offered[0].startswith("⚠ cannot be read · model.keras · 3 bytes · ")
    assert offered[1] == "model.keras · 3 bytes · 9 Sep 2001, 01:46"


def test_an_upload_is_deleted_after_a_question_and_closed(opened, home, stopped):
    opened.run()
    key = deletion(opened, "data")
    assert opened.selectbox(key=f"{key}_unwanted").value == prepared.DATA  # what is open
    assert r"Delete **pictures\.zip** and everything" in words(opened)
    opened.button(key=f"{key}_delete_confirmed").click().run()
    assert not opened.exception
    assert uploads.data() == []
    assert "data" not in opened.query_params
    assert opened.query_params["model"] == MODEL
    key = deletion(opened, "model")
    opened.button(key=f"{key}_delete_confirmed").click().run()
    assert not opened.exception
    assert uploads.models() == []
    assert f"baseline-{MODEL}-{prepared.REF}" in stopped
    assert "model" not in opened.query_params
    assert "Open a demo with one click" in words(opened)


def test_deleting_what_is_not_open_leaves_what_is(opened, home, stopped):
    other = uploads.store_model("other.keras", b"other")
    opened.run()
    key = deletion(opened, "model")
    opened.selectbox(key=f"{key}_unwanted").select(other).run()
    opened.button(key=f"{key}_delete_confirmed").click().run()
    assert [upload.id for upload in uploads.models()] == [MODEL]
    assert opened.query_params["model"] == MODEL


def test_an_upload_that_runs_need_stays_and_they_are_named(app, tmp_path, jobs):
    from tests.pages import studio

    profile = studio.build(tmp_path)
    run = studio.run(tmp_path, profile)
    app.run()
    key = deletion(app, "model")
    app.selectbox(key=f"{key}_unwanted").select(profile.digest).run()
    assert "stays: a run needs it" in words(app)
    assert any(run.id in link.proto.query_string for link in app.get("page_link"))
    assert not [b for b in app.button if str(b.key).endswith("_delete_confirmed")]


def test_demos_stay(app, home, jobs, monkeypatch):
    from pages.components.upload import earlier

    uploads.store_model("own.keras", b"own")
    demo = uploads.store_model("demo.keras", b"demo")
    monkeypatch.setattr(earlier, "is_demo", lambda identifier: identifier == demo)
    app.run()
    key = deletion(app, "model")
    assert app.selectbox(key=f"{key}_unwanted").options == [
        option for option in app.selectbox[0].options if option.startswith("own")
    ]


@pytest.mark.parametrize("page", ["upload", "layers", "strategy"])
def test_what_another_session_deleted_is_said_to_be_gone(opened, home, stopped, page):
    from pruning.runs import uploads as of_runs

    opened.run()
    of_runs.delete("data", prepared.DATA)
    of_runs.delete("model", MODEL)
    opened.switch_page(f"{page}.py").run()
    opened.query_params["model"], opened.query_params["data"] = MODEL, prepared.REF
    opened.run()
    assert not opened.exception
    shown = words(opened)
    assert "The model of this link is not in this studio: it was deleted" in shown
    labels = [link.proto.label for link in opened.get("page_link")]
    assert labels[:2] == ["Model not in this studio", "Data not in this studio"]
    if page == "upload":
        assert "The data of this link is not in this studio: it was deleted" in shown
        assert any(str(button.key) == "demo_image" for button in opened.button)
    else:
        assert "Open a demo or bring your own model" in labels


def test_data_that_was_deleted_before_it_was_prepared_is_said_to_be_gone(app, home, jobs):
    store(resnet(), home)
    app.query_params["model"], app.query_params["source"] = MODEL, "e" * 20
    app.run()
    assert not app.exception
    assert "The data of this link is not in this studio: it was deleted" in words(app)
    assert "data" not in jobs.kinds()
    assert any(drop.label.startswith("Your own data") for drop in app.file_uploader)


def test_a_page_that_waits_for_what_was_deleted_goes_on(home, monkeypatch):
    from pages.components import jobs as watched

    class AgainError(Exception):
        pass

    def again():
        raise AgainError

    monkeypatch.setattr(watched.st, "rerun", again)
    with pytest.raises(AgainError):
        watched.watch.__wrapped__({"Reading the model": str(home / "jobs" / "profile-gone")})


def test_what_classes_have_of_a_sample_s_pixels_is_never_cut_within_a_figure():
    """It said "0 on 8… 10.4 %" of three classes."""
    value = np.repeat([0, 1, 2], [512, 60, 4]).reshape(24, 24)
    names = ["background", "a class with a very long name", "edge"]
    words = preview._shares(value, names)
    assert words == "24×24 labels: background on 88.9 %, a class …ng name on 10.4 %, edge on 0.7 %"
    assert len(words) < preview._LABEL


def test_each_coefficient_of_mfcc_has_its_own_shades():
    """The first one, the loudness, made all others one shade: a picture of a sound was blank."""
    rng = np.random.default_rng(0)
    value = np.concatenate([np.full((98, 1), -400.0), rng.normal(size=(98, 12))], axis=1)
    value[40:60, 0] = -20
    dull = preview.shades(value, time_first=True)
    clear = preview.shades(value, time_first=True, each_row=True)
    assert np.ptp(dull[0].astype(int)) < 30  # the highest coefficient
    assert np.ptp(clear[0].astype(int)) > 200


def test_classes_without_test_samples_are_told_when_the_data_is_opened(opened):
    folder = prepared_folder(prepared.REF)
    record = storage.read_json(folder / "manifest.json")
    assert "No test sample" not in words(opened.run())
    counts = {"test": [2] * 8 + [0, 0]}
    storage.write_json(folder / "manifest.json", record | {"class_counts": counts})
    assert "No test sample is of class 8, class 9: how" in words(opened.run()).replace("\\", "")


@pytest.mark.parametrize(("kind", "job", "name"), [
    ("data", "data", "pictures.zip"), ("model", "profile", "resnet.keras"),
])  # fmt: skip
def test_what_was_open_before_a_file_that_is_no_good_is_one_click_away(
    opened, home, jobs, kind, job, name
):
    app = opened
    app.query_params["run"] = "20260101-000000-abcdef"
    app.run()
    jobs.states[job] = "failed"
    zone(app, kind).upload("bad.bin", b"bad").run()
    assert app.query_params.get("data") != prepared.REF or app.query_params["model"] != MODEL
    back = app.button(key=f"back_to_{kind}")
    assert back.label.replace("\\", "") == f"Go back to {name}"
    back.click().run()
    assert not app.exception
    assert app.query_params["model"] == MODEL
    assert app.query_params["data"] == prepared.REF
    assert app.query_params["run"] == "20260101-000000-abcdef"
    assert "source" not in app.query_params

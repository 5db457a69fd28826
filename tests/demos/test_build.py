"""How the demos are made: what does not need the source packages."""

import json
import zipfile

import numpy as np
import pytest

from pruning.demos import archive, build, build_image, build_speech, build_text, sources
from pruning.errors import NotFoundError

FILES = [("train/a/1.txt", b"one"), ("data.csv", b"x" * 1000)]


def test_the_archive_holds_settings_and_files(tmp_path):
    archive.write(tmp_path / "a.zip", FILES, {"modality": "text"})
    with zipfile.ZipFile(tmp_path / "a.zip") as made:
        assert made.namelist() == ["preprocessing.json", "train/a/1.txt", "data.csv"]
        assert json.loads(made.read("preprocessing.json")) == {"modality": "text"}
        assert made.read("data.csv") == b"x" * 1000


def test_the_same_files_give_the_same_archive(tmp_path):
    for name in ("a.zip", "b.zip"):
        archive.write(tmp_path / name, FILES, {"modality": "text"})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_prompts_split_by_name_in_the_stated_shares():
    splits = [build_speech.split_of(f"prompt-{number}") for number in range(4000)]
    assert splits.count("test") / 4000 == pytest.approx(0.28, abs=0.03)
    assert splits.count("val") / 4000 == pytest.approx(0.07, abs=0.02)
    assert build_speech.split_of("vm-goodbye") == build_speech.split_of("vm-goodbye")


def test_definitions_lose_examples_and_repetitions(tmp_path):
    lines = [
        "  1 This software and database",
        '00001 05 n 01 cat 0 000 | a small furry animal; "the cat sat"  ',
        "00002 05 n 01 tom 0 000 | a small furry animal  ",
        "00003 13 n 01 pie 0 000 | a dish with crust; often sweet  ",
        "00004 13 n 01 x 0 000 | a dish  ",
        "00005 03 n 01 top 0 000 | a topic that is not wanted  ",
    ]
    (tmp_path / "data.noun").write_text("\n".join(lines))
    rows = build_text._rows(tmp_path / "data.noun")
    assert sorted(rows) == [
        ("a dish with crust; often sweet", "food", "train"),
        ("a small furry animal", "animal", "train"),
    ]


@pytest.mark.parametrize("recipe", build.RECIPES.values(), ids=lambda recipe: recipe.name)
def test_augmentation_keeps_shape_and_type_and_its_argument(recipe):
    shape = {"image": (6, 28, 28, 1), "audio": (6, 118, 32, 1), "text": (6, 24)}[recipe.modality]
    dtype = np.int32 if recipe.modality == "text" else np.float32
    x = np.random.default_rng(0).integers(2, 9, shape).astype(dtype)
    before = x.copy()
    made = recipe.augment(x, np.random.default_rng(1))
    assert (made.shape, made.dtype) == (x.shape, x.dtype)
    assert not np.array_equal(made, before)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(made, recipe.augment(x, np.random.default_rng(1)))


def test_shifted_pictures_keep_their_pixels_in_the_middle():
    x = np.zeros((40, 9, 9, 1), np.float32)
    x[:, 4, 4] = 1
    made = build_image.augment(x, np.random.default_rng(0))
    np.testing.assert_array_equal(made.sum(axis=(1, 2, 3)), np.ones(40))


def test_padding_is_never_made_an_unknown_word():
    x = np.zeros((50, 24), np.int32)
    x[:, :5] = 7
    made = build_text.augment(x, np.random.default_rng(0))
    assert not made[:, 5:].any()
    assert set(np.unique(made[:, :5])) == {1, 7}


def test_a_missing_package_is_an_error_that_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFoundError, match="no-such-package") as caught:
        sources.package_files("no-such-package", "no/such/folder", tmp_path)
    assert "apt-get install no-such-package" in caught.value.fix


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        build.main(["video"])
    assert "image, speech, text" in capsys.readouterr().err

"""What every modality promises, the ones added later included."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

from pruning.errors import DataFileError, MismatchError
from pruning.intake.modalities import modalities, modality
from pruning.intake.modalities._base import ModelInput


def picture():
    stream = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(stream, "PNG")
    return stream.getvalue()


def sound():
    stream = io.BytesIO()
    soundfile.write(stream, np.linspace(-0.5, 0.5, 4000), 8000, format="WAV")
    return stream.getvalue()


# For each modality: a model's input, and one good sample. A new modality needs a line here.
CASES = {
    "image": (ModelInput((8, 8, 3)), picture()),
    "audio": (ModelInput((20, 16, 1)), sound()),
    "text": (ModelInput((6,), "int32", vocabulary=50), "a cat and a dog"),
}
every = pytest.mark.parametrize("name", modalities())


def test_every_modality_has_a_case():
    assert set(modalities()) == set(CASES)


@every
def test_the_suggestion_decodes_to_the_models_shape(name):
    plugin = modality(name)
    model_input, content = CASES[name]
    settings = plugin.fit(plugin.suggest(model_input), [content])
    sample = plugin.decode("sample", content, settings)
    assert settings["modality"] == name
    assert sample.value.shape == model_input.shape == plugin.output_shape(settings)
    assert sample.value.dtype == plugin.stored
    value = plugin.restore(sample.value[np.newaxis], settings)
    assert value.shape == (1, *sample.value.shape)
    assert value.dtype in (np.float32, np.int32)
    assert np.isfinite(value).all()


@every
def test_settings_survive_json_and_give_the_same_array(name):
    plugin = modality(name)
    model_input, content = CASES[name]
    settings = plugin.fit(plugin.suggest(model_input), [content])
    again = json.loads(json.dumps(settings))
    assert again == settings
    np.testing.assert_array_equal(
        plugin.decode("a", content, settings).value, plugin.decode("a", content, again).value
    )


@every
def test_fit_does_not_change_its_argument(name):
    plugin = modality(name)
    model_input, content = CASES[name]
    settings = plugin.suggest(model_input)
    before = json.dumps(settings)
    plugin.fit(settings, [content])
    assert json.dumps(settings) == before


@every
def test_the_description_is_words(name):
    plugin = modality(name)
    steps = plugin.describe(plugin.suggest(CASES[name][0]))
    assert len(steps) >= 3
    assert all(isinstance(step, str) and step for step in steps)


@every
def test_previews_are_what_the_contract_says(name):
    plugin = modality(name)
    model_input, content = CASES[name]
    preview = plugin.decode(
        "a", content, plugin.fit(plugin.suggest(model_input), [content])
    ).preview
    if name == "text":
        assert preview == content
    else:
        assert preview.dtype == {"image": np.uint8, "audio": np.int16}[name]
        assert preview.ndim == {"image": 3, "audio": 1}[name]


@every
def test_damaged_content_is_a_data_file_error_with_the_name(name):
    plugin = modality(name)
    model_input, content = CASES[name]
    settings = plugin.fit(plugin.suggest(model_input), [content])
    with pytest.raises(DataFileError, match="the sample's name") as caught:
        plugin.decode("the sample's name", b"\xff\xfe broken", settings)
    assert caught.value.expected
    assert caught.value.fix


@every
def test_a_model_that_does_not_fit_is_a_mismatch(name):
    with pytest.raises(MismatchError):
        modality(name).suggest(ModelInput((2, 3, 4, 5)))


def test_an_unknown_modality_lists_the_known_ones():
    with pytest.raises(DataFileError, match="'video'") as caught:
        modality("video")
    assert "image" in caught.value.expected


def test_no_modality_imports_tensorflow():
    code = (
        "import sys; from pruning.intake.modalities import modalities; modalities();"
        "print([m for m in ('tensorflow', 'keras', 'tf_keras') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""The speech demo: which language a second and a half of speech is, a separable CNN of Keras 3."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pruning.demos import archive, sources
from pruning.demos._recipe import Recipe
from pruning.intake.modalities import modality

# Folder below /usr/share/asterisk/sounds and Debian package of each language.
VOICES = {
    "English": ("en_US_f_Allison", "asterisk-core-sounds-en-wav"),
    "French": ("fr_CA_f_June", "asterisk-core-sounds-fr-wav"),
    "Italian": ("it_IT_m_Carlo", "asterisk-core-sounds-it-wav"),
    "Russian": ("ru_RU_f_IvrvoiceRU", "asterisk-core-sounds-ru-wav"),
    "Spanish": ("es_MX_f_Allison", "asterisk-core-sounds-es-wav"),
}
RATE = 8000  # Hz, of all recordings
WINDOW = 12_000  # samples: 1.5 s
SHORTEST = 8_000  # a last part of at least 1 s is kept, and padded when it is read
OPUS_LEVEL = 0.98  # libsndfile: about 11 kbit/s
PER_CLASS = {"train": 410, "val": 50, "test": 210}
SOURCE = (
    "Asterisk core sounds: Allison Smith (en, es), June Wallack (fr), Carlo Flora (it), "
    "Maxim Topal (ru); Debian packages asterisk-core-sounds-*-wav"
)
LICENCE = "CC BY-SA 3.0 (en, es, fr), CC BY 3.0 (it, ru)"


def write_data(path: Path, cache: Path) -> None:
    """Write ``train|val|test/<language>/<prompt>-<part>.ogg``, windows of 1.5 s in Opus."""
    preprocessing = {
        "modality": "audio",
        "sample_rate": RATE,
        "seconds": WINDOW / RATE,
        "window": "centre",
        "features": "log-mel",
        "frame_ms": 32.0,
        "hop_ms": 12.5,
        "bins": 32,
        "low_hz": 60.0,
        "high_hz": 3800.0,
        "time_first": True,
        "channel_axis": True,
        "normalise": "training",
    }
    files = list(_files(cache))
    training = [content for name, content in files if name.startswith("train/")]
    preprocessing = modality("audio").fit(preprocessing, training)
    archive.write(path, files, {**preprocessing, "source": SOURCE, "licence": LICENCE})


def split_of(prompt: str) -> str:
    """Split of a prompt by its name, the same in all languages: 28 % test, 7 % val."""
    share = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "big") / 2**32
    return "test" if share < 0.28 else "val" if share < 0.35 else "train"


def _files(cache: Path) -> Iterator[tuple[str, bytes]]:
    """Name and Opus of each window; equally many of each language."""
    for language, (voice, package) in VOICES.items():
        folder = sources.package_files(package, f"asterisk/sounds/{voice}", cache)
        counts = dict.fromkeys(PER_CLASS, 0)
        # By digest, not by name: prompts beginning alike would otherwise fill the quota.
        prompts = sorted(
            folder.rglob("*.wav"), key=lambda file: hashlib.sha256(file.name.encode()).digest()
        )
        for prompt in prompts:
            name = prompt.relative_to(folder).with_suffix("").as_posix()
            split = split_of(name)
            for part, window in enumerate(_windows(prompt)):
                if counts[split] < PER_CLASS[split]:
                    counts[split] += 1
                    file_name = f"{name.replace('/', '-')}-{part}.ogg"
                    yield f"{split}/{language}/{file_name}", _opus(window)


def _windows(file: Path) -> list[np.ndarray]:
    """Parts of 1.5 s, int16 (samples,), side by side, without nearly silent ones."""
    signal, _ = soundfile.read(file, dtype="int16")
    parts = [signal[start : start + WINDOW] for start in range(0, len(signal), WINDOW)]
    return [
        part for part in parts if len(part) >= SHORTEST and np.abs(part.astype(float)).mean() > 150
    ]


def _opus(window: np.ndarray) -> bytes:
    stream = io.BytesIO()
    soundfile.write(
        stream, window, RATE, format="OGG", subtype="OPUS", compression_level=OPUS_LEVEL
    )
    return stream.getvalue()


def build_model(shape: tuple[int, ...], classes: int) -> Any:
    """A convolution and five depthwise-separable blocks over time and frequency."""
    import keras

    layers = keras.layers
    inputs = keras.Input(shape, name="log_mel")
    x = layers.Conv2D(32, 3, 2, padding="same", use_bias=False, name="stem_conv")(inputs)
    x = layers.BatchNormalization(momentum=0.9, name="stem_norm")(x)
    x = layers.ReLU(name="stem_relu")(x)
    blocks = [(48, 1), (96, 2), (96, 1), (128, 2), (160, 1)]
    for number, (width, stride) in enumerate(blocks, start=1):
        name = f"block{number}"
        x = layers.DepthwiseConv2D(
            3, stride, padding="same", use_bias=False, name=f"{name}_depthwise"
        )(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_depthwise_norm")(x)
        x = layers.ReLU(name=f"{name}_depthwise_relu")(x)
        x = layers.Conv2D(width, 1, use_bias=False, name=f"{name}_pointwise")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_pointwise_norm")(x)
        x = layers.ReLU(name=f"{name}_pointwise_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    outputs = layers.Dense(classes, activation="softmax", name="languages")(x)
    return keras.Model(inputs, outputs, name="language_separable_cnn")


def augment(x: Any, generator: np.random.Generator) -> np.ndarray:
    """Shift in time and in loudness, and blank a band of time and of frequency (SpecAugment).

    (n, time, bins, 1) -> same, float32.
    """
    out = np.array(x)
    count, time, bins, _ = out.shape
    for index in range(count):
        out[index] = np.roll(out[index], generator.integers(-12, 13), axis=0)
        start, first = generator.integers(0, time - 16), generator.integers(0, bins - 5)
        out[index, start : start + generator.integers(0, 17)] = 0
        out[index, :, first : first + generator.integers(0, 6)] = 0
    return out + generator.normal(0, 0.15, (count, 1, 1, 1)).astype(np.float32)


RECIPE = Recipe(
    name="speech",
    title="Spoken language",
    task="Tell which of five languages a second and a half of a telephone voice speaks.",
    modality="audio",
    family="keras3",
    model_file="model.keras",
    write_data=write_data,
    build_model=build_model,
    augment=augment,
    epochs=30,
    batch=32,
    learning_rate=3e-3,
    limits=(
        "One speaker a language (English and Spanish are the same woman): the model may tell "
        "voices and recordings apart as much as languages, and would do worse on other speakers.",
        "Test windows are of other prompts than the training windows, by the same speakers.",
    ),
    licence=LICENCE,
    source=SOURCE,
    attribution="""
The sounds in `data.zip` are parts of the **Asterisk core sounds**,
<https://downloads.asterisk.org/pub/telephony/sounds/>, Debian packages
`asterisk-core-sounds-{en,es,fr,it,ru}-wav`. Changes: cut into windows of 1.5 s, almost silent ones
left out, encoded as Opus, sorted into folders.

| folder | recorded by | licence |
|---|---|---|
| English, Spanish | Allison Smith, <http://www.theivrvoice.com>; funded by Digium, Inc. | [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/) |
| French | June Wallack, <http://www.junewallack.com>; translated by Clod Patry, Kristopher Lalletti and June Wallack; funded by Digium, Inc., Unlimitel, BGM Informatique | [CC BY-SA 3.0](https://creativecommons.org/licenses/by-sa/3.0/) |
| Italian | Carlo Flora, <http://www.carloflora.com>, <http://www.segreterietelefoniche.it>; translated by Silvia Petrin | [CC BY 3.0](https://creativecommons.org/licenses/by/3.0/) |
| Russian | provided by Maxim Topal, <http://www.ivrvoice.ru> | [CC BY 3.0](https://creativecommons.org/licenses/by/3.0/) |

The English, Spanish and French parts stay under CC BY-SA 3.0, changed as they are; the Italian and
Russian ones under CC BY 3.0. No endorsement by the speakers is implied. The model was trained on
them by this project and is under its licence.
""",  # noqa: E501
)

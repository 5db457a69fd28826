"""Sound to samples and spectrograms: equal to tf.signal, and exact where it can be computed."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning.errors import DataFileError, MismatchError
from pruning.intake.modalities import _spectrum, audio
from pruning.intake.modalities._base import ModelInput

RAW = {"sample_rate": 8000, "features": "raw"}


def file_of(signal, rate=8000, kind="WAV", **options):
    stream = io.BytesIO()
    soundfile.write(stream, signal, rate, format=kind, **options)
    return stream.getvalue()


def noise(samples, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


@pytest.mark.parametrize(("frame", "hop"), [(400, 160), (255, 128), (256, 64), (1, 1)])
def test_magnitudes_equal_tensorflow(frame, hop):
    import tensorflow as tf

    signal = noise(3000)
    expected = np.abs(tf.signal.stft(signal, frame, hop).numpy())
    got = _spectrum.magnitudes(signal, frame, hop)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, atol=2e-5)


@pytest.mark.parametrize(
    ("bins", "spectrum", "rate", "low", "high"),
    [(40, 257, 16_000, 0.0, 8000.0), (32, 129, 8000, 60.0, 3800.0), (128, 257, 16_000, 0.0, 8e3)],
)
def test_mel_weights_equal_tensorflow(bins, spectrum, rate, low, high):
    import tensorflow as tf

    expected = tf.signal.linear_to_mel_weight_matrix(bins, spectrum, rate, low, high).numpy()
    got = _spectrum.mel_weights(bins, spectrum, rate, low, high)
    np.testing.assert_allclose(got, expected, atol=3e-5)


def test_mfcc_equals_tensorflow():
    import tensorflow as tf

    spectrogram = noise(98 * 40).reshape(98, 40)
    expected = tf.signal.mfccs_from_log_mel_spectrograms(spectrogram).numpy()[:, :13]
    np.testing.assert_allclose(_spectrum.mfcc(spectrogram, 13), expected, atol=1e-5)


def test_log_mel_of_a_file_equals_the_whole_tensorflow_chain():
    import tensorflow as tf

    signal = noise(16_000)
    chosen = audio.suggest(ModelInput((98, 40, 1)))
    value = audio.decode("a", file_of(signal, 16_000, subtype="FLOAT"), chosen).value
    spectrum = tf.abs(tf.signal.stft(signal, 400, 160))
    weights = tf.signal.linear_to_mel_weight_matrix(40, 257, 16_000, 0.0, 8000.0)
    expected = tf.math.log(spectrum @ weights + 1e-6).numpy()
    np.testing.assert_allclose(value[..., 0], expected, atol=1e-3)


def test_a_tone_is_loudest_in_its_own_bin():
    tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000).astype(np.float32)
    chosen = {**RAW, "features": "spectrogram", "frame_ms": 32, "hop_ms": 16, "seconds": 1}
    value = audio.decode("a", file_of(tone), chosen).value
    # 256-sample frames at 8 kHz: 31.25 Hz a bin, 1000 Hz is bin 32; a Hann window sums to 128.
    assert set(value.argmax(axis=1)) == {32}
    np.testing.assert_allclose(value[:, 32], 64, atol=0.1)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "AIFF"])
def test_sixteen_bit_samples_come_back_exactly(kind):
    samples = np.array([0, 16384, -32768, 1], np.int16)
    sample = audio.decode("a", file_of(samples, kind=kind), {**RAW, "seconds": 4 / 8000})
    np.testing.assert_array_equal(sample.value, np.float32(samples / 32768))
    np.testing.assert_array_equal(sample.preview, [0, 16384, -32767, 1])


@pytest.mark.parametrize(("kind", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)])
def test_lossy_files_are_read(kind, subtype):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    content = file_of(tone, 16_000, kind, subtype=subtype)
    value = audio.decode("a", content, {**RAW, "sample_rate": 16_000, "seconds": 1}).value
    spectrum = np.abs(np.fft.rfft(value))  # of one second: a bin is 1 Hz
    assert abs(int(spectrum.argmax()) - 440) <= 1
    assert value.shape == (16_000,)


def test_channels_are_mixed_to_their_mean():
    stereo = np.array([[0.5, 0.25], [-0.5, 0.0]], np.float32)
    sample = audio.decode("a", file_of(stereo, subtype="FLOAT"), {**RAW, "seconds": 2 / 8000})
    np.testing.assert_array_equal(sample.value, [0.375, -0.25])


@pytest.mark.parametrize(
    ("window", "length", "expected"),
    [
        ("start", 4, [0, 1, 2, 3]),
        ("centre", 4, [3, 4, 5, 6]),
        ("start", 12, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0]),
        ("centre", 12, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]),
    ],
)
def test_the_window_is_cut_or_padded(window, length, expected):
    content = file_of(np.arange(10, dtype=np.float32) / 16, subtype="FLOAT")
    chosen = {**RAW, "seconds": length / 8000, "window": window}
    np.testing.assert_array_equal(audio.decode("a", content, chosen).value * 16, expected)


def test_other_sample_rates_are_resampled():
    seconds = np.arange(44_100) / 44_100
    content = file_of(0.5 * np.sin(2 * np.pi * 300 * seconds), 44_100, subtype="FLOAT")
    value = audio.decode("a", content, {**RAW, "seconds": 1}).value
    expected = 0.5 * np.sin(2 * np.pi * 300 * np.arange(8000) / 8000)
    np.testing.assert_allclose(value[200:-200], expected[200:-200], atol=2e-3)


def test_only_the_window_of_a_long_sound_is_read():
    hour = np.zeros(3600 * 1000, np.int16)
    hour[1800 * 1000 :] = 16384
    content = file_of(hour, 1000, "FLAC")
    chosen = {"features": "raw", "sample_rate": 1000, "seconds": 0.01}
    np.testing.assert_array_equal(audio.decode("a", content, chosen).value, [0] * 5 + [0.5] * 5)


def test_each_sample_can_be_normalised():
    chosen = {**RAW, "seconds": 0.1, "normalise": "sample"}
    value = audio.decode("a", file_of(noise(800) + 0.2, subtype="FLOAT"), chosen).value
    assert value.mean() == pytest.approx(0, abs=1e-5)
    assert value.std() == pytest.approx(1, abs=1e-5)


def test_the_training_split_gives_mean_and_deviation():
    contents = [file_of(np.full(8, v, np.float32), subtype="FLOAT") for v in (0.25, 0.75)]
    chosen = audio.fit({**RAW, "seconds": 0.001, "normalise": "training"}, contents)
    assert (chosen["mean"], chosen["deviation"]) == (0.5, 0.25)
    np.testing.assert_array_equal(audio.decode("a", contents[1], chosen).value, np.ones(8))
    assert audio.fit(chosen, [contents[0]]) == chosen  # what is fixed stays


@pytest.mark.parametrize(
    ("shape", "features"),
    [
        ((16_000,), "raw"),
        ((12_000, 1), "raw"),
        ((None,), "raw"),
        ((98, 40), "log-mel"),
        ((118, 32, 1), "log-mel"),
        ((49, 10, 1), "mfcc"),
        ((99, 13), "mfcc"),
        ((124, 129, 1), "spectrogram"),
        ((64, 173, 1), "log-mel"),
        ((40, 34), "log-mel"),
        ((None, 40), "log-mel"),
        ((None, None, 1), "log-mel"),
        ((1, 80), "log-mel"),
    ],
)
def test_suggestions_give_exactly_the_models_shape(shape, features):
    chosen = audio.suggest(ModelInput(shape))
    assert chosen["features"] == features
    made = audio.output_shape(chosen)
    assert len(made) == len(shape)
    assert all(want in (None, got) for want, got in zip(shape, made, strict=True))


@settings(max_examples=60)
@given(time=st.integers(1, 700), bins=st.integers(2, 300), axis=st.booleans())
def test_any_spectrogram_shape_is_hit_by_suggestion_and_decoding(time, bins, axis):
    shape = (time, bins, 1) if axis else (time, bins)
    chosen = audio.suggest(ModelInput(shape))
    assert audio.output_shape(chosen) == shape
    assert audio.decode("a", file_of(noise(100)), chosen).value.shape == shape


def test_tensorflows_tutorial_shape_gets_its_frames():
    chosen = audio.suggest(ModelInput((124, 129, 1)))
    assert audio._frames(chosen) == (255, 128)
    assert chosen["seconds"] == 1.0


def test_bins_before_time_are_transposed():
    chosen = audio.suggest(ModelInput((64, 173)))
    content = file_of(noise(16_000), 16_000)
    value = audio.decode("a", content, chosen).value
    upright = audio.decode("a", content, {**chosen, "time_first": True}).value
    assert value.shape == (64, 173)
    np.testing.assert_array_equal(value.T, upright)


@pytest.mark.parametrize("shape", [(8, 8, 3), (), (2, 3, 4, 1)])
def test_inputs_that_are_no_sound_are_refused(shape):
    with pytest.raises(MismatchError, match="no sound"):
        audio.suggest(ModelInput(shape))


NOT_FINITE = file_of(np.array([0.0, np.nan, 1.0]), subtype="FLOAT")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "damaged"),
        (b"RIFF\x00\x00\x00\x00WAVEjunk", "damaged"),
        (b"just a text", "damaged"),
        (file_of(noise(8000), kind="FLAC")[:30], "damaged"),
        (file_of(np.zeros(0)), "no samples"),
        (NOT_FINITE, "not finite"),
    ],
    ids=["empty", "broken-wav", "text", "truncated-flac", "silent", "nan"],
)
def test_damaged_files_are_named(content, why):
    with pytest.raises(DataFileError, match=rf"hello\.wav.*{why}"):
        audio.decode("hello.wav", content, {**RAW, "seconds": 3 / 8000})


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample_rate": 0},
        {"seconds": -1},
        {"seconds": True},
        {"features": "mel"},
        {"window": "end"},
        {"normalise": "yes"},
        {"features": "log-mel", "seconds": 0.01},
        {"features": "log-mel", "low_hz": 3000, "high_hz": 2000},
        {"features": "mfcc", "bins": 13, "coefficients": 14},
    ],
)
def test_unusable_settings_are_refused(wrong):
    with pytest.raises(DataFileError):
        audio.decode("a", file_of(noise(8000)), {**RAW, "seconds": 1.0, **wrong})


def test_the_pipeline_in_words():
    chosen = {**audio.suggest(ModelInput((98, 13))), "normalise": "sample"}
    assert audio.describe(chosen) == (
        "mix to mono",
        "16,000 Hz",
        "1 s from the centre",
        "frames of 25 ms every 10 ms",
        "log-mel, 40 bins",
        "MFCC, 13 coefficients",
        "each to mean 0, deviation 1",
    )

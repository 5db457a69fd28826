"""Sound: a window of WAV, FLAC, OGG … to samples or a spectrogram that fits the model.

Settings (``preprocessing``):
    sample_rate: Hz the model was trained at; files of other rates are resampled, channels mixed.
    seconds: Length of the window; shorter sounds are padded with silence.
    window: Where a longer sound is cut: ``centre`` or ``start``.
    features: ``raw`` samples −1..1 · ``spectrogram`` (magnitudes) · ``log-mel`` · ``mfcc``.
    frame_ms, hop_ms: Analysis frames, their length and distance.
    bins: Mel bins. low_hz, high_hz: their range; ``high_hz`` 0 is half the sample rate.
    coefficients: Cepstral coefficients of ``mfcc``.
    time_first: (time, bins), else (bins, time).
    channel_axis: A last axis of length 1.
    normalise: ``none`` · ``sample`` (each to mean 0, deviation 1) · ``training`` (by the mean and
        deviation of the training split, which ``fit`` adds as ``mean`` and ``deviation``).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import soundfile
import soxr

from pruning.errors import DataFileError
from pruning.intake.modalities import _spectrum
from pruning.intake.modalities._audio_fit import suggest
from pruning.intake.modalities._base import Modality, Sample, choice, number, whole_number

MAX_CHANNELS = 32
MAX_RATE = 768_000
FIT_SAMPLES = 512  # enough for a mean and a deviation

FEATURES = {
    "raw": "samples −1 … 1",
    "spectrogram": "magnitude spectrogram",
    "log-mel": "log-mel",
    "mfcc": "MFCC",
}
_WINDOWS = ("centre", "start")
_NORMALISE = {
    "none": "",
    "sample": "each to mean 0, deviation 1",
    "training": "by the training split's mean and deviation",
}


def fit(preprocessing: dict[str, Any], samples: Sequence[Any]) -> dict[str, Any]:
    """Learn mean and deviation when ``normalise`` is ``training``; samples are file contents.

    Raises:
        DataFileError: A training sample cannot be read.
    """
    known = "mean" in preprocessing and "deviation" in preprocessing
    if _normalise(preprocessing) != "training" or known or not len(samples):
        return preprocessing
    step = -(-len(samples) // FIT_SAMPLES)
    plain = {**preprocessing, "normalise": "none"}
    values = np.stack([decode("a training sound", s, plain).value for s in samples[::step]])
    mean, deviation = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    return {**preprocessing, "mean": mean, "deviation": max(deviation, 1e-6)}


def decode(name: str, content: Any, preprocessing: dict[str, Any]) -> Sample:
    """Read the window of one sound.

    Returns:
        value float32 of :func:`output_shape`; preview int16 (samples,) at ``sample_rate``.

    Raises:
        DataFileError: Not a sound, damaged, empty, or not finite.
    """
    rate, length = _window(preprocessing)
    centred = choice(preprocessing, "window", _WINDOWS, "centre") == "centre"
    recorded, recorded_rate = _read(name, content, (length, rate), centred)
    signal = recorded.mean(axis=1, dtype=np.float32)
    if recorded_rate != rate:
        signal = soxr.resample(signal, recorded_rate, rate, quality="HQ")
    signal = _to_length(signal, length, centred)
    preview = np.round(np.clip(signal, -1, 1) * 32767).astype(np.int16)
    return Sample(_shaped(_features(signal, preprocessing), preprocessing), preview)


def _read(
    name: str, content: bytes, window: tuple[int, int], centred: bool
) -> tuple[np.ndarray, int]:
    """Decode only the wanted window, so that an hour of sound costs no more than a second.

    Args:
        name: For the error.
        content: The file.
        window: Length and sample rate of the window.
        centred: Take the middle of the sound.

    Returns:
        float32 (frames, channels) and the file's sample rate.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            rate = int(sound.samplerate)
            if not 0 < sound.channels <= MAX_CHANNELS or not 0 < rate <= MAX_RATE:
                raise _unreadable(name, f"{sound.channels} channels at {rate:,} Hz")
            wanted = -(-window[0] * rate // window[1])
            if centred and sound.frames > wanted:
                sound.seek((sound.frames - wanted) // 2)
            frames = sound.read(wanted, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise _unreadable(name, "it is damaged or of another kind") from error
    if not len(frames):
        raise _unreadable(name, "it holds no samples")
    if not np.isfinite(frames).all():
        raise _unreadable(name, "it holds values that are not finite")
    return frames, rate


def _unreadable(name: str, why: str) -> DataFileError:
    return DataFileError(
        f"{name} cannot be read as a sound: {why}.",
        expected=f"A whole WAV, FLAC or OGG file of 1 to {MAX_CHANNELS} channels.",
        fix="Play it in a media player; save it again as WAV or leave it out.",
    )


def _to_length(signal: np.ndarray, length: int, centred: bool) -> np.ndarray:
    """Cut or pad with silence, evenly on both sides or at the end."""
    spare = length - len(signal)
    before = abs(spare) // 2 if centred else 0
    if spare >= 0:
        return np.pad(signal, (before, spare - before))
    return signal[before : before + length]


def _features(signal: np.ndarray, preprocessing: dict[str, Any]) -> np.ndarray:
    """Samples -> (samples,) or (frames, bins), float32, normalised."""
    features = choice(preprocessing, "features", FEATURES, "log-mel")
    values = signal.astype(np.float32)
    if features != "raw":
        rate, _ = _window(preprocessing)
        frame, hop = _frames(preprocessing)
        if features == "spectrogram":
            values = _spectrum.magnitudes(values, frame, hop)
        else:
            low, high = _band(preprocessing)
            bins = whole_number(preprocessing, "bins", 40, high=1024)
            values = _spectrum.log_mel(
                values, sample_rate=rate, frame=frame, hop=hop, bins=bins, low_hz=low, high_hz=high
            )
        if features == "mfcc":
            values = _spectrum.mfcc(values, _coefficients(preprocessing))
    return _normalised(values, preprocessing)


def _normalised(values: np.ndarray, preprocessing: dict[str, Any]) -> np.ndarray:
    """Bring to mean 0 and deviation 1, by the sample's or the training split's figures."""
    normalise = _normalise(preprocessing)
    if normalise == "none":
        return values
    if normalise == "sample":
        mean, deviation = float(values.mean()), max(float(values.std()), 1e-6)
    else:
        mean = number(preprocessing, "mean", 0.0, low=-1e6, high=1e6)
        deviation = number(preprocessing, "deviation", 1.0, low=1e-9, high=1e6)
    return ((values - np.float32(mean)) / np.float32(deviation)).astype(np.float32)


def _normalise(preprocessing: dict[str, Any]) -> str:
    return choice(preprocessing, "normalise", _NORMALISE, "none")


def _shaped(values: np.ndarray, preprocessing: dict[str, Any]) -> np.ndarray:
    """Order the axes as the model reads them."""
    if values.ndim == 2 and not preprocessing.get("time_first", True):
        values = values.T
    return values[..., np.newaxis] if preprocessing.get("channel_axis", False) else values


def _window(preprocessing: dict[str, Any]) -> tuple[int, int]:
    """Sample rate in Hz and window in samples."""
    rate = whole_number(preprocessing, "sample_rate", 16_000, low=1000, high=192_000)
    seconds = number(preprocessing, "seconds", 1.0, low=0.00001, high=600)
    return rate, max(1, round(rate * seconds))


def _frames(preprocessing: dict[str, Any]) -> tuple[int, int]:
    """Frame and hop in samples.

    Raises:
        DataFileError: The window is shorter than one frame.
    """
    rate, length = _window(preprocessing)
    frame = round(number(preprocessing, "frame_ms", 25.0, low=0.1, high=10_000) * rate / 1000)
    hop = round(number(preprocessing, "hop_ms", 10.0, low=0.1, high=10_000) * rate / 1000)
    if frame > length:
        raise DataFileError(
            f"One frame is {frame:,} samples, the whole window {length:,}.",
            expected="A window of at least one frame.",
            fix="Make seconds larger or frame_ms smaller in the preprocessing settings.",
        )
    return max(1, frame), max(1, hop)


def _band(preprocessing: dict[str, Any]) -> tuple[float, float]:
    """Range of the mel bins in Hz."""
    half = _window(preprocessing)[0] / 2
    low = number(preprocessing, "low_hz", 0.0, low=0, high=half - 1)
    high = number(preprocessing, "high_hz", 0.0, low=0, high=half) or half
    if high <= low:
        raise DataFileError(
            f"The mel bins would reach from {low:g} to {high:g} Hz.",
            expected="high_hz above low_hz, or 0 for half the sample rate.",
            fix="Change low_hz or high_hz in the preprocessing settings.",
        )
    return low, high


def _coefficients(preprocessing: dict[str, Any]) -> int:
    bins = whole_number(preprocessing, "bins", 40, high=1024)
    return whole_number(preprocessing, "coefficients", min(13, bins), high=bins)


def describe(preprocessing: dict[str, Any]) -> tuple[str, ...]:
    """Say the pipeline in words."""
    rate, length = _window(preprocessing)
    place = choice(preprocessing, "window", _WINDOWS, "centre")
    steps = ["mix to mono", f"{rate:,} Hz", f"{length / rate:g} s from the {place}"]
    features = choice(preprocessing, "features", FEATURES, "log-mel")
    if features == "raw":
        steps.append(FEATURES["raw"])
    else:
        frame, hop = _frames(preprocessing)
        steps.append(f"frames of {1000 * frame / rate:.3g} ms every {1000 * hop / rate:.3g} ms")
        if features == "spectrogram":
            steps.append(f"{FEATURES[features]}, {_bins(preprocessing)} bins")
        else:
            steps.append(f"log-mel, {whole_number(preprocessing, 'bins', 40, high=1024)} bins")
        if features == "mfcc":
            steps.append(f"MFCC, {_coefficients(preprocessing)} coefficients")
    normalise = _NORMALISE[_normalise(preprocessing)]
    return (*steps, normalise) if normalise else tuple(steps)


def _bins(preprocessing: dict[str, Any]) -> int:
    """Values a frame."""
    features = choice(preprocessing, "features", FEATURES, "log-mel")
    if features == "spectrogram":
        return _spectrum.fft_length(_frames(preprocessing)[0]) // 2 + 1
    if features == "mfcc":
        return _coefficients(preprocessing)
    return whole_number(preprocessing, "bins", 40, high=1024)


def output_shape(preprocessing: dict[str, Any]) -> tuple[int, ...]:
    """Shape of one sample, without the batch."""
    _, length = _window(preprocessing)
    shape: tuple[int, ...] = (length,)
    if choice(preprocessing, "features", FEATURES, "log-mel") != "raw":
        shape = (_spectrum.frame_count(length, *_frames(preprocessing)), _bins(preprocessing))
        if not preprocessing.get("time_first", True):
            shape = shape[::-1]
    return (*shape, 1) if preprocessing.get("channel_axis", False) else shape


MODALITY = Modality(
    name="audio",
    title="Speech and sound",
    suffixes=(".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff"),
    suggest=suggest,
    fit=fit,
    decode=decode,
    describe=describe,
    output_shape=output_shape,
)

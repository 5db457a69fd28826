"""Which sound preprocessing gives exactly the shape a model reads."""

from __future__ import annotations

import math
from typing import Any

from pruning.errors import MismatchError
from pruning.intake.modalities import _spectrum
from pruning.intake.modalities._base import ModelInput

RATE = 16_000  # what most speech models are trained at
_RATES = (16_000, 8_000, 22_050, 44_100, 48_000)
_CEPSTRA = (10, 12, 13, 14, 20)
_MEL_BINS = (32, 40, 48, 60, 64, 80, 96, 128)
# (most frames, hop ms, frame ms): few frames mean long hops, for sounds last about a second.
_FRAMINGS = ((40, 32.0, 64.0), (79, 20.0, 30.0), (1_000_000, 10.0, 25.0))


def suggest(model_input: ModelInput) -> dict[str, Any]:
    """Choose features, frames and bins so that the output has exactly the model's shape.

    ``(samples,)`` and ``(samples, 1)`` get raw samples; ``(time, bins)`` and ``(time, bins, 1)``
    a spectrogram if bins is a power of two plus one, MFCC if 10 to 20, else log-mel; ``(bins,
    time)`` is recognised by a usual number of bins before a longer time axis. The sample rate
    cannot be read from a shape: 16 kHz, unless another makes the window a round one.

    Raises:
        MismatchError: The model's input cannot be sound.
    """
    shape = model_input.shape
    channel_axis = len(shape) > 1 and shape[-1] == 1
    plain = shape[:-1] if channel_axis else shape
    settings: dict[str, Any] = {"modality": "audio", "window": "centre", "normalise": "none"}
    if len(plain) == 1:
        settings |= _raw(plain[0])
    elif len(plain) == 2:
        settings |= _spectral(plain[0], plain[1])
    else:
        sizes = ", ".join("any" if size is None else str(size) for size in shape)
        raise MismatchError(
            f"The model reads samples of shape ({sizes}), which no sound fits.",
            expected="(samples,), (time, bins), or one of these with a last axis of 1.",
            fix="Open a model that reads sounds, or save what this one reads as .npz.",
        )
    return settings | {"channel_axis": channel_axis}


def _raw(samples: int | None) -> dict[str, Any]:
    """Raw samples at the rate that makes the window whole seconds, or else half seconds."""
    if samples is None:
        return {"features": "raw", "sample_rate": RATE, "seconds": 1.0}
    for part in (1, 2, 4):
        for rate in _RATES:
            if samples * part % rate == 0:
                return {"features": "raw", "sample_rate": rate, "seconds": samples / rate}
    return {"features": "raw", "sample_rate": RATE, "seconds": samples / RATE}


def _spectral(first: int | None, second: int | None) -> dict[str, Any]:
    """Frames and bins for (time, bins) or (bins, time)."""
    time_first = not (first in _MEL_BINS and second not in _MEL_BINS and (second or 0) > first)
    time, bins = (first, second) if time_first else (second, first)
    features = "log-mel"
    if bins in _CEPSTRA:
        features = "mfcc"
    elif bins and bins > 64 and (bins - 1).bit_count() == 1:
        features = "spectrogram"
    settings: dict[str, Any] = {"sample_rate": RATE, "features": features, "time_first": time_first}
    settings |= _framing(time, bins if features == "spectrogram" else None)
    if features == "mfcc":
        return settings | {"bins": 40, "coefficients": bins}
    return settings if features == "spectrogram" else settings | {"bins": bins or 40}


def _framing(time: int | None, spectrum_bins: int | None) -> dict[str, Any]:
    """Frame, hop and the roundest window that holds exactly ``time`` frames."""
    hop_ms, frame_ms = next(
        (hop, frame) for most, hop, frame in _FRAMINGS if (time or most) <= most
    )
    if time is None:
        hop_ms, frame_ms = 10.0, 25.0
    if spectrum_bins is not None:  # frames of half a hop's overlap fill the FFT
        fft = 2 * (spectrum_bins - 1)
        frame_ms, hop_ms = 1000 * fft / RATE, 500 * fft / RATE
        one_second = time is not None and _spectrum.frame_count(RATE, fft - 1, fft // 2) == time
        if one_second:  # TensorFlow's audio tutorial: one sample less than the FFT
            frame_ms = 1000 * (fft - 1) / RATE
    seconds = 1.0 if time is None else _window(time, frame_ms, hop_ms)
    return {"frame_ms": frame_ms, "hop_ms": hop_ms, "seconds": seconds}


def _window(time: int, frame_ms: float, hop_ms: float) -> float:
    """Seconds with the fewest decimals for which there are ``time`` frames."""
    frame, hop = round(frame_ms * RATE / 1000), round(hop_ms * RATE / 1000)
    shortest = frame + (time - 1) * hop
    for decimals in range(4):
        seconds: float = math.ceil(shortest / RATE * 10**decimals - 1e-9) / 10**decimals
        if _spectrum.frame_count(round(seconds * RATE), frame, hop) == time:
            return seconds
    return shortest / RATE

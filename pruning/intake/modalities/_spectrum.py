"""Spectral features in NumPy, equal to TensorFlow's ``tf.signal`` (tested against it).

TensorFlow is not needed to prepare data, so that the worker that opens a user's sound files stays
small and quick to start.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LOG_OFFSET = 1e-6  # added before the logarithm, as TensorFlow's tutorials do


def fft_length(frame: int) -> int:
    """Smallest power of two that holds a frame, as ``tf.signal.stft`` chooses it."""
    return 1 << (frame - 1).bit_length() if frame > 1 else 1


def frame_count(samples: int, frame: int, hop: int) -> int:
    """Number of whole frames in ``samples``; nothing is padded."""
    return max(0, 1 + (samples - frame) // hop)


def magnitudes(signal: np.ndarray, frame: int, hop: int) -> np.ndarray:
    """Short-time Fourier magnitudes, ``abs(tf.signal.stft(signal, frame, hop))``.

    Args:
        signal: float32 (samples,), at least one frame long.
        frame: Window length in samples.
        hop: Distance of windows in samples.

    Returns:
        float32 (frames, fft_length // 2 + 1).
    """
    windows = np.lib.stride_tricks.sliding_window_view(signal, frame)[::hop]
    spectrum = np.fft.rfft(windows * _hann(frame), n=fft_length(frame), axis=1)
    return np.abs(spectrum).astype(np.float32)


@lru_cache(maxsize=8)
def _hann(frame: int) -> np.ndarray:
    """Hann window with ``tf.signal.hann_window``'s periodicity: only even lengths are periodic."""
    even = 1 - frame % 2
    count = frame + even - 1
    if count == 0:
        return np.ones(1, np.float32)
    phase = 2 * np.pi * np.arange(frame) / count
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    """HTK's mel scale."""
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0))


@lru_cache(maxsize=8)
def mel_weights(
    bins: int, spectrum_bins: int, sample_rate: int, low_hz: float, high_hz: float
) -> np.ndarray:
    """Triangular filters, ``tf.signal.linear_to_mel_weight_matrix``.

    Returns:
        float32 (spectrum_bins, bins). The bin of 0 Hz has no weight.
    """
    frequencies = _mel(np.linspace(0.0, sample_rate / 2, spectrum_bins)[1:])[:, np.newaxis]
    edges = np.linspace(_mel(low_hz), _mel(high_hz), bins + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (frequencies - lower) / (centre - lower)
    falling = (upper - frequencies) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    return np.pad(weights, ((1, 0), (0, 0))).astype(np.float32)


def log_mel(
    signal: np.ndarray,
    *,
    sample_rate: int,
    frame: int,
    hop: int,
    bins: int,
    low_hz: float,
    high_hz: float,
) -> np.ndarray:
    """Logarithm of the mel spectrogram of magnitudes.

    Args:
        signal: float32 (samples,).
        sample_rate: In Hz.
        frame: Window length in samples.
        hop: Distance of windows in samples.
        bins: Mel bins.
        low_hz: Lower edge of the first bin.
        high_hz: Upper edge of the last bin.

    Returns:
        float32 (frames, bins).
    """
    spectrum = magnitudes(signal, frame, hop)
    mel = spectrum @ mel_weights(bins, spectrum.shape[1], sample_rate, low_hz, high_hz)
    return np.asarray(np.log(mel + np.float32(LOG_OFFSET)), np.float32)


def mfcc(log_mel_spectrogram: np.ndarray, coefficients: int) -> np.ndarray:
    """Cepstral coefficients, ``tf.signal.mfccs_from_log_mel_spectrograms(...)[:, :coefficients]``.

    (frames, bins) -> float32 (frames, coefficients).
    """
    cosines = _cosines(log_mel_spectrogram.shape[1], coefficients)
    return np.asarray(log_mel_spectrogram @ cosines, np.float32)


@lru_cache(maxsize=8)
def _cosines(bins: int, coefficients: int) -> np.ndarray:
    """DCT-II with HTK's scale sqrt(2 / bins) for every coefficient, the first included."""
    positions = (2 * np.arange(bins) + 1)[:, np.newaxis] * np.arange(coefficients)
    return np.asarray(np.sqrt(2.0 / bins) * np.cos(np.pi * positions / (2 * bins)), np.float32)

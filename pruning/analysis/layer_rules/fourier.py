"""Fourier transforms, written as operations: each value is computed from all along their axes."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._flow import agree, frozen

_OPERATIONS = ("FFT", "FFT2", "IFFT2", "RFFT", "IRFFT")
_SYMBOLS = tuple(
    f"{kind}fft{size}" for kind in ("", "i", "r", "ir") for size in ("", "2d", "3d")
)  # the digit says along how many of the last axes

_SIGNALS = "stft inverse_stft frame overlap_and_add dct idct mdct mfccs_from_log_mel_spectrograms"


def trace(call: Call) -> Sequence[Channels]:
    """Along positions each channel is transformed by itself; along the channels they are mixed.

    Keras reads and makes two tensors, the real and the imaginary part; TensorFlow complex numbers.
    """
    agree(call)
    rank = len(call.input_sizes[0])
    name = str(getattr(call.layer, "symbol", type(call.layer).__name__)).removesuffix("d")
    transformed = range(rank - (int(name[-1]) if name[-1].isdigit() else 1), rank)
    tracked = {channels.axis for channels in call.inputs}
    if not tracked.isdisjoint(transformed):
        return call.frozen_outputs(
            f"{call.record.name!r} mixes its channels: it computes each value from all of them."
        )
    if len(tracked) != 1:
        return call.frozen_outputs(f"{call.record.name!r} combines different axes.")
    first = call.inputs[0]
    for other in call.inputs[1:]:
        call.atoms.unite(first.atoms, other.atoms)
    return [Channels(first.axis, first.atoms) for _ in call.output_sizes]


RULES = (
    LayerRule(
        "Fourier transform",
        (
            *(f"ops.{name}" for name in _OPERATIONS),
            *(f"tf.signal.{name}" for name in _SYMBOLS),
        ),
        trace,
        "passed",
    ),
    frozen(
        "windows of a signal",
        "It takes the values along its last axis for a signal in time, which belong together.",
        (
            *("ops.STFT", "ops.ISTFT", "ops.ExtractSequences"),
            *(f"tf.signal.{name}" for name in _SIGNALS.split()),
        ),
    ),
)

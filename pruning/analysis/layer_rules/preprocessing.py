"""Layers that prepare the input: scaling passes, the rest keeps the input's width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._flow import frozen, pass_through

REASON = "It prepares the model's input: its statistics belong to the data and are not cut."


def rescaling(call: Call) -> Sequence[Channels]:
    """One scale for all channels passes; one scale for each would have to be cut."""
    channels = call.inputs[0]
    if np.size(call.layer.scale) > 1 or np.size(call.layer.offset) > 1:
        call.freeze(channels.atoms, f"{call.record.name!r} holds a constant for every channel.")
    return [channels]


def prepared(call: Call) -> Sequence[Channels]:
    """Frozen, the same channels come out as go in."""
    call.record.reason = REASON
    call.freeze(call.inputs[0].atoms, f"{call.record.name!r}: {REASON}")
    return [call.inputs[0]]


_AUGMENTATIONS = (
    "RandomFlip RandomInvert RandomZoom RandomPerspective RandomElasticTransform RandomBrightness "
    "RandomPosterization ContrastLimitedAdaptiveHistogramEqualization AugMix RandomCrop MixUp "
    "RandomGaussianBlur CutMix RandomTranslation RandomContrast RandomColorDegeneration "
    "Solarization AutoContrast RandomColorJitter RandAugment RandomSharpness Equalization "
    "RandomRotation RandomErasing RandomGrayscale RandomShear RandomHue RandomSaturation "
    "RandomHeight RandomWidth"
)
_COLOURS = (
    "rgb_to_grayscale grayscale_to_rgb rgb_to_hsv hsv_to_rgb rgb_to_yiq yiq_to_rgb rgb_to_yuv "
    "yuv_to_rgb adjust_hue adjust_saturation"
)

RULES = (
    LayerRule("rescaling", ("Rescaling",), rescaling, "passed"),
    frozen(
        "colours",
        "It takes its channels for red, green and blue, and computes each colour from all of them.",
        (
            *("ops.RGBToGrayscale", "ops.RGBToHSV", "ops.HSVToRGB"),
            *(f"tf.image.{name}" for name in _COLOURS.split()),
        ),
    ),
    LayerRule("resizing", ("Resizing", "CenterCrop"), pass_through, "passed"),
    LayerRule(
        "input preparation", ("Normalization", *_AUGMENTATIONS.split()), prepared, "frozen", REASON
    ),
    frozen(
        "input encoding",
        "It turns raw input into numbers; its width is given by the data.",
        (
            *("Discretization", "Hashing", "HashedCrossing", "CategoryEncoding"),
            *("StringLookup", "IntegerLookup", "TextVectorization"),
            *("MelSpectrogram", "STFTSpectrogram"),
            *("ops.OneHot", "ops.MultiHot", "tf.one_hot", "tf.sequence_mask"),
        ),
    ),
)

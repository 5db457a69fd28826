"""Pictures: any common image file to an array of the model's height, width and channels.

Settings (``preprocessing``):
    height, width: Pixels of the model's input.
    channels: 1 grey, 3 RGB, 4 RGB and alpha.
    scaling: ``raw`` 0..255 · ``0..1`` · ``-1..1`` · ``torch`` (ImageNet mean and deviation) ·
        ``caffe`` (BGR minus the ImageNet mean); the last three as ``keras.applications`` has them.
    resize: Pillow's ``nearest``, ``bilinear``, ``bicubic``, ``lanczos`` or ``box``; the picture is
        stretched to the size. All but ``nearest`` average over the pixels they drop.
    background: ``white`` or ``black``, seen through transparent pixels.
    layout: ``hwc`` · ``hw`` (no channel axis) · ``flat`` (one row of values).

Pixels are stored as bytes, a quarter of what the model reads, and scaled when they are read.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from pruning.errors import DataFileError, MismatchError
from pruning.intake.modalities._base import Modality, ModelInput, Sample, choice, whole_number

MAX_PIXELS = 64_000_000  # 64 megapixels as RGBA are 256 MB: what a worker can take
MAX_SIDE = 4096
OPEN_SIDE = 128  # for models that take any size

# Only formats that Pillow decodes itself: EPS, for one, would start Ghostscript.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_RESIZE = {
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}
_SCALING = {
    "raw": "keep 0 to 255",
    "0..1": "divide by 255",
    "-1..1": "scale to −1 … 1",
    "torch": "ImageNet mean and deviation",
    "caffe": "BGR, minus the ImageNet mean",
}
_BACKGROUND = {"white": 255, "black": 0}
_LAYOUTS = ("hwc", "hw", "flat")
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_COLOURS = {1: "grey", 3: "RGB", 4: "RGB and alpha"}
# What Pillow's decoders raise for damaged files, all met in the field.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, KeyError, struct.error, zlib.error)
_TORCH_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_TORCH_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
_CAFFE_MEAN = np.array([103.939, 116.779, 123.68], np.float32)  # blue, green, red


def suggest(model_input: ModelInput) -> dict[str, Any]:
    """Fit height, width, channels and layout to the model.

    Raises:
        MismatchError: The model's input cannot be a picture.
    """
    layout, height, width, channels = _geometry(model_input.shape)
    return {
        "modality": "image",
        "height": height,
        "width": width,
        "channels": channels,
        "scaling": "raw" if model_input.scales_itself else "0..1",
        "resize": "bilinear",
        "background": "white",
        "layout": layout,
    }


def _geometry(shape: tuple[int | None, ...]) -> tuple[str, int, int, int]:
    """Layout, height, width and channels of a model's input shape."""
    if len(shape) == 3 and (shape[2] is None or shape[2] in _MODES):
        return "hwc", shape[0] or OPEN_SIDE, shape[1] or OPEN_SIDE, shape[2] or 3
    if len(shape) == 2:
        return "hw", shape[0] or OPEN_SIDE, shape[1] or OPEN_SIDE, 1
    if len(shape) == 1 and shape[0]:
        for channels in (1, 3):
            side = math.isqrt(shape[0] // channels)
            if side > 1 and side * side * channels == shape[0]:
                return "flat", side, side, channels
    sizes = ", ".join("any" if size is None else str(size) for size in shape)
    raise MismatchError(
        f"The model reads samples of shape ({sizes}), which no picture fits.",
        expected="(height, width, 1, 3 or 4), (height, width), or a square picture as one row.",
        fix="Open a model that reads pictures, or save what this one reads as .npz.",
    )


def fit(preprocessing: dict[str, Any], samples: Sequence[Any]) -> dict[str, Any]:
    """Pictures learn nothing from the training split."""
    return preprocessing


def decode(name: str, content: Any, preprocessing: dict[str, Any]) -> Sample:
    """Read one picture.

    Returns:
        value uint8 of :func:`output_shape`; preview uint8 (height, width, 1|3).

    Raises:
        DataFileError: Not a picture, damaged, or larger than ``MAX_PIXELS``; or settings that do
            not go together.
    """
    height, width, channels = _size(preprocessing)
    _scaling(preprocessing)
    resampling = _RESIZE[choice(preprocessing, "resize", _RESIZE, "bilinear")]
    background = _BACKGROUND[choice(preprocessing, "background", _BACKGROUND, "white")]
    picture = _to_mode(_open(name, content), channels, background, name)
    if picture.size != (width, height):
        picture = picture.resize((width, height), resampling)
    pixels = np.asarray(picture, np.uint8).reshape(height, width, channels)
    preview = pixels if channels != 4 else np.asarray(_opaque(picture, background))
    return Sample(pixels.reshape(output_shape(preprocessing)), preview)


def _open(name: str, content: bytes) -> Image.Image:
    """Decode the file, the right way up."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of large pictures
            with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise _too_large(name, f"{picture.width:,} × {picture.height:,} pixels")
                return ImageOps.exif_transpose(picture)
    except Image.DecompressionBombError as error:
        raise _too_large(name, "far more pixels than a picture has") from error
    except _DAMAGED as error:
        raise DataFileError(
            f"{name} cannot be read as a picture.",
            expected=f"A whole {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]} file.",
            fix="Open it in an image viewer; save it again or leave it out.",
        ) from error


def _too_large(name: str, size: str) -> DataFileError:
    return DataFileError(
        f"{name} has {size}.",
        expected=f"At most {MAX_PIXELS // 1_000_000} megapixels.",
        fix="Scale the picture down before uploading it.",
    )


def _to_mode(picture: Image.Image, channels: int, background: int, name: str) -> Image.Image:
    """Bring any colour mode to 8 bits and the wanted channels."""
    if picture.mode == "F":
        raise DataFileError(
            f"{name} holds floating-point pixels, whose range is unknown.",
            expected="8 or 16 bits a channel.",
            fix="Save it as 8-bit PNG, or save the arrays as .npz.",
        )
    if picture.mode.startswith("I"):  # 16 bits: Pillow's own conversion would clip at 255
        wide = np.clip(np.asarray(picture).astype(np.int64), 0, 65535)
        picture = Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if channels == 4:
        return picture.convert("RGBA")
    return _opaque(picture, background).convert(_MODES[channels])


def _opaque(picture: Image.Image, background: int) -> Image.Image:
    """Lay a transparent picture on the background; RGB if there was transparency."""
    if not (picture.has_transparency_data or picture.mode in ("LA", "PA", "RGBA")):
        return picture
    layer = picture.convert("RGBA")
    sheet = Image.new("RGBA", layer.size, (background, background, background, 255))
    return Image.alpha_composite(sheet, layer).convert("RGB")


def restore(values: np.ndarray, preprocessing: dict[str, Any]) -> np.ndarray:
    """Scale stored pixels, 0 to 255, (n, …) -> float32 (n, …) in the model's range."""
    pixels = values.reshape(-1, *_size(preprocessing)).astype(np.float32)
    return _scaled(pixels, _scaling(preprocessing)).reshape(values.shape)


def _scaling(preprocessing: dict[str, Any]) -> str:
    """The chosen scaling.

    Raises:
        DataFileError: It does not go with the chosen channels.
    """
    scaling = choice(preprocessing, "scaling", _SCALING, "0..1")
    channels = _size(preprocessing)[2]
    if scaling in ("torch", "caffe") and channels != 3:
        raise DataFileError(
            f"The scaling {scaling!r} is for 3 channels; these pictures get {channels}.",
            expected="RGB pictures, or one of the scalings raw, 0..1, -1..1.",
            fix="Change scaling or channels in the preprocessing settings.",
        )
    return scaling


def _scaled(values: np.ndarray, scaling: str) -> np.ndarray:
    """float32 (…, channels) -> float32 (…, channels)."""
    if scaling == "0..1":
        return values / np.float32(255)
    if scaling == "-1..1":
        return values / np.float32(127.5) - np.float32(1)
    if scaling == "torch":
        return (values / np.float32(255) - _TORCH_MEAN) / _TORCH_DEVIATION
    if scaling == "caffe":
        return values[..., ::-1] - _CAFFE_MEAN
    return values


def _size(preprocessing: dict[str, Any]) -> tuple[int, int, int]:
    """Height, width and channels of the settings."""
    height = whole_number(preprocessing, "height", OPEN_SIDE, high=MAX_SIDE)
    width = whole_number(preprocessing, "width", OPEN_SIDE, high=MAX_SIDE)
    channels = whole_number(preprocessing, "channels", 3, high=4)
    if channels not in _MODES:
        raise DataFileError(
            f"The preprocessing setting channels is {channels}.",
            expected="1 (grey), 3 (RGB) or 4 (RGB and alpha).",
            fix="Change channels in the preprocessing settings.",
        )
    return height, width, channels


def describe(preprocessing: dict[str, Any]) -> tuple[str, ...]:
    """Say the pipeline in words."""
    height, width, channels = _size(preprocessing)
    layout = choice(preprocessing, "layout", _LAYOUTS, "hwc")
    steps = (
        f"resize {height}×{width}",
        _COLOURS[channels],
        _SCALING[choice(preprocessing, "scaling", _SCALING, "0..1")],
    )
    return (*steps, "one row of values") if layout == "flat" else steps


def output_shape(preprocessing: dict[str, Any]) -> tuple[int, ...]:
    """Shape of one sample, without the batch.

    Raises:
        DataFileError: Layout ``hw`` with more than one channel.
    """
    height, width, channels = _size(preprocessing)
    layout = choice(preprocessing, "layout", _LAYOUTS, "hwc")
    if layout == "flat":
        return (height * width * channels,)
    if layout == "hwc":
        return (height, width, channels)
    if channels != 1:
        raise DataFileError(
            f"Pictures of {channels} channels need a channel axis.",
            expected="channels 1 with layout hw, or layout hwc.",
            fix="Change channels or layout in the preprocessing settings.",
        )
    return (height, width)


MODALITY = Modality(
    name="image",
    title="Images",
    suffixes=(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"),
    suggest=suggest,
    fit=fit,
    decode=decode,
    describe=describe,
    output_shape=output_shape,
    stored="uint8",
    restore=restore,
)

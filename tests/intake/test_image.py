"""Pictures to arrays: pixels computed by hand, and keras.applications' own scaling."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pruning.errors import DataFileError, MismatchError
from pruning.intake.modalities import image
from pruning.intake.modalities._base import ModelInput


def file_of(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def read(content, settings):
    """A picture as the model reads it, and as a person sees it."""
    sample = image.decode("a", content, settings)
    assert sample.value.dtype == np.uint8
    return replace(sample, value=image.restore(sample.value[np.newaxis], settings)[0])


def settings_for(height, width, channels, scaling="raw", **more):
    return {"height": height, "width": width, "channels": channels, "scaling": scaling, **more}


GREY = np.array([[0, 51], [102, 255]], np.uint8)
COLOURS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [10, 20, 30]]], np.uint8)


def test_grey_pixels_are_divided_by_255():
    sample = read(file_of(Image.fromarray(GREY)), settings_for(2, 2, 1, "0..1"))
    assert sample.value.dtype == np.float32
    np.testing.assert_array_equal(sample.value[..., 0], np.float32([[0, 0.2], [0.4, 1]]))
    np.testing.assert_array_equal(sample.preview, GREY[..., np.newaxis])


def test_minus_one_to_one():
    sample = read(file_of(Image.fromarray(GREY)), settings_for(2, 2, 1, "-1..1"))
    np.testing.assert_allclose(sample.value[..., 0], [[-1, -0.6], [-0.2, 1]], atol=1e-6)


def test_rgb_becomes_grey_by_luma():
    sample = read(file_of(Image.fromarray(COLOURS)), settings_for(2, 2, 1))
    # ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B
    np.testing.assert_array_equal(sample.value[..., 0], [[76, 150], [29, 18]])


def test_grey_becomes_three_equal_channels():
    sample = read(file_of(Image.fromarray(GREY)), settings_for(2, 2, 3))
    np.testing.assert_array_equal(sample.value, np.repeat(GREY[..., np.newaxis], 3, axis=2))


@pytest.mark.parametrize(("background", "seen"), [("white", 255), ("black", 0)])
def test_the_background_is_seen_through_transparent_pixels(background, seen):
    pixels = np.array([[[9, 8, 7, 255], [9, 8, 7, 0]]], np.uint8)
    chosen = settings_for(1, 2, 3, background=background)
    sample = read(file_of(Image.fromarray(pixels)), chosen)
    np.testing.assert_array_equal(sample.value, [[[9, 8, 7], [seen] * 3]])


def test_a_transparent_palette_entry_is_laid_on_the_background():
    picture = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    picture.putpalette([200, 100, 50, 1, 2, 3])
    content = file_of(picture, transparency=1)
    sample = read(content, settings_for(1, 2, 3))
    np.testing.assert_array_equal(sample.value, [[[200, 100, 50], [255, 255, 255]]])


def test_four_channels_keep_alpha_and_show_it_on_the_background():
    pixels = np.array([[[9, 8, 7, 255], [9, 8, 7, 0]]], np.uint8)
    sample = read(file_of(Image.fromarray(pixels)), settings_for(1, 2, 4))
    np.testing.assert_array_equal(sample.value, pixels)
    np.testing.assert_array_equal(sample.preview, [[[9, 8, 7], [255, 255, 255]]])


def test_sixteen_bits_are_scaled_not_clipped():
    wide = np.array([[0, 257, 32896, 65535]], np.uint16)
    sample = read(file_of(Image.fromarray(wide)), settings_for(1, 4, 1))
    np.testing.assert_array_equal(sample.value[0, :, 0], [0, 1, 128, 255])


def test_cmyk_jpeg_becomes_rgb():
    picture = Image.new("CMYK", (8, 8), (0, 0, 0, 0))
    sample = read(file_of(picture, "JPEG"), settings_for(8, 8, 3))
    np.testing.assert_array_equal(sample.value, np.full((8, 8, 3), 255))


def test_exif_orientation_turns_the_picture_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must turn clockwise
    content = file_of(Image.fromarray(np.array([[10, 20], [30, 40]], np.uint8)), exif=exif)
    sample = read(content, settings_for(2, 2, 1))
    np.testing.assert_array_equal(sample.value[..., 0], [[30, 10], [40, 20]])


def test_box_resize_averages():
    picture = Image.fromarray(np.array([[0, 100], [50, 150]], np.uint8))
    sample = read(file_of(picture), settings_for(1, 1, 1, resize="box"))
    assert sample.value.item() == 75


@pytest.mark.parametrize("mode", ["caffe", "torch"])
def test_imagenet_scaling_equals_keras(mode):
    from keras.applications import imagenet_utils

    sample = read(file_of(Image.fromarray(COLOURS)), settings_for(2, 2, 3, mode))
    expected = imagenet_utils.preprocess_input(
        COLOURS.astype(np.float32), data_format="channels_last", mode=mode
    )
    np.testing.assert_allclose(sample.value, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("shape", "layout", "size"),
    [
        ((28, 28, 1), "hwc", (28, 28, 1)),
        ((None, None, 3), "hwc", (128, 128, 3)),
        ((32, 48, 4), "hwc", (32, 48, 4)),
        ((28, 20), "hw", (28, 20, 1)),
        ((784,), "flat", (28, 28, 1)),
        ((3072,), "flat", (32, 32, 3)),
    ],
)
def test_suggestions_fit_the_model(shape, layout, size):
    chosen = image.suggest(ModelInput(shape))
    assert chosen["layout"] == layout
    assert (chosen["height"], chosen["width"], chosen["channels"]) == size
    made = image.output_shape(chosen)
    assert len(made) == len(shape)
    assert all(want in (None, got) for want, got in zip(shape, made, strict=True))


def test_a_model_that_scales_itself_gets_raw_pixels():
    assert image.suggest(ModelInput((8, 8, 3), scales_itself=True))["scaling"] == "raw"
    assert image.suggest(ModelInput((8, 8, 3)))["scaling"] == "0..1"


@pytest.mark.parametrize("shape", [(10,), (8, 8, 5), (4, 8, 8, 3), ()])
def test_inputs_that_are_no_picture_are_refused(shape):
    with pytest.raises(MismatchError, match="no picture"):
        image.suggest(ModelInput(shape))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        file_of(Image.fromarray(GREY))[:40],
        file_of(Image.fromarray(np.zeros((64, 64, 3), np.uint8)), "JPEG")[:300],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EOF\n",
    ],
    ids=["empty", "text", "truncated-png", "truncated-jpeg", "eps"],
)
def test_damaged_files_are_named(content):
    with pytest.raises(DataFileError, match=r"cat\.png") as caught:
        image.decode("cat.png", content, settings_for(2, 2, 1))
    assert caught.value.fix


def test_a_huge_picture_is_refused_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(image, "MAX_PIXELS", 99)
    with pytest.raises(DataFileError, match="10 × 10 pixels"):
        image.decode("a", file_of(Image.new("L", (10, 10))), settings_for(2, 2, 1))


def test_a_decompression_bomb_is_refused():
    header = file_of(Image.new("1", (1, 1)))
    import struct
    import zlib

    body = b"IHDR" + struct.pack(">II", 60_000, 60_000) + header[24:29]
    bomb = header[:12] + body + struct.pack(">I", zlib.crc32(body)) + header[33:]
    with pytest.raises(DataFileError, match="far more pixels"):
        image.decode("a", bomb, settings_for(2, 2, 1))


def test_floating_point_pixels_are_refused():
    content = file_of(Image.fromarray(np.ones((2, 2), np.float32)), "TIFF")
    with pytest.raises(DataFileError, match="floating-point"):
        image.decode("a", content, settings_for(2, 2, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": 0},
        {"width": "28"},
        {"channels": 2},
        {"scaling": "0-1"},
        {"resize": "magic"},
        {"layout": "hw", "channels": 3},
        {"scaling": "torch", "channels": 1},
    ],
)
def test_unusable_settings_are_refused(wrong):
    chosen = {**settings_for(2, 2, 1), **wrong}
    with pytest.raises(DataFileError, match=next(iter(wrong)) + "|channel"):
        image.decode("a", file_of(Image.fromarray(GREY)), chosen)


@settings(max_examples=30)
@given(
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    channels=st.sampled_from([1, 3, 4]),
    layout=st.sampled_from(["hwc", "flat"]),
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16"]),
)
def test_any_mode_gives_the_promised_shape(height, width, channels, layout, mode):
    kind = "TIFF" if mode in ("CMYK", "YCbCr", "I") else "PNG"
    content = file_of(Image.new(mode, (5, 7)), kind)
    chosen = settings_for(height, width, channels, "0..1", layout=layout)
    sample = read(content, chosen)
    assert sample.value.shape == image.output_shape(chosen)
    assert sample.preview.shape == (height, width, 1 if channels == 1 else 3)
    assert 0 <= sample.value.min() <= sample.value.max() <= 1


def test_the_pipeline_in_words():
    assert image.describe(settings_for(28, 30, 1, "0..1")) == (
        "resize 28×30",
        "grey",
        "divide by 255",
    )

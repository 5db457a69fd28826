"""Arrays are brought to the model's input, or refused with both shapes named."""

import numpy as np
import pytest

from pruning.errors import DataFileError, MismatchError
from pruning.intake.array_fit import fit_to, suggest
from pruning.intake.modalities._base import ModelInput

BYTES, FLOATS = np.dtype(np.uint8), np.dtype(np.float64)


@pytest.mark.parametrize(
    ("row", "wanted", "shape"),
    [
        ((28, 28), (28, 28, 1), (28, 28, 1)),
        ((28, 28, 1), (28, 28), (28, 28)),
        ((28, 28), (784,), (784,)),
        ((784,), (28, 28, 1), (28, 28, 1)),
        ((28, 28, 1), (28, 28, 1), (28, 28, 1)),
        ((32, 32, 3), (None, None, 3), (32, 32, 3)),
        ((40,), (None,), (40,)),
        ((40,), (None, 1), (40, 1)),
        ((), (1,), (1,)),
    ],
)
def test_shapes_that_fit(
    row: tuple[int, ...], wanted: tuple[int | None, ...], shape: tuple[int, ...]
) -> None:
    fit = fit_to(row, FLOATS, ModelInput(wanted), {})
    assert fit.shape == shape
    values = np.arange(2 * int(np.prod(row)), dtype=np.float64).reshape(2, *row)
    assert np.array_equal(fit.apply("x", values).ravel(), values.ravel())
    assert fit.apply("x", values).shape == (2, *shape)


@pytest.mark.parametrize(
    ("row", "wanted", "words"),
    [
        ((3, 32, 32), (32, 32, 3), r"shape \(3, 32, 32\), the model reads \(32, 32, 3\)"),
        ((28, 28), (32, 32, 1), r"shape \(28, 28\), the model reads \(32, 32, 1\)"),
        ((10,), (None, 4), r"reads \(any, 4\)"),
        ((28, 28), (28, 28, 3), "reads"),
        ((14, 56), (28, 28), "reads"),
    ],
)
def test_shapes_that_do_not_fit(
    row: tuple[int, ...], wanted: tuple[int | None, ...], words: str
) -> None:
    with pytest.raises(MismatchError, match=words):
        fit_to(row, FLOATS, ModelInput(wanted), {})


@pytest.mark.parametrize(
    ("row", "dtype", "model_input", "scaling"),
    [
        ((28, 28), BYTES, ModelInput((28, 28, 1)), "0..1"),
        ((28, 28), BYTES, None, "0..1"),
        ((28, 28), FLOATS, ModelInput((28, 28, 1)), "raw"),
        ((28, 28), BYTES, ModelInput((28, 28, 1), scales_itself=True), "raw"),
        ((28, 28), BYTES, ModelInput((28, 28, 1), dtype="uint8"), "raw"),
        ((40,), BYTES, ModelInput((40,), vocabulary=100), "raw"),
        ((40,), BYTES, ModelInput((40,)), "raw"),
    ],
)
def test_bytes_of_pictures_are_scaled_unless_the_model_does_it(
    row: tuple[int, ...], dtype: np.dtype, model_input: ModelInput | None, scaling: str
) -> None:
    assert suggest(row, dtype, model_input) == {"modality": "arrays", "scaling": scaling}


@pytest.mark.parametrize(
    ("scaling", "values"),
    [("raw", [0, 51, 255]), ("0..1", [0, 0.2, 1]), ("-1..1", [-1, -0.6, 1])],
)
def test_scaling(scaling: str, values: list[float]) -> None:
    fit = fit_to((3,), BYTES, ModelInput((3,)), {"scaling": scaling})
    scaled = fit.apply("x", np.array([[0, 51, 255]], np.uint8))
    assert scaled.dtype == np.float32
    assert np.allclose(scaled, [values], atol=1e-6)


@pytest.mark.parametrize(
    ("stored", "reads", "kept"),
    [
        ("float64", "float32", "float32"),
        ("uint8", "float32", "float32"),
        ("int64", "int32", "int32"),
        ("float64", "int64", "int64"),
        ("float16", "bfloat16", "float32"),
    ],
)
def test_types_follow_the_model(stored: str, reads: str, kept: str) -> None:
    fit = fit_to((2,), np.dtype(stored), ModelInput((2,), dtype=reads), {})
    assert fit.apply("x", np.array([[1, 2]], stored)).dtype == kept


def test_without_a_model_arrays_stay_as_they_are() -> None:
    assert fit_to((2, 3), np.dtype(np.int16), None, {}).dtype == np.int16
    assert fit_to((2, 3), FLOATS, None, {}).dtype == np.float32


def test_the_pipeline_is_said_in_words() -> None:
    fit = fit_to((28, 28), BYTES, ModelInput((28, 28, 1)), {"scaling": "0..1"})
    assert fit.steps == ("reshape (28, 28) to (28, 28, 1)", "divide by 255")


def test_values_the_model_cannot_read() -> None:
    floats = fit_to((2,), FLOATS, ModelInput((2,)), {})
    with pytest.raises(DataFileError, match=r"1 value of the array x is NaN or infinite"):
        floats.apply("x", np.array([[1, np.nan]]))
    tokens = fit_to((2,), FLOATS, ModelInput((2,), vocabulary=10), {})
    with pytest.raises(DataFileError, match="has fractions"):
        tokens.apply("x", np.array([[1, 2.5]]))
    with pytest.raises(MismatchError, match=r"array x has the token 10; .* 10 entries"):
        tokens.apply("x", np.array([[1.0, 10.0]]))
    assert tokens.apply("x", np.array([[1.0, 9.0]])).tolist() == [[1, 9]]


def test_an_unknown_scaling_is_refused() -> None:
    with pytest.raises(DataFileError, match="'percent'"):
        fit_to((2,), FLOATS, None, {"scaling": "percent"})

"""Contract of a modality: how files of one kind become model inputs. NumPy only, no TensorFlow.

One file per modality, each with a ``MODALITY``. ``preprocessing`` is a plain JSON dict whose
keys the modality defines; it is stored with the data, so that the same file prepared twice is the
same array.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.errors import DataFileError


@dataclass(frozen=True)
class Answer:
    """An output of the model: its name, its shape without the batch, its activation."""

    name: str
    shape: tuple[int | None, ...]
    activation: str | None = None


@dataclass(frozen=True)
class ModelInput:
    """What preprocessing has to fit: an input of the model, and what it begins with.

    Attributes:
        shape: Without the batch dimension; ``None`` is open.
        scales_itself: The model starts with Rescaling or Normalization: feed it raw values.
        vocabulary: ``input_dim`` of the embedding that reads the input, when there is one.
        outputs: Shape of the model's answer without the batch dimension; tells labels apart.
        activation: Of the model's output.
        answers: All outputs of a model that has several.
        name: Of the input, where a model has several.
        others: The model's further inputs in its order, without outputs; of the first input only.
    """

    shape: tuple[int | None, ...]
    dtype: str = "float32"
    scales_itself: bool = False
    vocabulary: int | None = None
    outputs: tuple[int | None, ...] | None = None
    activation: str | None = None
    answers: tuple[Answer, ...] = ()
    name: str = ""
    others: tuple[ModelInput, ...] = ()

    @property
    def every(self) -> tuple[ModelInput, ...]:
        """All inputs of the model, in its order."""
        return (self, *self.others)


@dataclass(frozen=True)
class Sample:
    """One decoded sample.

    Attributes:
        value: What is stored of it, from which ``Modality.restore`` makes what the model reads.
        preview: What a person sees or hears: image uint8 (h, w, 1|3), audio int16 (samples,),
            text str.
    """

    value: np.ndarray
    preview: Any


@dataclass(frozen=True)
class Modality:
    """One kind of data.

    Attributes:
        suffixes: File suffixes of samples in a zip, lower case; empty for tables.
        suggest: ``(model_input) -> preprocessing`` that fits the model, with sensible defaults.
        fit: ``(preprocessing, training samples) -> preprocessing`` completed with what is learned
            from the training split (vocabulary, mean); most modalities return it unchanged.
        decode: ``(name, content, preprocessing) -> Sample``; ``content`` is bytes, or str for text.
            Raises DataFileError for a sample that cannot be read.
        describe: ``(preprocessing) -> ("resize 28×28", "grey", …)``, the pipeline in words.
        output_shape: ``(preprocessing) -> shape`` of one ``Sample.value``.
        stored: Type of ``Sample.value``.
        restore: ``(values, preprocessing) -> values as the model reads them``, (n, …) both; for a
            kind of data of which less can be stored than is read.
        implied: ``(given) -> preprocessing`` that settings which are given suggest for others,
            over what suits the model.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    suggest: Callable[[ModelInput], dict[str, Any]]
    fit: Callable[[dict[str, Any], Sequence[Any]], dict[str, Any]]
    decode: Callable[[str, Any, dict[str, Any]], Sample]
    describe: Callable[[dict[str, Any]], tuple[str, ...]]
    output_shape: Callable[[dict[str, Any]], tuple[int, ...]]
    stored: str = "float32"
    restore: Callable[[np.ndarray, dict[str, Any]], np.ndarray] = lambda values, preprocessing: (
        values
    )
    implied: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda given: {}

    def dtype(self, preprocessing: dict[str, Any]) -> np.dtype:
        """Type of what the model reads."""
        nothing = np.empty((0, *self.output_shape(preprocessing)), self.stored)
        return self.restore(nothing, preprocessing).dtype

    def settings(self, model_input: ModelInput, given: Mapping[str, Any]) -> dict[str, Any]:
        """Settings that are given, completed by what they and the model suggest."""
        return {**self.suggest(model_input), **self.implied(given), **given}


def whole_number(
    preprocessing: Mapping[str, Any], key: str, default: int, *, low: int = 1, high: int
) -> int:
    """Read a whole number of the settings.

    Raises:
        DataFileError: It is no whole number, or outside ``low`` to ``high``.
    """
    return int(number(preprocessing, key, default, low=low, high=high, whole=True))


def number(
    preprocessing: Mapping[str, Any],
    key: str,
    default: float,
    *,
    low: float,
    high: float,
    whole: bool = False,
) -> float:
    """Read a number of the settings.

    Raises:
        DataFileError: It is no number, or outside ``low`` to ``high``.
    """
    value = preprocessing.get(key, default)
    usable = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not usable or not low <= value <= high or (whole and value != int(value)):
        kind = "whole number" if whole else "number"
        raise DataFileError(
            f"The preprocessing setting {key} is {value!r}.",
            expected=f"A {kind} from {low:,} to {high:,}.",
            fix=f"Change {key} in the preprocessing settings.",
        )
    return float(value)


def choice(
    preprocessing: Mapping[str, Any], key: str, options: Collection[str], default: str
) -> str:
    """Read a setting that is one of a few words.

    Raises:
        DataFileError: It is none of ``options``.
    """
    value = preprocessing.get(key, default)
    if not isinstance(value, str) or value not in options:
        raise DataFileError(
            f"The preprocessing setting {key} is {value!r}.",
            expected=f"One of: {', '.join(options)}.",
            fix=f"Change {key} in the preprocessing settings.",
        )
    return value

"""The priced size of a cut model's file is its size, byte for byte, however weights are stored.

``test_channels`` has the same for every topology.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pruning.analysis.profiler import Analysis
from pruning.surgery.channels import cut
from pruning.surgery.self_check import self_check
from tests.models import FAMILIES, keras_of
from tests.surgery.cases import analysed, assert_priced, random_kept

formats = pytest.mark.parametrize("file_format", ["keras", "h5"])


def assert_priced_exactly(analysis: Analysis, folder: Path, seed: int) -> None:
    """Save a random cut of the model, and compare with what the profile says."""
    assert_priced(analysis, cut(analysis, random_kept(analysis, seed)), folder)


def precisions(keras: Any) -> Any:
    """Layers whose weights take 2, 4 and 8 bytes a value."""
    i = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(9, 3, dtype="float16", name="half")(i)
    x = keras.layers.Conv2D(7, 3, dtype="float32", name="single")(x)
    x = keras.layers.GlobalAveragePooling2D(dtype="float64", name="pool")(x)
    x = keras.layers.Dense(5, dtype="float64", name="double")(x)
    return keras.Model(i, keras.layers.Dense(3, name="logits")(x), name="precisions")


def stored_twice(keras: Any) -> Any:
    """A layer within a nested model is used beside it, too: .h5 holds its weights twice."""
    i = keras.Input((8,), name="features")
    shared = keras.layers.Dense(6, activation="relu", name="shared")
    inner_input = keras.Input((8,), name="inner_features")
    inner_output = keras.layers.Dense(6, name="own")(shared(inner_input))
    inner = keras.Model(inner_input, inner_output, name="inner")
    x = keras.layers.Concatenate(name="concat")([inner(i), shared(i)])
    return keras.Model(i, keras.layers.Dense(3, name="logits")(x), name="stored_twice")


def attention(keras: Any) -> Any:
    """Attention that is as wide as its query, because its author left the width out."""
    i = keras.Input((5, 4), name="frames")
    x = keras.layers.Dense(8, name="query")(i)
    x = keras.layers.MultiHeadAttention(2, 4, name="attention")(x, i)
    return keras.Model(i, keras.layers.Dense(3, name="logits")(x), name="attention_of_query")


@formats
@pytest.mark.parametrize("family", FAMILIES)
def test_a_query_can_go_without_what_attention_answers(
    family: str, file_format: str, tmp_path: Path
) -> None:
    analysis = analysed(attention(keras_of(family)), family, file_format, for_pricing=True)
    made = cut(analysis, {"query": [1, 3, 4]})
    assert made.model.get_layer("attention").get_weights()[6].shape == (2, 4, 8)
    assert self_check(analysis, made).max_abs_error <= 1e-5
    assert_priced_exactly(analysis, tmp_path, seed=1)


@formats
@pytest.mark.parametrize("family", FAMILIES)
def test_weights_of_other_types(family: str, file_format: str, tmp_path: Path) -> None:
    analysis = analysed(precisions(keras_of(family)), family, file_format, for_pricing=True)
    taken = {layer.name: layer.value_bytes for layer in analysis.profile.layers}
    assert [taken[name] for name in ("half", "single", "double")] == [2, 4, 8]
    assert_priced_exactly(analysis, tmp_path, seed=1)


@formats
@pytest.mark.parametrize("family", FAMILIES)
def test_weights_that_are_stored_twice(family: str, file_format: str, tmp_path: Path) -> None:
    analysis = analysed(stored_twice(keras_of(family)), family, file_format, for_pricing=True)
    taken = sorted(layer.value_bytes for layer in analysis.profile.layers)
    assert taken[-1] == (8 if file_format == "h5" else 4)
    assert_priced_exactly(analysis, tmp_path, seed=1)

"""``docs/layers.md`` lists what the installed Kerases have, and says what the rules really do."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pruning.analysis.graph import Traced, trace
from pruning.analysis.groups import make_groups
from pruning.analysis.layer_rules import UNKNOWN, rule_for
from pruning.frameworks._base import framework
from tests.models import FAMILIES, keras_of

ROOT = Path(__file__).resolve().parents[2]


def _table() -> ModuleType:
    spec = importlib.util.spec_from_file_location("layer_table", ROOT / "docs" / "layers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = _table()
# What layers are made with, where nothing will not do. A function gets the module of layers.
ARGUMENTS: dict[str, Any] = {
    "Bidirectional": lambda layers: {"layer": layers.LSTM(4)},
    "CategoryEncoding": lambda layers: {"num_tokens": 6},
    "CenterCrop": lambda layers: {"height": 4, "width": 4},
    "Discretization": lambda layers: {"bin_boundaries": [0.0]},
    "Dot": lambda layers: {"axes": 1},
    "Embedding": lambda layers: {"input_dim": 9, "output_dim": 4},
    "EinsumDense": lambda layers: {"equation": "...x,xy->...y", "output_shape": (4,)},
    "GroupNormalization": lambda layers: {"groups": 3},
    "GroupedQueryAttention": lambda layers: {
        "head_dim": 2,
        "num_query_heads": 6,
        "num_key_value_heads": 3,
    },
    "HashedCrossing": lambda layers: {"num_bins": 4},
    "Hashing": lambda layers: {"num_bins": 4},
    "MultiHeadAttention": lambda layers: {"num_heads": 3, "key_dim": 2},
    "Normalization": lambda layers: {"mean": 0.1, "variance": 2.0},
    "PReLU": lambda layers: {},
    "RNN": lambda layers: {"cell": layers.LSTMCell(4)},
    "RandomFourierFeatures": lambda layers: {"output_dim": 4},
    "RepeatVector": lambda layers: {"n": 2},
    "Rescaling": lambda layers: {"scale": 0.5},
    "Reshape": lambda layers: {"target_shape": (-1, 6)},
    "Resizing": lambda layers: {"height": 4, "width": 4},
    "ReversibleEmbedding": lambda layers: {"input_dim": 9, "output_dim": 4},
    "SpectralNormalization": lambda layers: {"layer": layers.Dense(4)},
    "TimeDistributed": lambda layers: {"layer": layers.Dense(4)},
}
BY_PREFIX: dict[str, dict[str, Any]] = {
    "Adaptive": {"output_size": 2},
    "ConvLSTM": {"filters": 4, "kernel_size": 2},
    "Conv": {"filters": 4, "kernel_size": 2},
    "DepthwiseConv": {"kernel_size": 2},
    "LocallyConnected": {"filters": 4, "kernel_size": 2},
    "SeparableConv": {"filters": 4, "kernel_size": 2},
    "Dense": {"units": 4},
    "LSTM": {"units": 4},
    "GRU": {"units": 4},
    "SimpleRNN": {"units": 4},
    "Permute": {"dims": (1,)},
    "GaussianDropout": {"rate": 0.1},
    "GaussianNoise": {"stddev": 0.1},
    "AlphaDropout": {"rate": 0.1},
    "Dropout": {"rate": 0.1},
    "SpatialDropout": {"rate": 0.1},
    "Activation": {"activation": "relu"},
    "AveragePooling": {"pool_size": 2},
    "RandomCrop": {"height": 4, "width": 4},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
    "RandomPosterization": {"factor": 4},
    "Random": {"factor": 0.1},
}
TWO_INPUTS = (
    *("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"),
    "AdditiveAttention",
)
COLOURS = 3  # what layers that work on colours want; nothing else minds
SHAPES: dict[str, tuple[int, ...]] = {"": (6,), "1D": (5, 6), "2D": (6, 6, 6), "3D": (4, 4, 4, 6)}
# Not made here: abstract, foreign, wanting text or tables, broken in this version, or no layer of
# its own in a graph.
NOT_MADE = {
    *("AbstractRNNCell", "DenseFeatures", "DynamicEmbedding", "DynamicLookup", "FlaxLayer"),
    *("InputLayer", "JaxLayer", "Lambda", "Layer", "MaxNumBoundingBoxes", "Pipeline"),
    *("PreprocessingLayer", "TFSMLayer", "TorchModuleWrapper", "Wrapper", "StackedRNNCells"),
    *("GRUCell", "LSTMCell", "SimpleRNNCell", "StringLookup", "IntegerLookup"),
    *("TextVectorization", "MelSpectrogram", "STFTSpectrogram"),
    *("Hashing", "HashedCrossing", "CategoryEncoding", "Equalization"),
}
NOT_MADE_IN = {"keras3": set(), "tf_keras": {"SpectralNormalization"}}


def _options(name: str, layers: Any) -> list[dict[str, Any]]:
    if name in ARGUMENTS:
        return [ARGUMENTS[name](layers)]
    found = [options for prefix, options in BY_PREFIX.items() if name.startswith(prefix)]
    return [{}, *found]


def _shapes(name: str) -> list[tuple[int, ...]]:
    """Shapes to try: of that many positions where the name says so, images for image layers."""
    if "ConvLSTM" in name:
        return [(3, *SHAPES[name[-2:]])]
    positions = name.removesuffix("Transpose")[-2:]
    if positions in SHAPES:
        return [SHAPES[positions]]
    if name == "Dot":
        return [SHAPES["1D"]]
    if name in ("Resizing", "CenterCrop") or name.startswith("Random"):
        return [SHAPES["2D"], SHAPES[""]]
    return list(SHAPES.values())


def _traced(name: str, cls: Any, family: str) -> tuple[Traced, Any]:
    """A layer between a dense layer and another, on the first shape that it takes."""
    keras = keras_of(family)
    problems = []
    for shape in _shapes(name):
        for options in _options(name, keras.layers):
            try:
                layer = cls(**options)
                i = keras.Input(shape)
                if "Embedding" in name:
                    x = layer(i)
                else:
                    width = COLOURS if "Random" in name else 6
                    x = keras.layers.Dense(width, name="maker")(i)
                    y = keras.layers.Dense(width, name="second")(i)
                    if "QueryAttention" in name or name == "MultiHeadAttention":
                        x = layer(x, y)
                    elif name == "Attention":  # its key is not its value, which would be summed up
                        x = layer([y, x, y])
                    elif name == "Dot":  # two widths that both come out would both stay
                        x = layer([i, x])
                    else:
                        x = layer([x, y]) if name in TWO_INPUTS else layer(x)
                out = keras.layers.Dense(2, name="reader")(x)
            except Exception as error:  # the wrong shape or arguments: the next ones
                problems.append(f"{shape} {options}: {str(error)[:80]}")
                continue
            door = framework(family)
            return trace(door, door.flat(keras.Model(i, out)), 128), layer
    raise AssertionError(f"{name} could not be made: {problems}")


def _cases() -> list[tuple[str, str]]:
    modules = {"keras3": "keras", "tf_keras": "tf_keras"}
    return [
        (family, name)
        for family in FAMILIES
        for name in sorted(TABLE.exported(modules[family]))
        if name not in NOT_MADE | NOT_MADE_IN[family]
    ]


def test_the_page_is_what_the_rules_and_the_installed_kerases_give() -> None:
    assert TABLE.PAGE.read_text() == TABLE.page(), "run: python docs/layers.py"


def test_every_exported_class_has_a_rule() -> None:
    unknown = [name for name, *_ in TABLE.rows() if TABLE.rule_of(name) is UNKNOWN]
    assert not unknown, f"no rule says what these do to channels: {unknown}"


@pytest.mark.parametrize(("family", "name"), _cases())
def test_what_the_table_says_is_what_happens(family: str, name: str) -> None:
    module = {"keras3": "keras", "tf_keras": "tf_keras"}[family]
    traced, layer = _traced(name, TABLE.exported(module)[name], family)
    record = traced.layers[id(layer)]
    groups = make_groups(traced)
    can_shrink = {group.id for group in groups.groups if group.can_shrink}
    effect = rule_for(layer).effect
    if effect == "cut":
        held = [a for axes in record.weights.values() for a in axes.axes.values()]
        if name != "UnitNormalization":  # has no weights
            assert held
        touched = {g for atoms in held for g in groups.ids(atoms)}
        assert touched & can_shrink or name == "UnitNormalization"
    elif effect == "passed":
        assert "maker" in can_shrink, [g.reason for g in groups.groups]
        assert not record.weights
    else:
        assert "maker" not in can_shrink

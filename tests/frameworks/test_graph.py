"""Both Kerases: flat graphs, nodes in order, clones that equal their original."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from pruning.frameworks._base import framework, framework_of
from tests import models

EVERY = [(name, family) for family in models.FAMILIES for name in models.NAMES]

# .h5 takes other code paths for these than for the rest; Keras 3 cannot read operations from it.
IN_H5 = {"vgg", "squeeze_excite", "many_inputs_outputs", "lstm", "gru", "shared_model"}


@pytest.mark.parametrize(("name", "family"), EVERY)
def test_flat_graph_clone_and_file_equal_the_original(
    name: str, family: str, tmp_path: Any
) -> None:
    keras = framework(family)
    model = models.build(name, family)
    inputs = models.samples(model)
    expected = models.outputs(model, inputs)

    def assert_same(other: Any) -> None:
        for a, b in zip(expected, models.outputs(other, inputs), strict=True):
            np.testing.assert_array_equal(a, b)

    names = [layer.name for layer in keras.layers(model)]
    configs = [str(layer.get_config()) for layer in keras.layers(model)]

    flat = keras.flat(model)
    assert_same(flat)
    assert not any(isinstance(layer, keras.keras.Model) for layer in flat.layers)
    assert {id(w) for w in flat.weights} == {id(w) for w in model.weights}

    seen = {id(tensor) for tensor in flat.inputs}
    for node in keras.nodes(flat):
        assert {id(tensor) for tensor in node.inputs} <= seen
        seen.update(id(tensor) for tensor in node.outputs)
    assert {id(tensor) for tensor in flat.outputs} <= seen

    paths = [keras.path_of(flat, layer) for layer in keras.layers(model)]
    assert max(Counter(paths).values()) == 1
    assert [path.split("/")[-1] for path in paths] == names

    clone = keras.clone(model, lambda layer: layer.get_config())
    assert {id(w) for w in clone.weights}.isdisjoint({id(w) for w in model.weights})
    assert [w.shape for w in clone.get_weights()] == [w.shape for w in model.get_weights()]
    clone.set_weights(model.get_weights())
    assert_same(clone)
    assert sorted(str(layer.get_config()) for layer in keras.layers(clone)) == sorted(configs)
    assert [keras.path_of(keras.flat(clone), layer) for layer in keras.layers(clone)] == paths

    assert [str(layer.get_config()) for layer in keras.layers(model)] == configs
    for suffix in (".keras", ".h5"):
        if suffix == ".h5" and name not in IN_H5:
            continue
        keras.save(clone, tmp_path / f"model{suffix}")
        loaded = keras.load(tmp_path / f"model{suffix}")
        assert framework_of(loaded).family == family
        assert_same(loaded)


@pytest.mark.parametrize("first", ["own", "nested"])
def test_paths_stay_apart_where_names_hold_slashes(first: str) -> None:
    """tf_keras allows ``block/conv`` beside ``conv`` in a nested model called ``block``.

    Whichever is called first: ``get_layer("block/conv")`` finds the outer model's own.
    """
    keras = models.keras_of("tf_keras")
    j = keras.Input((6, 6, 3), name="inner_image")
    block = keras.Model(j, keras.layers.Conv2D(3, 1, name="conv")(j), name="block")
    i = keras.Input((6, 6, 3), name="image")
    own = keras.layers.Conv2D(3, 1, name="block/conv")
    model = keras.Model(i, block(own(i)) if first == "own" else own(block(i)))
    door = framework("tf_keras")
    flat = door.flat(model)
    paths = {id(layer): door.path_of(flat, layer) for layer in door.layers(model)}
    assert paths[id(own)] == "block/conv"
    assert paths[id(block.get_layer("conv"))] == "block/conv_1"

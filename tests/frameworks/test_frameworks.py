"""What is particular: edited clones, wrappers, unusual nesting, constraints, saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning.errors import ModelFileError
from pruning.frameworks._base import framework, framework_of
from pruning.frameworks._rebuild import without_build
from tests import models

both = pytest.mark.parametrize("family", models.FAMILIES)


def copy(model: Any) -> Any:
    keras = framework_of(model)
    clone = keras.clone(model, lambda layer: layer.get_config())
    clone.set_weights(model.get_weights())
    return clone


def assert_same(left: Any, right: Any) -> None:
    inputs = models.samples(left)
    pairs = zip(models.outputs(left, inputs), models.outputs(right, inputs), strict=True)
    for expected, actual in pairs:
        np.testing.assert_array_equal(expected, actual)


@both
def test_a_loaded_model_is_cloned_with_fewer_channels(family: str, tmp_path: Path) -> None:
    """The stored build_config of a loaded file must not bring the old widths back."""
    keras = framework(family)
    models.build("nested_functional", family).save(tmp_path / "model.keras")
    model = keras.load(tmp_path / "model.keras")
    flat = keras.flat(model)

    def narrow(layer: Any) -> dict[str, Any]:
        config: dict[str, Any] = layer.get_config()
        if keras.path_of(flat, layer).startswith("backbone/deepest/conv"):
            config["filters"] = 2
        return config

    clone = keras.clone(model, narrow)
    narrowed = keras.flat(clone)
    shapes = {
        keras.path_of(narrowed, layer): [w.shape for w in layer.get_weights()]
        for layer in keras.layers(clone)
    }
    assert shapes["backbone/deepest/conv1"] == [(3, 3, 3, 2), (2,)]
    assert shapes["backbone/deepest/conv2"] == [(3, 3, 2, 2), (2,)]
    assert shapes["backbone/deepest/bn"] == [(2,)] * 4
    assert shapes["backbone/tail/conv1"] == [(3, 3, 2, 6), (6,)]
    keras.save(clone, tmp_path / "cut.keras")
    assert_same(clone, keras.keras.models.load_model(tmp_path / "cut.keras"))
    backbone = keras.load(tmp_path / "cut.keras").get_layer("backbone")
    assert isinstance(backbone.get_layer("tail"), keras.keras.Sequential)
    assert backbone.get_layer("deepest").inputs[0].shape == (None, 8, 8, 3)
    assert keras.shape(backbone.get_layer("tail").inputs[0]) == (None, 8, 8, 2)


@both
def test_wrapped_layers_are_cloned_with_fewer_units(family: str, tmp_path: Path) -> None:
    keras = framework(family)
    models.build("time_distributed", family).save(tmp_path / "model.keras")
    model = keras.load(tmp_path / "model.keras")

    def narrow(layer: Any) -> dict[str, Any]:
        config: dict[str, Any] = layer.get_config()
        if layer.name == "both":
            for key in ("layer", "backward_layer"):
                if config.get(key):
                    config[key]["config"]["units"] = 2
        if layer.name == "frame_hidden":
            config["layer"]["config"]["units"] = 4
        return config

    clone = keras.clone(model, narrow)
    assert [w.shape for w in clone.get_layer("both").get_weights()][::3] == [(4, 6), (4, 6)]
    assert [w.shape for w in clone.get_layer("frame_hidden").get_weights()] == [(4, 4), (4,)]
    assert clone.output_shape == (None, 6, 4)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_layers_of_tf_keras_own_applications_are_loaded(suffix: str, tmp_path: Path) -> None:
    """tf_keras 2.21 cannot load its own ConvNeXt: it forgets where LayerScale comes from."""
    import tf_keras
    from tf_keras.src.applications.convnext import LayerScale, StochasticDepth

    i = tf_keras.Input((4,), name="facts")
    x = tf_keras.layers.Dense(5, name="dense")(i)
    x = StochasticDepth(0.1, name="drop")(LayerScale(0.5, 5, name="scale")(x))
    model = tf_keras.Model(i, tf_keras.layers.Dense(2, name="out")(x))
    models.randomize(model)
    path = tmp_path / f"model{suffix}"
    model.save(path)
    with pytest.raises((TypeError, ValueError)):
        tf_keras.models.load_model(path)
    assert_same(model, framework("tf_keras").load(path))


def test_build_configs_are_removed_at_any_depth() -> None:
    inner = {"class_name": "GRU", "config": {"units": 2}, "build_config": {"input_shape": [1]}}
    config = {"layer": inner, "cells": [inner, 3], "build_config": None}
    plain = {"class_name": "GRU", "config": {"units": 2}}
    assert without_build(config) == {"layer": plain, "cells": [plain, 3]}
    assert "build_config" in inner


@both
def test_a_clone_draws_no_kernels_and_keeps_its_initializers(family: str) -> None:
    model = models.build("attention", family)
    door = framework_of(model)
    clone = door.clone(model, lambda layer: layer.get_config())
    assert clone.get_config() == model.get_config()
    kernels = [w for w in clone.weights if "kernel" in w.name]
    assert kernels
    assert not any(np.any(np.asarray(kernel)) for kernel in kernels if len(kernel.shape) == 2)


@both
def test_a_layer_called_twice_has_two_nodes_and_one_path(family: str) -> None:
    keras = framework(family)
    for name, path in (("shared_layer", "shared"), ("shared_model", "encoder/conv1")):
        flat = keras.flat(models.build(name, family))
        calls = [n for n in keras.nodes(flat) if keras.path_of(flat, n.layer) == path]
        assert len(calls) == 2
        assert calls[0].layer is calls[1].layer
        assert calls[0].inputs[0] is not calls[1].inputs[0]


@both
def test_nodes_keep_arguments(family: str) -> None:
    keras = framework(family)
    nodes = keras.nodes(keras.flat(models.build("operators", family)))
    scaled = next(n for n in nodes if 0.5 in n.args[1:])
    assert keras.shape(scaled.outputs[0]) == (None, 8, 8, 4)
    assert len(scaled.inputs) == 1
    sliced = next(n for n in nodes if len(n.args) == 2 and isinstance(n.args[1], tuple))
    assert len(sliced.args[1]) == 4
    assert keras.shape(sliced.outputs[0]) == (None, 6, 4, 4)
    concatenated = next(
        n
        for n in keras.nodes(keras.flat(models.build("concat_dense", family)))
        if n.layer.name == "concat1"
    )
    assert [keras.shape(t)[-1] for t in concatenated.inputs] == [4, 3]


@both
def test_masks_are_not_among_the_nodes(family: str) -> None:
    keras = framework(family)
    nodes = keras.nodes(keras.flat(models.build("bidirectional", family)))
    names = ["tokens", "embedding", "both_lstm", "both_gru", "score"]
    assert [node.layer.name for node in nodes] == names
    assert [len(node.inputs) for node in nodes] == [0, 1, 1, 1, 1]


@both
def test_a_nested_model_may_be_called_with_a_dict_and_frozen(family: str) -> None:
    keras = models.keras_of(family)
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    mixed = keras.layers.Concatenate()([keras.layers.Dense(4, name="dense")(a), b])
    inner = keras.Model({"b": b, "a": a}, keras.layers.BatchNormalization()(mixed), name="inner")
    x, y = keras.Input((2,), name="x"), keras.Input((3,), name="y")
    out = keras.layers.Dense(2)(inner({"a": y, "b": x}, training=False))
    model = keras.Model({"x": x, "y": y}, out)
    models.randomize(model)
    flat = framework(family).flat(model)
    assert_same(model, flat)
    assert_same(model, copy(model))
    assert framework(family).path_of(flat, inner.get_layer("dense")) == "inner/dense"


@both
def test_a_model_inside_time_distributed_stays_one_layer(family: str, tmp_path: Path) -> None:
    keras = models.keras_of(family)
    inner = models.build("plain", family)
    i = keras.Input((2, 8, 8, 3))
    model = keras.Model(i, keras.layers.TimeDistributed(inner, name="frames")(i))
    models.randomize(model)
    assert [layer.name for layer in framework(family).layers(model)][1:] == ["frames"]
    clone = copy(model)
    assert_same(model, clone)
    framework(family).save(clone, tmp_path / "model.keras")
    assert_same(model, framework(family).load(tmp_path / "model.keras"))


@both
def test_frozen_layers_stay_frozen_in_a_clone(family: str) -> None:
    model = models.build("nested_sequential", family)
    model.layers[0].trainable = False
    model.layers[1].layers[-1].trainable = False
    clone = copy(model)
    flags = [
        {layer.name: layer.trainable for layer in framework(family).layers(m) if layer.weights}
        for m in (model, clone)
    ]
    assert flags[0] == flags[1]
    assert flags[0] == {"bn": False, "conv1": True, "conv2": False, "logits": False}
    assert len(model.trainable_weights) == len(clone.trainable_weights) == 2


@both
def test_models_without_a_graph_are_refused(family: str) -> None:
    keras = models.keras_of(family)
    with pytest.raises(ModelFileError, match="no input shape"):
        framework(family).flat(keras.Sequential([keras.layers.Dense(2)], name="open"))

    class Net(keras.Model):
        pass

    with pytest.raises(ModelFileError, match="Python class 'Net'"):
        framework(family).flat(Net())


@both
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_trained_model_is_saved_without_its_optimizer(
    family: str, suffix: str, tmp_path: Path
) -> None:
    keras = framework(family)
    model = models.build("plain", family)
    keras.save(model, tmp_path / f"before{suffix}")
    model.compile("adam", "mse")
    model.fit(models.samples(model)[0], np.zeros((4, 3)), verbose=0)
    keras.save(model, tmp_path / f"after{suffix}")
    before, after = [(tmp_path / f"{n}{suffix}").stat().st_size for n in ("before", "after")]
    assert after == before
    assert model.optimizer is not None
    loaded = keras.keras.models.load_model(tmp_path / f"after{suffix}")
    assert getattr(loaded, "optimizer", None) is None
    assert_same(model, loaded)


@both
def test_nested_models_with_the_same_layer_names_are_saved_as_h5(
    family: str, tmp_path: Path
) -> None:
    keras = framework(family)
    model = models.build("nested_functional", family)
    keras.save(model, tmp_path / "model.h5")
    assert_same(model, keras.keras.models.load_model(tmp_path / "model.h5", compile=False))


@both
def test_twins_in_a_nested_model_are_saved_as_h5(family: str, tmp_path: Path) -> None:
    """Both twins name their weights ``dense/kernel``, which plain Keras cannot write."""
    keras, door = models.keras_of(family), framework(family)

    def twin(name: str) -> Any:
        given = keras.Input((4,))
        return keras.Model(given, keras.layers.Dense(4, name="dense")(given), name=name)

    given, whole = keras.Input((4,)), keras.Input((4,), name="features")
    both_twins = keras.Model(given, twin("left")(twin("right")(given)), name="twins")
    model = keras.Model(whole, keras.layers.Dense(2, name="logits")(both_twins(whole)))
    models.randomize(model)
    with pytest.raises(ValueError, match="already exists"):
        model.save(str(tmp_path / "plain.h5"))
    for name in ("once.h5", "again.h5"):
        door.save(model, tmp_path / name)
        assert_same(model, door.keras.models.load_model(tmp_path / name, compile=False))


@both
def test_a_constraint_is_added_to_the_users_own_and_replaced(family: str) -> None:
    keras = models.keras_of(family)
    norm = keras.constraints.NonNeg()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_constraint=norm)])
    kernel = model.layers[-1].kernel
    door = framework(family)
    eye = np.eye(3, 2, dtype="float32")
    for mask in (eye, 1 - eye):
        door.set_constraint(kernel, lambda w, mask=mask: w * mask)
        value = kernel.constraint(np.full((3, 2), 2.0, "float32"))
        np.testing.assert_array_equal(np.asarray(value), 2 * mask)
        value = kernel.constraint(np.full((3, 2), -2.0, "float32"))
        np.testing.assert_array_equal(np.asarray(value), 0 * mask)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(np.ones((8, 3), "float32"), np.ones((8, 2), "float32"), verbose=0)
    trained = model.layers[-1].get_weights()[0]
    assert (trained[[0, 1], [0, 1]] == 0).all()
    assert (trained >= 0).all()
    door.set_constraint(kernel, None)
    assert kernel.constraint is norm


def test_the_family_is_told_by_the_model() -> None:
    for family in models.FAMILIES:
        keras = models.keras_of(family)
        for name in ("vgg", "plain"):
            assert framework_of(models.build(name, family)).family == family

        class Net(keras.Model):
            pass

        assert framework_of(Net()).family == family
    with pytest.raises(ValueError, match="unknown family 'torch'"):
        framework("torch")


@both
def test_a_network_of_keras_applications(family: str) -> None:
    keras = models.keras_of(family)
    model = keras.applications.MobileNetV2(weights=None, input_shape=(32, 32, 3), classes=4)
    models.randomize(model)
    wrapped = keras.Sequential([keras.Input((32, 32, 3)), model])
    flat = framework(family).flat(wrapped)
    assert len(framework(family).nodes(flat)) == len(model.layers)
    assert_same(wrapped, flat)
    assert_same(wrapped, copy(wrapped))

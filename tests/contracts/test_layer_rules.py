"""What holds for every layer rule, a new one included the moment its file exists.

That each rule that cuts is cut in a topology is in ``tests/surgery/test_channels.py``, which has
them all at hand.
"""

from __future__ import annotations

import subprocess
import sys
from inspect import getmembers, isclass

import pytest

from pruning.analysis.layer_rules import key_of, rule_for, rules
from tests.models import FAMILIES, keras_of

RULES = list({id(rule): rule for rule in rules().values()}.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_frozen_rule_has_a_reason_and_the_others_none(rule) -> None:
    assert (rule.reason is not None) == (rule.effect == "frozen")
    assert rule.covers
    if rule.reason:
        assert rule.reason[0].isupper()
        assert rule.reason.endswith(".")


@pytest.mark.parametrize("name", [name for name in rules() if "." not in name])
def test_what_is_covered_exists_in_a_keras(name: str) -> None:
    modules = [keras_of(family).layers for family in FAMILIES]
    experimental = keras_of("tf_keras").layers.experimental
    modules += [experimental, experimental.preprocessing]
    # Some classes are exported under another name, or belong to keras.applications.
    names = {cls.__name__ for module in modules for _, cls in getmembers(module, isclass)}
    names |= {"LayerScale", "CustomScaleLayer", "StochasticDepth"}
    assert name in names or any(hasattr(module, name) for module in modules)


@pytest.mark.parametrize("name", [name for name in rules() if name.startswith("ops.")])
def test_covered_operations_exist_in_keras_3(name: str) -> None:
    import keras
    from keras.src import ops

    modules = (ops.numpy, ops.nn, ops.core, ops.math, ops.image, ops.linalg)
    assert keras.__version__
    assert any(hasattr(module, name.removeprefix("ops.")) for module in modules)


def test_layers_and_operations_of_one_name_are_told_apart() -> None:
    import keras
    from keras.src.ops.numpy import Average

    assert key_of(keras.layers.Average()) == "Average"
    assert key_of(Average()) == "ops.Average"
    assert rule_for(keras.layers.Average()).name == "merge"
    assert rule_for(Average()).name == "weighted mean"


def test_rules_import_no_keras() -> None:
    code = (
        "import sys; from pruning.analysis.layer_rules import rules; rules();"
        "assert not {'tensorflow', 'keras', 'tf_keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

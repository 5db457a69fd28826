"""Models with several inputs are run, and timed on LiteRT, with each array at its input."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pruning.comparison import evaluate as evaluating
from pruning.comparison.evaluate import evaluate, predict
from pruning.comparison.litert import Interpreter, convert
from pruning.errors import MismatchError
from pruning.frameworks._base import framework
from pruning.intake.modalities._base import ModelInput
from pruning.intake.prepare import prepare
from tests import several_inputs
from tests.models import FAMILIES, keras_of
from tests.several_inputs import FORMS


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_predictions_are_the_models(
    monkeypatch: pytest.MonkeyPatch, family: str, form: str, graph: bool
) -> None:
    model = several_inputs.reader(family, form)
    given = several_inputs.values(70)
    inputs = [
        given[str(tensor.name).split(":")[0]].astype(_dtype(tensor)) for tensor in model.inputs
    ]
    monkeypatch.setattr(evaluating, "FEW", 0 if graph else 100)
    told: list[dict[str, Any]] = []
    found = predict(model, inputs, report=told.append)
    np.testing.assert_allclose(found, several_inputs.answers(model, given), atol=1e-6)
    assert told == [{"done": 70, "total": 70}]


def test_inputs_are_checked_one_by_one() -> None:
    model = several_inputs.reader("keras3", "list")
    tokens, mask, facts = (several_inputs.values(4)[name] for name in several_inputs.INPUTS)
    with pytest.raises(MismatchError, match="has 3 inputs") as caught:
        predict(model, [tokens, mask])
    assert "The 2 inputs that the data is for" in caught.value.expected
    with pytest.raises(MismatchError, match=r"shape \(2,\), the model reads \(3,\)"):
        predict(model, [tokens, mask, facts[:, :2]])


def test_inputs_in_another_order_are_not_swapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNING_STUDIO_HOME", str(tmp_path / "home"))
    model = several_inputs.reader("keras3", "dict")
    _, data, _ = several_inputs.write(tmp_path, model, "keras3")
    others = (ModelInput((5,), name="mask"), ModelInput((3,), name="facts"))
    tokens = ModelInput((5,), "int32", outputs=(2,), name="tokens", others=others)
    dataset = prepare(data, model_input=tokens)
    with pytest.raises(MismatchError, match="reads facts, mask, tokens; the data is in the order"):
        evaluate(model, framework("keras3"), dataset)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("family", FAMILIES)
def test_litert_is_fed_in_the_models_order(family: str, form: str) -> None:
    """Twelve inputs of one shape: sorted as words their numbers would be in another order."""
    keras = keras_of(family)
    names = [f"in{(7 * place) % 12}" for place in range(12)]
    inputs = [keras.Input((1,), name=name) for name in names]
    joined = keras.layers.Concatenate(name="joined")(inputs)
    model = keras.Model(inputs if form == "list" else dict(zip(names, inputs, strict=True)), joined)
    values = {name: np.full((1, 1), 100 + place, np.float32) for place, name in enumerate(names)}
    interpreter = Interpreter(convert(model, [(1,)] * 12))
    interpreter.feed([values[str(tensor.name).split(":")[0]] for tensor in model.inputs])
    interpreter.invoke()
    assert interpreter.outputs()[0].tolist() == [[100 + place for place in range(12)]]


def _dtype(tensor: Any) -> str:
    return "int32" if "int" in str(tensor.dtype) else "float32"

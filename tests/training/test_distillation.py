"""Distillation in both Kerases: the loss is the formula's, and the metric that of the labels."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.frameworks._base import framework
from pruning.training import retrain
from pruning.training.distillation import as_answers, distilling, probabilities, side_by_side
from pruning.training.objective import fitted_targets, objective
from tests.training.toy import dense_model, plan_for, separable

pytestmark = pytest.mark.parametrize("family", ["keras3", "tf_keras"])

CASES = [
    ("classification", 3, "softmax"),
    ("classification", 3, "linear"),
    ("classification", 1, "sigmoid"),
    ("multilabel", 3, "sigmoid"),
    ("multilabel", 3, "linear"),
    ("regression", 2, "linear"),
]


def labels_of(task, outputs, rng):
    if task == "regression":
        return rng.normal(size=(5, outputs)).astype("float32")
    if task == "multilabel":
        return rng.integers(0, 2, (5, outputs)).astype("float32")
    if outputs == 1:
        return rng.integers(0, 2, (5, 1)).astype("float32")
    return rng.integers(0, outputs, 5)


def by_hand(task, logits, y, answers, p):
    """Loss of five samples against labels and against answers, and the metric of the labels."""
    if task == "regression":
        return ((p - y) ** 2).mean(), ((p - answers) ** 2).mean(), np.abs(p - y).mean()
    if y.ndim == 1:
        q, t = probabilities_by_hand(p, logits), probabilities_by_hand(answers, logits)
        own = -np.log(q[np.arange(5), y]).mean()
        return own, -(t * np.log(q)).sum(1).mean(), (p.argmax(1) == y).mean()
    q = 1 / (1 + np.exp(-p)) if logits else p
    t = 1 / (1 + np.exp(-answers)) if logits else answers
    cross = [-(a * np.log(q) + (1 - a) * np.log(1 - q)).mean() for a in (y, t)]
    return (*cross, ((q > 0.5) == y).mean())


def probabilities_by_hand(values, logits):
    return np.exp(values) / np.exp(values).sum(1, keepdims=True) if logits else values


@pytest.mark.parametrize(("task", "outputs", "activation"), CASES)
def test_the_loss_is_the_formulas(family, task, outputs, activation):
    rng = np.random.default_rng(0)
    model = dense_model(family, outputs, activation)
    target = objective(model, framework(family), task)
    x = rng.normal(size=(5, 8)).astype("float32")
    y, predicted = labels_of(task, outputs, rng), np.asarray(model(x))
    fitted = fitted_targets(y, predicted.ndim)
    answers = np.asarray(dense_model(family, outputs, activation, seed=1)(x))
    given = side_by_side(fitted, probabilities(answers, target))
    made = distilling(target, framework(family), 0.3, outputs)
    model.compile(loss=made.loss, metrics=made.metrics)
    found = model.evaluate(x, given, verbose=0)
    own, soft, metric = by_hand(task, target.from_logits, y, answers, predicted)
    assert found == pytest.approx([0.7 * own + 0.3 * soft, metric], rel=2e-5)
    # Labels in the place of answers: the loss without distillation, whatever the share.
    plain = side_by_side(fitted, as_answers(fitted, outputs, target))
    assert model.evaluate(x, plain, verbose=0)[0] == pytest.approx(own, rel=2e-5)


def test_answers_alone_bring_a_fresh_model_to_the_original(family, tmp_path):
    data = separable(tmp_path)
    original, model = dense_model(family), dense_model(family, seed=5)
    x = np.asarray(data.x("train"))
    answers = original.predict(x, verbose=0)
    before = np.abs(model.predict(x, verbose=0) - answers).mean()
    plan = plan_for(training={"epochs": 20, "distillation": 1.0})
    result = retrain(
        model,
        framework(family),
        data,
        plan,
        report=lambda line: None,
        should_stop=lambda: False,
        answers=answers,
    )
    after = np.abs(model.predict(x, verbose=0) - answers).mean()
    assert after < before / 5
    # Nothing was learned from the labels: the accuracy is about the untrained original's.
    own = float((answers.argmax(1) == np.asarray(data.y("train"))).mean())
    assert result.history[-1]["accuracy"] == pytest.approx(own, abs=0.1)
    assert result.history[-1]["val_loss"] > 0


def test_with_the_share_0_it_is_the_training_without_answers(family, tmp_path):
    data, weights = separable(tmp_path), []
    for answers in (None, np.full((400, 3), 1 / 3, "float32")):
        model = dense_model(family)
        retrain(
            model,
            framework(family),
            data,
            plan_for(),
            report=lambda line: None,
            should_stop=lambda: False,
            answers=answers,
        )
        weights.append(model.get_weights())
    for plain, distilled in zip(*weights, strict=True):
        np.testing.assert_allclose(plain, distilled, rtol=1e-4, atol=1e-6)

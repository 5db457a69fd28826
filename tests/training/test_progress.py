from typing import Any

import numpy as np
import pytest

from pruning.training.progress import Progress


class Model:
    """Weights that tell which epoch they are of."""

    stop_training = False
    weights = 0.0

    def get_weights(self) -> list[np.ndarray]:
        return [np.array(self.weights)]

    def set_weights(self, values: list[np.ndarray]) -> None:
        self.weights = float(values[0])


def train(epochs: list[dict[str, float]], patience: int) -> tuple[Progress, Model, list[Any]]:
    """Go through epochs of one step each, with what Keras tells at their ends."""
    model, lines = Model(), []
    progress = Progress(
        model, len(epochs), len(epochs), lambda step: 0.1, lines.append, lambda: False,
        patience=patience,
    )  # fmt: skip
    for epoch, logs in enumerate(epochs):
        progress.begin_epoch(epoch)
        progress.before_step()
        model.weights = float(epoch + 1)
        progress.after_step({"loss": logs["loss"]})
        progress.end_epoch(logs)
        if model.stop_training:
            break
    progress.restore_best()
    return progress, model, lines


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_an_epoch_whose_validation_is_no_number_is_not_the_best(broken: float) -> None:
    progress, model, lines = train(
        [
            {"loss": 0.5, "val_loss": 0.6},
            {"loss": 0.1, "val_loss": broken},
            {"loss": 0.4, "val_loss": 0.55},
        ],
        patience=5,
    )
    assert (progress.best_epoch, model.weights) == (3, 3.0)
    assert "val_loss" not in next(line for line in lines if line["loss"] == 0.1)


def test_without_validation_the_training_loss_tells_the_best() -> None:
    progress, model, _ = train([{"loss": 0.5}, {"loss": 0.2}, {"loss": 0.3}], patience=5)
    assert (progress.best_epoch, model.weights) == (2, 2.0)


def test_patience_counts_epochs_since_the_best() -> None:
    losses = [0.5, 0.4, 0.6, 0.6, 0.1]
    progress, model, _ = train([{"loss": 1.0, "val_loss": loss} for loss in losses], patience=2)
    assert progress.early
    assert (len(progress.history), progress.best_epoch, model.weights) == (4, 2, 2.0)

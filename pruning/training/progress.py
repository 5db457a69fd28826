"""What happens around every step of a training: progress, stopping, masks, the best epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pruning.errors import Cancelled, PlanError
from pruning.training.checkpoints import Checkpoints
from pruning.training.zeroing import Zeroing

_REPORT_EVERY = 0.2  # seconds between two lines: five a second draw a smooth curve


@dataclass
class Progress:
    """Hooks of one training, handed to Keras by :meth:`callback`.

    Attributes:
        model: The model that is fitted.
        epochs, steps: In the whole training.
        step, done_epochs: What was trained before, when this is a later part of a training.
        rate_of: The learning rate of each step, numbered from 0.
        report: Receives metric lines.
        should_stop: Asked after every batch.
        zeroing: What sets weights to zero, when anything does.
        checkpoints: Where weights are kept after each epoch.
        patience: Epochs without a better validation loss; ``None`` never stops early.
        history: One line for each finished epoch.
    """

    model: Any
    epochs: int
    steps: int
    rate_of: Callable[[int], float]
    report: Callable[[dict[str, Any]], None]
    should_stop: Callable[[], bool]
    zeroing: Zeroing | None = None
    checkpoints: Checkpoints | None = None
    patience: int | None = None
    step: int = 0
    done_epochs: int = 0
    epoch: int = 0
    early: bool = False
    best_epoch: int | None = None
    history: list[dict[str, Any]] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    _best: float = math.inf
    _best_weights: list[np.ndarray] | None = None
    _began: float = 0.0
    _reported: float = 0.0

    def callback(self, keras: Any) -> Any:
        """The hooks as a callback of that Keras."""
        return keras.callbacks.LambdaCallback(
            on_train_batch_begin=lambda batch, logs=None: self.before_step(),
            on_train_batch_end=lambda batch, logs=None: self.after_step(logs or {}),
            on_test_batch_end=lambda batch, logs=None: self.check_stop(),
            on_epoch_begin=lambda epoch, logs=None: self.begin_epoch(epoch),
            on_epoch_end=lambda epoch, logs=None: self.end_epoch(logs or {}),
        )

    def begin_epoch(self, epoch: int) -> None:
        """``epoch`` counts from 0."""
        self.epoch = self.done_epochs + epoch + 1

    def before_step(self) -> None:
        """Compute masks when the schedule says so, then start the clock."""
        if self.zeroing is not None:
            self.zeroing.before_step(self.step + 1)
        self._began = time.perf_counter()

    def after_step(self, logs: Mapping[str, Any]) -> None:
        """Stop the clock, report, and leave when asked to.

        Raises:
            Cancelled: The user cancelled.
            PlanError: The loss is no longer a number.
        """
        now = time.perf_counter()
        self.step += 1
        self.durations.append(now - self._began)
        if self.zeroing is not None:
            self.zeroing.after_step(self.step)
        self.check_stop()
        if now - self._reported >= _REPORT_EVERY:
            self._reported = now
            self.report(self._line(self._numbers(logs)))

    def check_stop(self) -> None:
        """Raise :class:`Cancelled` when the user cancelled."""
        if self.should_stop():
            raise Cancelled

    def end_epoch(self, logs: Mapping[str, Any]) -> None:
        """Report the epoch with its validation, keep its weights, stop early when due."""
        line = self._line(self._numbers(logs))
        self.history.append(line)
        self.report(line)
        judged = _judged(line, logs)
        # Before the schedule has ended a model is less sparse than asked: it may not be the best.
        settled = self.zeroing is None or self.zeroing.settled(self.step)
        is_best = settled and judged < self._best
        if is_best:
            self._best, self.best_epoch = judged, self.epoch
            if self.patience is not None:
                self._best_weights = self.model.get_weights()
        if self.checkpoints is not None:
            self.checkpoints.save(self.model, best=is_best)
        if self.patience is not None and self.best_epoch is not None:
            self.early = self.epoch - self.best_epoch >= self.patience and self.epoch < self.epochs
            self.model.stop_training = self.early

    def restore_best(self) -> None:
        """With early stopping, go back to the weights of the best epoch."""
        if self._best_weights is not None:
            self.model.set_weights(self._best_weights)

    def step_seconds(self) -> float | None:
        """Median time of a step; the first two, of which one traces the model, left out."""
        timed = self.durations[2:] or self.durations
        return float(np.median(timed)) if timed else None

    def _line(self, numbers: dict[str, float]) -> dict[str, Any]:
        line: dict[str, Any] = {
            "t": time.time(),
            "epoch": self.epoch,
            "step": self.step,
            "steps": self.steps,
            **numbers,
            "learning_rate": self.rate_of(self.step - 1),
        }
        if self.zeroing is not None:
            line["sparsity"] = self.zeroing.sparsity
        if self.durations:
            line["step_ms"] = 1000 * float(np.median(self.durations[-25:]))
        return line

    def _numbers(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """Keras's means over the epoch so far, as floats."""
        numbers = {name: float(value) for name, value in logs.items()}
        if not math.isfinite(numbers.get("loss", 0.0)):
            raise PlanError(
                f"The training diverged: the loss is {numbers['loss']} at step {self.step}.",
                expected="A finite loss.",
                fix=f"Use a learning rate below {self.rate_of(0):g}, or check the data.",
            )
        return {name: value for name, value in numbers.items() if math.isfinite(value)}


def _judged(line: Mapping[str, Any], logs: Mapping[str, Any]) -> float:
    """The loss that tells a good epoch: of validation, or of training where nothing is validated.

    A validation loss that is not finite is not in the line. It is worse than any other.
    """
    if "val_loss" in logs:
        return float(line.get("val_loss", math.inf))
    return float(line["loss"])

"""Retrain a model of either Keras in place: after a cut, or while its weights go to zero."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pruning.errors import Cancelled
from pruning.frameworks._base import Framework
from pruning.frameworks.memory import keep_memory
from pruning.frameworks.strided import sound_gradients
from pruning.intake.dataset import Dataset
from pruning.strategy.criteria import criterion
from pruning.strategy.plan import PruningPlan, Training
from pruning.strategy.schedules import StepSchedule, resolve
from pruning.strategy.weight_scores import MOVEMENT
from pruning.surgery.masks import Evidence, WeightMasks
from pruning.training.checkpoints import Checkpoints
from pruning.training.distillation import as_answers, probabilities, side_by_side
from pruning.training.features import Features
from pruning.training.first_step import early_first_step
from pruning.training.movement import Movement
from pruning.training.objective import objective
from pruning.training.progress import Progress
from pruning.training.readiness import Ready, graph_comes_first, made_ready
from pruning.training.reference import TfmotZeroing
from pruning.training.trainee import (
    compiled,
    labels,
    learning_rate,
    seed_everything,
    steps_of_epoch,
    training_batches,
)
from pruning.training.zeroing import MaskZeroing, Zeroing


@dataclass(frozen=True)
class Stretch:
    """A part of a training in which the model changes: retraining between cuts.

    Attributes:
        done, done_epochs: Steps and begun epochs before it.
        total: Steps of the whole training.
        steps: How many to train on, at the plan's learning rate and without validation; ``None``
            for the last stretch, which trains ``epochs`` as any training does.
        epochs: Of the last stretch.
    """

    done: int
    done_epochs: int
    total: int
    steps: int | None = None
    epochs: int = 1

    def of(self, training: Training) -> Training:
        """The settings of this part of a training."""
        if self.steps is None:
            return replace(training, epochs=self.epochs)
        seed = (training.seed + self.done) % 2**32  # other batches than the stretch before
        return replace(training, epochs=1, decay="none", patience=None, seed=seed)


@dataclass(frozen=True)
class TrainingResult:
    """What a training did.

    Attributes:
        epochs, steps: Finished ones.
        seconds: Wall time of the training, validation included.
        step_seconds: Median time of a training step; ``None`` without a step.
        history: The metric line at the end of each epoch.
        stopped: The user cancelled.
        early: Early stopping ended it.
        best_epoch: Epoch with the best validation loss at the final sparsity; with early stopping
            the model has its weights.
        masks: By kernel name, True = stays; empty for the method channels.
    """

    epochs: int
    steps: int
    seconds: float
    step_seconds: float | None
    history: tuple[dict[str, Any], ...]
    stopped: bool
    early: bool = False
    best_epoch: int | None = None
    masks: dict[str, np.ndarray] = field(default_factory=dict)


def retrain(
    model: Any,
    framework: Framework,
    dataset: Dataset,
    plan: PruningPlan,
    *,
    report: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
    masks: WeightMasks | None = None,
    evidence: Evidence | None = None,
    answers: np.ndarray | None = None,
    features: Features | None = None,
    checkpoints: Path | None = None,
    stretch: Stretch | None = None,
    ready: Ready | None = None,
) -> TrainingResult:
    """Train ``model`` in place as the plan says; masks leave exact zeros behind.

    With ``epochs`` 0 nothing is trained: the masks of the final sparsity are applied.

    Args:
        model: Keras model; of several outputs the one is trained that the labels are for.
        framework: The model's Keras.
        dataset: Prepared data; ``val`` may be empty.
        plan: Retraining settings; for the method weights also the ratios and the schedule.
        report: Receives a metric line at most five times a second, and at every epoch's end:
            ``t`` (Unix seconds), ``epoch`` and ``step`` from 1, ``steps`` in all, ``loss``,
            ``accuracy`` or ``mae`` (means over the epoch so far), ``val_…``, ``sparsity``,
            ``learning_rate``, ``step_ms``.
        should_stop: Asked after every batch, of validation too; True ends the training there.
        masks: Masks made for this model and plan, when the caller already has them.
        evidence: What the plan's criterion needs of the weights, gathered before.
        answers: The original's outputs for the training samples, (n, …, outputs): where they are
            given, the plan's share of the loss is taken from them.
        features: The original, whose values inside are matched, where the plan asks for it.
        checkpoints: Folder for ``last.weights.h5`` and ``best.weights.h5``.
        stretch: Train this part of the plan's training only (method channels).
        ready: This model, made ready for exactly this training: see ``graph_comes_first``.

    Raises:
        MismatchError: The data cannot be fed to the model.
        PlanError: The training diverged, TF-MOT does not accept a layer of the plan, or the
            criterion watches weights that are not trained.
    """
    keep_memory()
    training = stretch.of(plan.training) if stretch else plan.training
    if ready is None or not ready.holds:
        ready = None
        seed_everything(model, framework, training.seed)
    limit = stretch.steps if stretch else None
    steps = limit or training.epochs * steps_of_epoch(dataset, training)
    done = stretch.done if stretch else 0
    rate_of = _rate_of(framework.keras, training, steps)
    began = time.perf_counter() - (ready.seconds if ready else 0.0)
    movement = Movement() if _watches_movement(plan) else None
    if plan.method == "weights" and masks is None and plan.engine == "studio":
        masks = WeightMasks(model, framework, plan, movement or evidence)
    zeroing, trainee, callbacks = _zeroing(
        model, framework, plan, resolve(plan.schedule, steps), masks
    )
    plain = framework.with_output(trainee, dataset.manifest.output)
    whole = steps > 0 and stretch is None
    if ready is None and whole and graph_comes_first(plain, framework, plan):
        ready = made_ready(plain, framework, dataset, training)
    if ready is not None:
        trainee = ready.model
    elif steps:
        trainee = compiled(
            plain, framework, dataset, training, distil=answers is not None, features=features
        )
        if movement is not None and masks is not None:
            movement.watch(trainee, masks.kernels)
    progress = Progress(
        model=trainee,
        epochs=plan.training.epochs,
        steps=stretch.total if stretch else steps,
        step=done,
        done_epochs=stretch.done_epochs if stretch else 0,
        rate_of=lambda step: rate_of(step - done),
        report=report,
        should_stop=should_stop,
        zeroing=zeroing,
        checkpoints=Checkpoints(checkpoints) if checkpoints else None,
        patience=training.patience,
    )
    stopped = False
    try:
        if steps:
            callbacks.append(progress.callback(framework.keras))
            if plan.engine == "studio":  # first, for a callback after it may end the training
                callbacks = [*early_first_step(trainee, framework, plain), *callbacks]
            targets = _targets(plain, framework, dataset, answers)
            with sound_gradients(trainee, framework):
                _fit(trainee, dataset, training, targets, callbacks, limit)
            progress.restore_best()
    except Cancelled:
        stopped = True
    finally:
        final_masks = zeroing.finish() if zeroing is not None else {}
    return TrainingResult(
        epochs=len(progress.history),
        steps=progress.step - done,
        seconds=time.perf_counter() - began,
        step_seconds=progress.step_seconds(),
        history=tuple(progress.history),
        stopped=stopped,
        early=progress.early,
        best_epoch=progress.best_epoch,
        masks=final_masks,
    )


def _watches_movement(plan: PruningPlan) -> bool:
    return plan.method == "weights" and MOVEMENT in criterion(plan.criterion, "weights").needs


def _rate_of(keras: Any, training: Training, steps: int) -> Callable[[int], float]:
    """The same as numbers, by step from 0."""
    rate = learning_rate(keras, training, steps)
    return lambda step: float(rate(step) if callable(rate) else rate)


def _targets(
    model: Any, framework: Framework, dataset: Dataset, answers: np.ndarray | None
) -> dict[str, np.ndarray]:
    """What the loss reads of each split: labels, with the original's answers beside them."""
    splits = [name for name in ("train", "val") if dataset.manifest.counts.get(name, 0)]
    found = {split: labels(model, dataset, split) for split in splits}
    if answers is None:
        return found
    target = objective(model, framework, dataset.manifest.task)
    found["train"] = side_by_side(found["train"], probabilities(answers, target))
    if "val" in found:  # judged by its labels alone, as without distillation
        y = found["val"]
        found["val"] = side_by_side(y, as_answers(y, answers.shape[-1], target))
    return found


def _fit(
    model: Any,
    dataset: Dataset,
    training: Training,
    targets: dict[str, np.ndarray],
    callbacks: list[Any],
    limit: int | None,
) -> None:
    """Fit; with a ``limit`` on so many steps, without validation."""
    split = {n: training_batches(model, dataset, n, training, y) for n, y in targets.items()}
    model.fit(
        split["train"] if limit is None else split["train"].repeat().take(limit),
        epochs=training.epochs,
        validation_data=split.get("val") if limit is None else None,
        callbacks=callbacks,
        shuffle=False,  # the pipeline shuffles
        verbose=0,
    )


def _zeroing(
    model: Any,
    framework: Framework,
    plan: PruningPlan,
    schedule: StepSchedule,
    masks: WeightMasks | None,
) -> tuple[Zeroing | None, Any, list[Any]]:
    """What zeroes weights, the model to fit, and the callbacks that it needs."""
    if plan.method != "weights":
        return None, model, []
    # Without a step TF-MOT's wrappers never run; the studio's masks follow the same rule.
    if plan.engine == "tfmot" and plan.training.epochs:
        reference = TfmotZeroing(model, framework, plan, schedule)
        return reference, reference.trainee, reference.callbacks
    return MaskZeroing(masks or WeightMasks(model, framework, plan), schedule), model, []

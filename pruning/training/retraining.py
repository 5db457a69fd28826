"""Retrain a model of either Keras in place: after a cut, or while its weights go to zero."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pruning.errors import Cancelled, MismatchError
from pruning.frameworks._base import Framework
from pruning.frameworks.memory import keep_memory
from pruning.frameworks.names import require_graph_names
from pruning.frameworks.running import needs_compiler, nested
from pruning.intake.dataset import Dataset
from pruning.strategy.criteria import criterion
from pruning.strategy.plan import PruningPlan, Training
from pruning.strategy.schedules import StepSchedule, resolve
from pruning.strategy.weight_scores import MOVEMENT
from pruning.surgery.masks import Evidence, WeightMasks
from pruning.training.checkpoints import Checkpoints
from pruning.training.distillation import as_answers, distilling, probabilities, side_by_side
from pruning.training.features import Features, matching
from pruning.training.first_step import early_first_step
from pruning.training.movement import Movement
from pruning.training.objective import fitted_targets, objective
from pruning.training.pipeline import batches
from pruning.training.progress import Progress
from pruning.training.reference import TfmotZeroing
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

    Raises:
        MismatchError: The data cannot be fed to the model.
        PlanError: The training diverged, TF-MOT does not accept a layer of the plan, or the
            criterion watches weights that are not trained.
    """
    keep_memory()
    training = stretch.of(plan.training) if stretch else plan.training
    seed_everything(model, framework, training.seed)
    limit = stretch.steps if stretch else None
    steps = limit or training.epochs * steps_of_epoch(dataset, training)
    done = stretch.done if stretch else 0
    rate_of = _rate_of(framework.keras, training, steps)
    began = time.perf_counter()
    movement = Movement() if _watches_movement(plan) else None
    if plan.method == "weights" and masks is None and plan.engine == "studio":
        masks = WeightMasks(model, framework, plan, movement or evidence)
    zeroing, trainee, callbacks = _zeroing(
        model, framework, plan, resolve(plan.schedule, steps), masks
    )
    plain = framework.with_output(trainee, dataset.manifest.output)
    if steps:
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


def steps_of_epoch(dataset: Dataset, training: Training) -> int:
    """Batches in one epoch, the smaller last one included.

    Raises:
        MismatchError: There is nothing to train on, but epochs are asked for.
    """
    samples = dataset.manifest.counts.get("train", 0)
    if not samples and training.epochs:
        raise MismatchError(
            "The data has no training samples.",
            expected="At least one sample in the training split.",
            fix="Prepare the data with a training split, or set the epochs to 0.",
        )
    return -(-samples // training.batch_size)


def compiled(
    model: Any,
    framework: Framework,
    dataset: Dataset,
    training: Training,
    *,
    distil: bool = False,
    features: Features | None = None,
) -> Any:
    """Compile ``model`` for the data's task and return the model to fit.

    Of several outputs one is fitted: then it is a second model of the same layers.

    Args:
        model: Of that framework.
        framework: The model's Keras.
        dataset: What it is fitted to.
        training: The plan's settings.
        distil: It is fitted to labels and answers that lie side by side.
        features: Of ``model`` and the original, to match.

    Raises:
        PlanError: There are no features that could be matched.
        MismatchError: The data does not feed the model's inputs.
        ModelFileError: A layer has a name that Keras cannot train with.
    """
    keras = framework.keras
    if framework.family == "keras3":
        require_graph_names(framework.layers(model))
    feeds = len(dataset.manifest.input_arrays)
    if len(model.inputs) != feeds:
        raise MismatchError(
            f"The model has {len(model.inputs)} inputs, the data has arrays for {feeds}.",
            expected="An array for each input of the model.",
            fix="Set the epochs to 0 to prune without data, or prepare the data for this model.",
        )
    plain = framework.with_output(model, dataset.manifest.output)
    model = plain if features is None else matching(plain, features, dataset.manifest.output)
    target = objective(plain, framework, dataset.manifest.task)
    if distil:
        width = plain.outputs[0].shape[-1]
        target = distilling(target, framework, training.distillation, width)
    steps = training.epochs * steps_of_epoch(dataset, training)
    optimizer: dict[str, Callable[..., Any]] = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "sgd": partial(keras.optimizers.SGD, momentum=0.9),
        "rmsprop": keras.optimizers.RMSprop,
    }
    model.compile(
        optimizer=optimizer[training.optimizer](learning_rate=_rate(keras, training, steps)),
        loss=target.loss,
        metrics=target.metrics,
        # XLA would compile for seconds before the first step; some layers cannot do without.
        jit_compile=needs_compiler(plain),
    )
    # A step that makes the optimizer's variables itself is traced twice.
    model.optimizer.build(model.trainable_variables)
    return model


def _rate(keras: Any, training: Training, steps: int) -> Any:
    """The learning rate of every step: a number, or what Keras asks for one."""
    if training.decay == "none":
        return training.learning_rate
    return keras.optimizers.schedules.CosineDecay(training.learning_rate, max(1, steps))


def _rate_of(keras: Any, training: Training, steps: int) -> Callable[[int], float]:
    """The same as numbers, by step from 0."""
    rate = _rate(keras, training, steps)
    return lambda step: float(rate(step) if callable(rate) else rate)


def seed_everything(model: Any, framework: Framework, seed: int) -> None:
    """Seed Python, NumPy, TensorFlow, and the layers that drew a seed when they were made."""
    framework.keras.utils.set_random_seed(seed)
    states = [v for v in model.variables if v.name.split(":")[0].endswith("seed_generator_state")]
    for index, state in enumerate(states):
        state.assign(np.array([seed % 2**31, index]).astype("uint32"))


def training_batches(
    model: Any, dataset: Dataset, split: str, training: Training, y: np.ndarray
) -> Any:
    """Batches of one split as a model is trained on them; the training split is shuffled.

    Args:
        model: That is fitted.
        dataset: Prepared data.
        split: ``train`` or ``val``.
        training: The plan's settings.
        y: What the loss reads, a row a sample.
    """
    seed = training.seed if split == "train" else None
    inputs = dataset.inputs(split)
    return batches(inputs, y, training.batch_size, nested=partial(nested, model), seed=seed)


def labels(model: Any, dataset: Dataset, split: str) -> np.ndarray:
    """Labels of one split as the loss of ``model`` reads them. -> (n, …), of the output's rank."""
    return fitted_targets(dataset.y(split), len(model.outputs[0].shape))


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

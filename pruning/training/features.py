"""Matching features: a pruned model also learns what the original holds inside.

Behind a cut each channel that stayed still has its counterpart in the original. The loss gets

    weight · mean over places of  mean (a - b)² / mean b²

with *a* what the pruned model holds at a place, *b* what the original holds there in the channels
that stayed, the means over a batch's samples, positions and channels. These are the hints of
https://arxiv.org/abs/1412.6550 without their regressor: nothing has to be learned between the two.
The places are those that ``mean_activation`` looks at. The original runs beside the pruned model,
as it does when it predicts; its values inside would not fit into memory for all samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration import Place, places
from pruning.errors import PlanError

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

_SMALLEST = 1e-12  # a place that holds nothing but zeros has no scale


@dataclass(frozen=True, eq=False)
class Pair:
    """Where two models hold the same channels.

    Attributes:
        stayed: In the original, of the channels that stayed.
        pruned: In the pruned model.
    """

    stayed: Place
    pruned: Place


@dataclass(frozen=True, eq=False)
class Features:
    """What the loss is told of the original, and how much of it.

    Attributes:
        original, pruned: Analyses of both models.
        kept: Channels of the original that stayed, by group id; a missing group is whole.
        weight: Of the term in the loss.
    """

    original: Analysis
    pruned: Analysis
    kept: Mapping[str, np.ndarray]
    weight: float

    def pairs(self) -> list[Pair]:
        """All places where both models hold the same channels.

        Raises:
            PlanError: There is none.
        """
        theirs, ours = places(self.original), places(self.pruned)
        found = [
            Pair(self._stayed(group, before), after)
            for group in theirs
            for before, after in _same_makers(theirs[group], ours.get(group, []))
        ]
        found = [pair for pair in found if _alike(pair)]
        if not found:
            raise PlanError(
                "Features cannot be matched: no tensor of the model holds channels that can be "
                "removed.",
                expected="A channel group whose channels are in a tensor between two layers.",
                fix="Set feature_matching to 0.",
            )
        return found

    def _stayed(self, group: str, place: Place) -> Place:
        kept = self.kept.get(group)
        return place if kept is None else replace(place, positions=place.positions[kept])


def _same_makers(one: Sequence[Place], other: Sequence[Place]) -> list[tuple[Place, Place]]:
    """Places of one group in two models, in pairs; none where the layers differ."""
    if [place.producer for place in one] != [place.producer for place in other]:
        return []
    return list(zip(one, other, strict=True))


def _alike(pair: Pair) -> bool:
    return pair.stayed.positions.shape == pair.pruned.positions.shape


def mismatch(ours: Sequence[Any], theirs: Sequence[Any]) -> Any:
    """Mean over places of mean (a - b)² / mean b²; one tensor a place, of equal shapes."""
    import tensorflow as tf

    parts = [
        tf.reduce_mean(tf.square(a - b)) / (tf.reduce_mean(tf.square(b)) + _SMALLEST)
        for a, b in zip(ours, theirs, strict=True)
    ]
    return tf.add_n(parts) / len(parts)


def matching(model: Any, features: Features, output: int) -> Any:
    """A model to compile and fit in place of ``model``: the same layers, the original beside them.

    Args:
        model: The pruned model with the one output that is fitted.
        features: Of the same model.
        output: Which of the analysed model's outputs that is.
    """
    import tensorflow as tf

    pairs = features.pairs()
    ours = [pair.pruned for pair in pairs]
    theirs = [pair.stayed for pair in pairs]
    framework, flat = features.pruned.framework, features.pruned.flat
    answer = flat.outputs[output]
    student = framework.probe(flat, [answer, *(place.tensor for place in ours)])
    teacher = framework.probe(features.original.flat, [place.tensor for place in theirs])
    # Kept out of the model's attributes: the original's layers are not to be trained.
    seen: dict[str, Any] = {}

    class Matching(framework.keras.Model):  # type: ignore[misc,name-defined]
        """Answers as the pruned model."""

        def __init__(self) -> None:
            super().__init__()
            self.student = student

        def call(self, inputs: Any, training: Any = None) -> Any:
            found, *inside = _listed(self.student(_given(inputs), training=training))
            seen["inside"], seen["training"] = inside, training
            return found

        def compute_loss(self, x: Any = None, *args: Any, **named: Any) -> Any:
            loss = super().compute_loss(x, *args, **named)
            if not seen["training"]:
                return loss
            held = _listed(teacher(_given(x), training=False))
            term = mismatch(
                [
                    _channels(v, w.axis, w.positions)
                    for v, w in zip(seen["inside"], ours, strict=True)
                ],
                [_channels(v, w.axis, w.positions) for v, w in zip(held, theirs, strict=True)],
            )
            # What is told is the loss of the labels, as in validation: only the slope has more.
            return loss + tf.cast(features.weight * (term - tf.stop_gradient(term)), loss.dtype)

        def save_weights(self, *args: Any, **named: Any) -> Any:
            """Those of the pruned model, under its own names."""
            return model.save_weights(*args, **named)

    return Matching()


def _channels(values: Any, axis: int, positions: np.ndarray) -> Any:
    """The values of some channels. -> float32, of the tensor's rank."""
    import tensorflow as tf

    return tf.gather(tf.cast(values, tf.float32), positions.reshape(-1), axis=axis)


def _given(inputs: Any) -> Any:
    """Inputs as a probe takes them."""
    return list(inputs) if isinstance(inputs, list | tuple) else inputs


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]

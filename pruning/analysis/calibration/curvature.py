"""Label-free estimate of the Hessian's diagonal, for every kernel: (its shape).

Near the minimum of a squared error the Hessian of the weights is JᵀJ, J being the derivative of the
outputs by the weights; its diagonal needs no labels. It is estimated with random vectors
(Hutchinson): the mean of (∂ Σ v·outputs / ∂w)² over v of random signs is the sum of
(∂ output / ∂w)² over the outputs. The statistic is the mean over the samples. Each runs by itself:
in a batch the samples would mix, which adds as much noise as the larger batch saves work.

As in Sony's Model Compression Toolkit, whose pruning calls it LFH (with v ~ N(0, 1), whose noise is
larger), https://github.com/sony/model_optimization.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.analysis.calibration._base import Found, Gatherer, Samples, Watch
from pruning.analysis.calibration._running import Gradients
from pruning.analysis.profiler import kernel_variables

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis

DRAWS = 2  # random vectors for each sample


def gather(analysis: Analysis, samples: Samples | None, watch: Watch) -> Found:
    """Average over samples and draws; the same seed gives the same vectors."""
    assert samples is not None
    named = [pair for pairs in kernel_variables(analysis).values() for pair in pairs]
    gradients = Gradients(analysis, [variable for _, variable in named])
    totals = [np.zeros(tuple(variable.shape), np.float32) for _, variable in named]
    done = 0
    for number, (inputs, _) in enumerate(samples.batches(1)):
        for draw in range(DRAWS):
            seed = np.array([samples.seed % 2**31, number * DRAWS + draw], np.int32)
            for total, found in zip(totals, gradients.of(_projected, inputs, seed), strict=True):
                total += np.square(found)
        done += len(inputs[0])
        watch.seen(done, len(samples), "curvature")
    arrays = (total / np.float32(DRAWS * len(samples)) for total in totals)
    return Found(weights=dict(zip((name for name, _ in named), arrays, strict=True)))


def _projected(outputs: Sequence[Any], seed: Any) -> Any:
    """Outputs along one random vector for each sample and output, added up."""
    import tensorflow as tf

    total = tf.zeros([])
    for number, output in enumerate(outputs):
        drawn = tf.random.stateless_uniform(
            tf.shape(output), tf.stack([seed[0], seed[1] + number * 2**16])
        )
        total += tf.reduce_sum(tf.sign(drawn - 0.5) * tf.cast(output, tf.float32))
    return total


GATHERER = Gatherer("curvature", "weight", gather, samples=True)

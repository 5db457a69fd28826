"""Gradients that TensorFlow's own kernels refuse on many processors are computed everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

NAME = "TF_ENABLE_ONEDNN_OPTS"
GRADIENT = f"""
import json, os
import pruning.frameworks
import tensorflow as tf

x = tf.reshape(tf.range(36.0), (1, 3, 3, 4))
kernel = tf.Variable(tf.ones((1, 1, 2, 4)))
with tf.GradientTape() as tape:
    answer = tf.reduce_sum(tf.nn.conv2d(x, kernel, 1, "VALID"))
gradient = tape.gradient(answer, kernel)
print(json.dumps([os.environ[{NAME!r}], gradient.numpy().tolist()]))
"""


def run(code: str, given: str | None = None) -> list:
    """What a new process answers, whose user has said this of the kernels, or nothing."""
    environment = {name: value for name, value in os.environ.items() if name != NAME}
    if given is not None:
        environment[NAME] = given
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_grouped_convolutions_have_gradients() -> None:
    said, gradient = run(GRADIENT)
    assert said == "1"
    sums = np.arange(36.0).reshape(9, 4).sum(axis=0)  # of each channel, over the nine pixels
    by_hand = [[sums[0], sums[0], sums[2], sums[2]], [sums[1], sums[1], sums[3], sums[3]]]
    np.testing.assert_array_equal(np.array(gradient)[0, 0], by_hand)


@pytest.mark.parametrize("said", ["0", "1"])
def test_the_user_has_the_last_word(said: str) -> None:
    code = f"import json, os, pruning.frameworks; print(json.dumps([os.environ[{NAME!r}]]))"
    assert run(code, said) == [said]

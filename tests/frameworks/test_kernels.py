"""Gradients that TensorFlow's own kernels refuse on many processors are computed everywhere.

And nothing is traced for a GPU where there is none.
"""

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
RECURRENT = """
import json
import tensorflow as tf
import tf_keras
from pruning.frameworks._base import framework

layers = [tf_keras.layers.LSTM(3, return_sequences=True), tf_keras.layers.GRU(2)]
x = tf.reshape(tf.range(40.0), (2, 5, 4)) / 40
model = tf_keras.Sequential(layers)
model(x)

def learn():
    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            answer = tf.reduce_sum(model(x))
        return answer, tape.gradient(answer, model.trainable_variables)

    functions = step.get_concrete_function(x).graph.as_graph_def().library.function
    flat = [value.numpy().tolist() for value in tf.nest.flatten(step(x))]
    return sum("CudnnRNN" in node.op for f in functions for node in f.node_def), flat

before = learn()
framework("tf_keras").keras
print(json.dumps([before, learn()]))
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


def test_recurrent_layers_of_tf_keras_are_traced_for_the_processor_alone() -> None:
    (with_gpu, expected), (without, answered) = run(RECURRENT)
    assert with_gpu > 0
    assert without == 0
    assert answered == expected

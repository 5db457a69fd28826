"""Which of TensorFlow's kernels compute on a processor."""

from __future__ import annotations

import os
from typing import Any


def choose_kernels() -> None:
    """Have the kernels of oneDNN compute, unless the user says otherwise; call before the import.

    TensorFlow switches them on by itself only where the processor has instructions for networks,
    such as AVX-512 VNNI. Without them the gradient of a grouped convolution is refused on a
    processor, so that no ResNeXt could be retrained there; and with AVX2 they are faster, too.
    https://github.com/tensorflow/tensorflow/blob/v2.21.0/tensorflow/core/util/util.cc
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def leave_out_gpu_variants() -> None:
    """Have LSTM and GRU of tf_keras traced without their variants for a GPU, where there is none.

    Each of their calls in a graph is traced a second time for cuDNN, and its gradients are derived,
    for TensorFlow to choose from when it runs. Without a GPU that is never chosen, and takes four
    fifths of the time to build a recurrent model. Only a SavedModel would keep the variants, for
    another machine; the studio writes none.
    https://github.com/keras-team/tf-keras/blob/v2.21.0/tf_keras/layers/rnn/gru_lstm_utils.py
    """
    import tensorflow as tf
    from tf_keras.src.layers.rnn import gru_lstm_utils

    if not tf.config.list_physical_devices("GPU"):
        gru_lstm_utils.function_register = _register_nothing


def _register_nothing(function: Any, *args: Any, **kwargs: Any) -> None:
    """In place of ``function_register``, whose result tf_keras does not read."""

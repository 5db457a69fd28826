"""Which of TensorFlow's kernels compute on a processor."""

from __future__ import annotations

import os


def choose_kernels() -> None:
    """Have the kernels of oneDNN compute, unless the user says otherwise; call before the import.

    TensorFlow switches them on by itself only where the processor has instructions for networks,
    such as AVX-512 VNNI. Without them the gradient of a grouped convolution is refused on a
    processor, so that no ResNeXt could be retrained there; and with AVX2 they are faster, too.
    https://github.com/tensorflow/tensorflow/blob/v2.21.0/tensorflow/core/util/util.cc
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

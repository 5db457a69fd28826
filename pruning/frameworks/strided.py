"""Gradients of narrow strided 1×1 convolutions, which TensorFlow computes wrongly on x86.

oneDNN's kernel for the gradient of such a convolution's weights gathers the pixels that the strides
leave into a workspace, and takes each for as wide as a block of channels: 16 on processors with
AVX-512, 8 with AVX2. With fewer channels it writes past the workspace. The process dies, or the
gradient is wrong (https://github.com/uxlfoundation/oneDNN/issues/6035, in TensorFlow 2.21).

Shortcuts of residual networks are such convolutions, and pruning makes them narrow. What they
compute is a convolution without strides of the pixels that are left: its gradient is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pruning.frameworks._base import Framework

_BLOCK = 16  # channels of the widest block


@contextmanager
def sound_gradients(model: Any, framework: Framework) -> Iterator[None]:
    """Have a model's convolutions computed so that their weights' gradients are right.

    Only meanwhile, and in what is traced meanwhile: a model that predicts or is exported is to
    hold the convolutions that its author wrote.

    Args:
        model: Of that framework.
        framework: The model's Keras.
    """
    with ExitStack() as stack:
        for layer in framework.layers(model):
            while hasattr(layer, "layer"):  # wrapped: TimeDistributed, TF-MOT's masks
                layer = layer.layer
            if _is_narrow(layer) and "call" not in vars(layer):
                layer.call = _of_what_is_left(layer)
                stack.callback(delattr, layer, "call")
        yield


def _is_narrow(layer: Any) -> bool:
    """Whether a layer is a strided 1×1 convolution that reads fewer channels than a block has."""
    return (
        type(layer).__name__ in ("Conv1D", "Conv2D")  # Conv3D has another kernel
        and layer.built
        and set(layer.kernel_size) == {1}
        and max(layer.strides) > 1
        and layer.groups == 1  # others, and channels_first, are left to the compiler
        and layer.data_format == "channels_last"
        and layer.kernel.shape[-2] < _BLOCK
    )


def _of_what_is_left(layer: Any) -> Callable[[Any], Any]:
    """A layer's call for the pixels that its strides leave, which is one without strides."""
    import tensorflow as tf

    call, strides = layer.call, tuple(layer.strides)
    left = (..., *(slice(None, None, stride) for stride in strides), slice(None))

    def without_strides(inputs: Any) -> Any:
        layer.strides = (1,) * len(strides)
        try:
            return call(inputs[left])
        finally:
            layer.strides = strides

    as_it_is: Callable[[Any], Any] = tf.autograph.experimental.do_not_convert(without_strides)
    return as_it_is

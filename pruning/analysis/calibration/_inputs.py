"""What the kernels of one layer multiply, told by the layer's type: sums of squares.

A reader is handed what its layer is called with, and answers, for each of the layer's kernels, with
the sum of the squares over samples and positions, in a shape that broadcasts to the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pruning.frameworks._base import Framework

Squares = Callable[..., Sequence[Any]]


@dataclass(eq=False)
class Reader:
    """One layer whose inputs are recorded.

    Attributes:
        layer: Whose ``call`` is listened to.
        variables: Its kernels.
        squares: What it is called with -> one tensor for each of ``variables``.
        names: The kernels' names, filled in by who asks; ``None``: not asked for.
    """

    layer: Any
    variables: Sequence[Any]
    squares: Squares
    names: list[str | None] = field(default_factory=list)


def reader_of(framework: Framework, layer: Any) -> Reader | None:
    """The reader of a layer; ``None`` for a type that has no kernels or is not known here."""
    make = _TYPES.get(type(layer).__name__)
    return None if make is None else make(framework, layer)


def hides(layer: Any) -> bool:
    """Whether the layers inside ``layer`` are called where they cannot be listened to: in loops."""
    return type(layer).__name__.startswith(("TimeDistributed", "RNN", "ConvLSTM"))


def _dense(framework: Framework, layer: Any) -> Reader:
    return Reader(layer, [layer.kernel], lambda x, **_: [_by_axis(x, -1)[:, None]])


def _einsum(framework: Framework, layer: Any) -> Reader:
    """Sums over the axes of the input whose labels the kernel does not have."""
    inputs, kernel = layer.equation.split("->")[0].replace(" ", "").split(",")
    before, _, behind = inputs.partition("...")
    kept = [label for label in kernel if label in inputs]

    def squares(x: Any, **_: Any) -> Sequence[Any]:
        import tensorflow as tf

        x = _floats(x)
        rank = len(x.shape)
        axes = dict(zip(before, range(len(before)), strict=True))
        axes |= dict(zip(behind, range(rank - len(behind), rank), strict=True))
        places = [axes[label] for label in kept]
        sums = tf.reduce_sum(x**2, axis=[a for a in range(rank) if a not in places])
        # What is left lies in the order of the input, and shall lie in that of the kernel.
        sums = tf.transpose(sums, [sorted(places).index(place) for place in places])
        sizes = zip(kernel, layer.kernel.shape, strict=True)
        return [tf.reshape(sums, [size if label in kept else 1 for label, size in sizes])]

    return Reader(layer, [layer.kernel], squares)


def _convolution(framework: Framework, layer: Any) -> Reader:
    """Kernel (…, in / groups, out); of groups each output reads its group's inputs."""
    groups = int(getattr(layer, "groups", 1) or 1)

    def squares(x: Any, **_: Any) -> Sequence[Any]:
        import tensorflow as tf

        channels = _by_axis(x, _channel_axis(layer))
        if groups == 1:
            return [channels[:, None]]
        of_group = tf.transpose(tf.reshape(channels, (groups, -1)))
        return [tf.repeat(of_group, int(layer.kernel.shape[-1]) // groups, axis=1)]

    return Reader(layer, [layer.kernel], squares)


def _transposed(framework: Framework, layer: Any) -> Reader:
    return Reader(layer, [layer.kernel], lambda x, **_: [_by_axis(x, _channel_axis(layer))])


def _depthwise(framework: Framework, layer: Any) -> Reader:
    kernel = getattr(layer, "depthwise_kernel", None)
    kernel = layer.kernel if kernel is None else kernel
    return Reader(layer, [kernel], lambda x, **_: [_by_axis(x, _channel_axis(layer))[:, None]])


def _separable(framework: Framework, layer: Any) -> Reader:
    """The pointwise kernel reads what the depthwise one makes: a copy of the first half."""
    settings = {
        name: getattr(layer, name)
        for name in ("kernel_size", "strides", "padding", "depth_multiplier", "data_format")
    }
    rank = len(layer.kernel_size)
    kind = getattr(framework.keras.layers, f"DepthwiseConv{rank}D")
    half = kind(**settings, dilation_rate=layer.dilation_rate, use_bias=False)
    channels = int(layer.depthwise_kernel.shape[-2])
    spatial = [None] * rank
    first = layer.data_format == "channels_first"
    half.build((None, channels, *spatial) if first else (None, *spatial, channels))
    half.set_weights([layer.depthwise_kernel.numpy()])

    def squares(x: Any, **_: Any) -> Sequence[Any]:
        between = half(x)
        axis = _channel_axis(layer)
        return [_by_axis(x, axis)[:, None], _by_axis(between, axis)[:, None]]

    return Reader(layer, [layer.depthwise_kernel, layer.pointwise_kernel], squares)


def _embedding(framework: Framework, layer: Any) -> Reader:
    tokens = int(layer.embeddings.shape[0])

    def squares(x: Any, **_: Any) -> Sequence[Any]:
        import tensorflow as tf

        indices = tf.reshape(tf.cast(x, tf.int32), [-1])
        counts = tf.math.unsorted_segment_sum(tf.ones_like(indices), indices, tokens)
        return [tf.cast(counts, tf.float32)[:, None]]

    return Reader(layer, [layer.embeddings], squares)


def _recurrent(framework: Framework, layer: Any) -> Reader:
    """The recurrent kernel reads the state before each step: a copy tells all states."""
    settings = {"return_sequences": True, "return_state": False, "stateful": False}
    config = {**layer.get_config(), **settings, "name": f"{layer.name}_states"}
    config.pop("batch_input_shape", None)
    copy = type(layer).from_config(config)
    cell = layer.cell
    copy.build((None, None, int(cell.kernel.shape[0])))
    copy.set_weights(layer.get_weights()[: len(copy.get_weights())])

    def squares(
        x: Any, initial_state: Any = None, mask: Any = None, training: Any = None, **_: Any
    ) -> Sequence[Any]:
        import tensorflow as tf

        start = {} if initial_state is None else {"initial_state": initial_state}
        states = _floats(copy(x, mask=mask, **start))
        before = tf.reduce_sum(states[:, :-1] ** 2, axis=(0, 1))
        if initial_state is not None:
            first = initial_state[0] if isinstance(initial_state, list | tuple) else initial_state
            before += tf.reduce_sum(_floats(first) ** 2, axis=0)
        return [_by_axis(x, -1)[:, None], before[:, None]]

    return Reader(layer, [cell.kernel, cell.recurrent_kernel], squares)


def _each_step(framework: Framework, layer: Any) -> Reader | None:
    """TimeDistributed: its layer is called with steps as if they were samples."""
    inner = reader_of(framework, layer.layer)
    if inner is None:
        return None
    squares = inner.squares

    def stepwise(x: Any, **_: Any) -> Sequence[Any]:
        import tensorflow as tf

        sizes = tf.shape(x)
        rest = [size if size is not None else sizes[i + 2] for i, size in enumerate(x.shape[2:])]
        return squares(tf.reshape(x, [-1, *rest]))

    return Reader(layer, inner.variables, stepwise)


def _floats(x: Any) -> Any:
    import tensorflow as tf

    return tf.cast(tf.convert_to_tensor(x), tf.float32)


def _by_axis(x: Any, axis: int) -> Any:
    """Sum of squares over all axes but one. -> (length of that axis,)."""
    import tensorflow as tf

    x = _floats(x)
    kept = axis % len(x.shape)
    return tf.reduce_sum(x**2, axis=[other for other in range(len(x.shape)) if other != kept])


def _channel_axis(layer: Any) -> int:
    return 1 if layer.data_format == "channels_first" else -1


_RANKS = ("1D", "2D", "3D")
_TYPES: dict[str, Callable[[Framework, Any], Reader | None]] = {
    "Dense": _dense,
    "EinsumDense": _einsum,
    "Embedding": _embedding,
    "TimeDistributed": _each_step,
    **dict.fromkeys((f"Conv{rank}" for rank in _RANKS), _convolution),
    **dict.fromkeys((f"Conv{rank}Transpose" for rank in _RANKS), _transposed),
    **dict.fromkeys((f"DepthwiseConv{rank}" for rank in _RANKS), _depthwise),
    **dict.fromkeys((f"SeparableConv{rank}" for rank in _RANKS), _separable),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
}

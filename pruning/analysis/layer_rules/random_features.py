"""RandomFourierFeatures of tf_keras: a random projection, kernel (in, out), and its cosine."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule


def trace(call: Call) -> Sequence[Channels]:
    """Reads the last axis and makes ``output_dim`` features, as a dense layer does."""
    layer = call.layer
    read = call.along(0, 1)
    made = call.new(layer.output_dim)
    call.setting("output_dim", atoms=made)
    call.weight(
        layer.unscaled_kernel, makes={1: made}, reads={0: read}, kernel=True, multiply_adds=1
    )
    call.weight(layer.bias, carries={0: made})
    return [Channels(1, made)]


RULE = LayerRule("random features", ("RandomFourierFeatures",), trace, "cut")

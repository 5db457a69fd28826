"""Dense on inputs of any rank: kernel (in, out), applied at every position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._settings import check_activation


def trace(call: Call) -> Sequence[Channels]:
    """Reads the last axis, makes ``units`` new channels there."""
    layer = call.layer
    size = call.input_sizes[0]
    read = call.along(0, len(size) - 1)
    made = call.new(layer.units, unit="unit")
    call.setting("units", atoms=made)
    call.weight(
        layer.kernel,
        makes={1: made},
        reads={0: read},
        kernel=True,
        multiply_adds=int(np.prod(size[1:-1], dtype=np.int64)),
    )
    call.weight(layer.bias, carries={0: made})
    check_activation(call, layer.activation, made)
    return [Channels(len(size) - 1, made)]


RULE = LayerRule("dense", ("Dense",), trace, "cut")

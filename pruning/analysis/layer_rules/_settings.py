"""Settings that many layers have: where the channels are, and which activation follows.

Part of the contract, see ``_base.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call


def channel_axis(layer: Any, rank: int) -> int:
    """Axis of the channels by the layer's ``data_format``; the last one without a format."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else rank - 1


def spatial(layer: Any, size: Sequence[int]) -> int:
    """Number of positions in a tensor of this size: all but batch and channels."""
    axis = channel_axis(layer, len(size))
    return int(np.prod([n for i, n in enumerate(size) if i not in (0, axis)], dtype=np.int64))


_ELEMENTWISE_NAMES = (
    "linear relu relu6 leakyrelu elu selu celu gelu silu swish mish tanh sigmoid hardsigmoid "
    "hardsilu hardswish hardtanh softplus softsign exponential logsigmoid squareplus sparseplus "
    "sparsesigmoid threshold softshrink hardshrink tanhshrink prelu identity"
)
_ELEMENTWISE = frozenset(_ELEMENTWISE_NAMES.split())


def activation_name(function: Any) -> str:
    """Name of an activation, given as a function, a layer or nothing."""
    if function is None:
        return "linear"
    return str(getattr(function, "__name__", type(function).__name__)).lower()


def check_activation(call: Call, function: Any, atoms: AtomArray) -> None:
    """Freeze ``atoms`` when the activation mixes channels, or has weights of its own."""
    name = activation_name(function)
    if getattr(function, "weights", None):
        why = f"The activation {name} of {call.record.name!r} has weights of its own."
        call.freeze(atoms, f"{why} As a layer behind it, it would be cut.")
    if name.replace("_", "") not in _ELEMENTWISE:
        mixes = f"The activation {name} of {call.record.name!r} mixes its channels."
        call.freeze(atoms, positions_of_one(call, atoms) or mixes)


def positions_of_one(call: Call, atoms: AtomArray) -> str | None:
    """Why ``atoms`` stay that are one channel at many positions; ``None`` if they are several."""
    if len(atoms) < 2 or len(np.unique(atoms)) > 1:
        return None
    return (
        f"{call.record.name!r} compares the positions of this single channel: without it nothing "
        "would be left to compare."
    )

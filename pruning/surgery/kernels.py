"""The kernels of a model whose single weights may be set to zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pruning.analysis.profile import KernelShape
from pruning.frameworks._base import Framework
from pruning.frameworks.names import is_depthwise

# By name, not by rank: the biases of GRU and attention have rank 2, BatchNorm's gamma has rank 1.
KERNELS = frozenset(
    {
        *("kernel", "recurrent_kernel", "embeddings"),
        *("depthwise_kernel", "pointwise_kernel", "unscaled_kernel"),
    }
)


@dataclass(frozen=True, eq=False)
class Kernel:
    """One maskable variable.

    Attributes:
        layer: The layer's path, as in the profile.
        name: Unique in the model, ``layer path/kernel``; the key in ``masks.npz``.
        key: ``layer path/index in get_weights()``, as the analysis names it.
        variable: The Keras variable.
        depthwise: Each output reads one input channel.
    """

    layer: str
    name: str
    key: str
    variable: Any
    depthwise: bool = False

    @property
    def shape(self) -> KernelShape:
        """As patterns see it."""
        return KernelShape(tuple(self.variable.shape), self.depthwise)

    def value(self) -> np.ndarray:
        """Copy of its value."""
        return np.array(self.variable.numpy())


def kernels_of(model: Any, framework: Framework) -> list[Kernel]:
    """All maskable kernels of a model in its order, nested layers included, shared ones once."""
    flat = framework.flat(model)
    found: list[Kernel] = []
    seen: set[int] = set()
    names: set[str] = set()
    for layer in framework.layers(model):
        path = framework.path_of(flat, layer)
        for index, variable in enumerate(layer.weights):
            parts = _name_parts(variable)
            if parts[-1] not in KERNELS or id(variable) in seen:
                continue
            inside = parts.index(layer.name) + 1 if layer.name in parts[:-1] else 0
            name = "/".join((path, *parts[inside:]))
            if name in names:  # two inner layers of one name
                name = f"{name}#{index}"
            seen.add(id(variable))
            names.add(name)
            depthwise = is_depthwise(layer, parts[-1])
            found.append(Kernel(path, name, f"{path}/{index}", variable, depthwise))
    return found


def _name_parts(variable: Any) -> list[str]:
    """Name parts from the outside in: ``lstm/lstm_cell/kernel:0`` -> [lstm, lstm_cell, kernel]."""
    path = getattr(variable, "path", None) or variable.name
    return [part for part in path.split(":")[0].split("/") if part]

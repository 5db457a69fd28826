"""SpectralNormalization: changes its layer's kernel while training only; at inference it is it."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule


def trace(call: Call) -> Sequence[Channels]:
    """Ask the wrapped layer's rule; the power iteration's vector follows the kernel's last axis."""
    inner = call.layer.layer
    outputs = call.delegate(inner, "layer", "config")
    kernel = getattr(inner, "kernel", None)
    kernel = inner.embeddings if kernel is None else kernel
    index = next(i for i, v in enumerate(call.record.variables) if v is kernel)
    axes = call.record.weights[index].axes
    last = len(kernel.shape) - 1
    call.weight(call.layer.vector_u, carries={1: axes[last]} if last in axes else {})
    return outputs


RULE = LayerRule("spectral normalization", ("SpectralNormalization",), trace, "cut")

"""What a plan costs and gains, as plain records: each figure with what it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Basis = Literal["exact", "measured", "estimated"]


@dataclass(frozen=True)
class Figure:
    """One number with what it rests on.

    Attributes:
        value: ``None`` when nothing is known.
        basis: ``None`` when nothing is known.
        how: One sentence: how it was computed, measured or estimated, or why it is unknown.
    """

    value: float | int | None
    basis: Basis | None
    how: str = ""


@dataclass(frozen=True)
class Timed:
    """The latency of a model before pruning, as it was measured.

    Attributes:
        ms: Milliseconds.
        fixed: Share of them, from 0 to 1, that stays however few FLOPs are left.
    """

    ms: float
    fixed: float = 0.0

    def after(self, flops: float) -> float:
        """Milliseconds when that share of the FLOPs is left."""
        return self.ms * (self.fixed + (1 - self.fixed) * flops)


@dataclass(frozen=True)
class LayerPrice:
    """One layer before and after.

    Attributes:
        params_before, params_after, flops_before, flops_after: Of the whole layer.
        width, kept_width: Channels or kernel weights before and after; 0 for layers without.
    """

    name: str
    params_before: int
    params_after: int
    flops_before: int
    flops_after: int
    width: int
    kept_width: int

    @property
    def kept(self) -> float:
        """Fraction of the width that stays; 1 for a layer without one."""
        return self.kept_width / self.width if self.width else 1.0


@dataclass(frozen=True)
class Prices:
    """What a plan costs and gains.

    Attributes:
        before, after: Figures by name: ``params``, ``flops``, ``bytes``, ``gzip_bytes``,
            ``nonzero_params``, ``sparsity`` (fraction of zeros among the maskable weights),
            ``latency_ms``, ``accuracy``.
        kept: Channels that stay by group id (channels), weights by layer name (weights), 1 or 0 by
            id of the removable blocks (layers).
        layers: Every layer of the profile, in its order.
        achieved: What the plan's target comes to, in the target's unit; ``None`` without a target.
        notes: What a user should know, in sentences.
    """

    before: dict[str, Figure]
    after: dict[str, Figure]
    kept: dict[str, int]
    layers: tuple[LayerPrice, ...]
    achieved: float | None
    notes: tuple[str, ...] = ()

    def expected(self) -> dict[str, dict[str, Any]]:
        """The command line's ``expected``: ``{name: {"value", "basis", "how"}}``."""
        names = ("params", "flops", "bytes", "latency_ms", "accuracy")
        return {name: asdict(self.after[name]) for name in names}

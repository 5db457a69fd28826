"""Torch-Pruning on twins of the topologies, run by ``topology_table.py`` in its own environment.

The twins have the layers of ``keras_topologies.py``, in PyTorch's words; what Keras has as one
layer and PyTorch does not (ConvLSTM, grouped queries) is written out as its users write it. Half of
all inner channels are made silent in the same manner, and named as the least important ones.
Prints one JSON object: {topology: verdict}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch_pruning as tp
from answering import verdicts
from torch import nn
from torch.nn import functional as F

Width = Callable[[int], int]
VOCABULARY, STEPS = 16, 6


def conv(i: int, o: int, size: int = 3, **options: Any) -> nn.Sequential:
    """Convolution, BatchNorm, ReLU."""
    padding = size // 2
    layer = nn.Conv2d(i, o, size, padding=padding, **options)
    return nn.Sequential(layer, nn.BatchNorm2d(o), nn.ReLU())


class Pooled(nn.Module):
    """Features, global average, classes."""

    def __init__(self, width: int, *features: nn.Module) -> None:
        super().__init__()
        self.features = nn.Sequential(*features)
        self.out = nn.Linear(width, 3)

    def forward(self, x: Any) -> Any:
        return self.out(self.features(x).flatten(2).mean(2))


def plain(w: Width) -> nn.Module:
    """Convolution, BatchNorm."""
    return Pooled(w(8), conv(3, w(8)), conv(w(8), w(8)))


class Flattened(nn.Module):
    """Flatten, dense."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.conv, self.hidden = conv(3, w(8)), nn.Linear(64 * w(8), w(16))
        self.out = nn.Linear(w(16), 3)

    def forward(self, x: Any) -> Any:
        return self.out(F.relu(self.hidden(self.conv(x).flatten(1))))


class Residual(nn.Module):
    """Residual add."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.stem, self.a = conv(3, w(8)), conv(w(8), w(8))
        self.b, self.out = nn.Conv2d(w(8), w(8), 3, padding=1), nn.Linear(w(8), 3)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        return self.out(F.relu(x + self.b(self.a(x))).mean((2, 3)))


class Projection(nn.Module):
    """Residual with a projection."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.stem, self.a = conv(3, w(8)), conv(w(8), w(8), stride=2)
        self.b, self.out = nn.Conv2d(w(8), w(16), 3, padding=1), nn.Linear(w(16), 3)
        self.short = nn.Sequential(nn.Conv2d(w(8), w(16), 1, stride=2), nn.BatchNorm2d(w(16)))

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        return self.out(F.relu(self.short(x) + self.b(self.a(x))).mean((2, 3)))


class DenseBlock(nn.Module):
    """Concatenation."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.stem, self.a, self.b = conv(3, w(8)), conv(w(8), w(8)), conv(2 * w(8), w(8))
        self.c, self.out = conv(3 * w(8), w(8), 1), nn.Linear(w(8), 3)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        x = torch.cat([x, self.a(x)], 1)
        x = torch.cat([x, self.b(x)], 1)
        return self.out(self.c(x).mean((2, 3)))


def depthwise(w: Width) -> nn.Module:
    """Depthwise + pointwise."""
    return Pooled(w(16), conv(3, w(8)), conv(w(8), w(8), groups=w(8)), conv(w(8), w(16), 1))


def separable(w: Width) -> nn.Module:
    """Depthwise and pointwise without BatchNorm between."""
    parts = nn.Conv2d(w(8), w(8), 3, groups=w(8), bias=False), nn.Conv2d(w(8), w(16), 1)
    return Pooled(w(16), conv(3, w(8)), *parts, nn.ReLU())


def grouped(w: Width) -> nn.Module:
    """Grouped convolution."""
    return Pooled(w(8), conv(3, w(8)), conv(w(8), w(16), groups=2), conv(w(16), w(8), 1))


class UNet(nn.Module):
    """Transposed convolution, skip."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.down, self.low = conv(3, w(8)), conv(w(8), w(16))
        self.up, self.mix = nn.ConvTranspose2d(w(16), w(8), 2, stride=2), conv(2 * w(8), w(8))
        self.out = nn.Conv2d(w(8), 1, 1)

    def forward(self, x: Any) -> Any:
        down = self.down(x)
        x = F.relu(self.up(self.low(F.max_pool2d(down, 2))))
        return self.out(self.mix(torch.cat([down, x], 1)))


class Gate(nn.Module):
    """Squeeze-and-excite gate."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.stem, self.top = conv(3, w(8)), conv(w(8), w(8))
        self.reduce, self.excite = nn.Conv2d(w(8), w(4), 1), nn.Conv2d(w(4), w(8), 1)
        self.out = nn.Linear(w(8), 3)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        s = torch.sigmoid(self.excite(F.relu(self.reduce(x.mean((2, 3), keepdim=True)))))
        return self.out(self.top(x * s).mean((2, 3)))


class Shared(nn.Module):
    """A layer shared by two calls."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.stem, self.top = nn.Conv2d(3, w(8), 3), conv(w(8), w(8))
        self.out = nn.Linear(w(8), 3)

    def forward(self, x: Any, y: Any) -> Any:
        difference = F.relu(self.stem(x)) - F.relu(self.stem(y))
        return self.out(self.top(difference).mean((2, 3)))


class Many(nn.Module):
    """Many inputs, many outputs."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.conv, self.facts = conv(3, w(8)), nn.Linear(5, w(8))
        self.joint = nn.Linear(2 * w(8), w(8))
        self.out, self.out2 = nn.Linear(w(8), 3), nn.Linear(w(8), 1)

    def forward(self, x: Any, y: Any) -> Any:
        z = torch.cat([self.conv(x).mean((2, 3)), F.relu(self.facts(y))], 1)
        z = F.relu(self.joint(z))
        return self.out(z), self.out2(z)


class Words(nn.Module):
    """Embedding, pooling, dense."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.table, self.hidden = nn.Embedding(VOCABULARY, w(8)), nn.Linear(w(8), w(8))
        self.out = nn.Linear(w(8), 3)

    def forward(self, x: Any) -> Any:
        return self.out(F.relu(self.hidden(self.table(x).mean(1))))


class Recurrent(nn.Module):
    """LSTM or GRU, two of them, or one in both directions."""

    def __init__(self, w: Width, kind: type[nn.Module], both: bool = False) -> None:
        super().__init__()
        self.first = kind(4, w(8), batch_first=True, bidirectional=both)
        self.second = None if both else kind(w(8), w(8), batch_first=True)
        self.out = nn.Linear(2 * w(8) if both else w(8), 3)

    def forward(self, x: Any) -> Any:
        x = self.first(x)[0]
        x = x if self.second is None else self.second(x)[0]
        return self.out(x[:, -1])


class States(nn.Module):
    """States passed on."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.first = nn.LSTM(4, w(8), batch_first=True)
        self.second, self.out = nn.LSTM(w(8), w(8), batch_first=True), nn.Linear(w(8), 3)

    def forward(self, x: Any) -> Any:
        x, state = self.first(x)
        return self.out(self.second(x, state)[0][:, -1])


class Distributed(nn.Module):
    """A convolution at every step."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.conv, self.lstm = nn.Conv2d(2, w(8), 3), nn.LSTM(w(8), w(8), batch_first=True)
        self.out = nn.Linear(w(8), 3)

    def forward(self, x: Any) -> Any:
        batch, steps = x.shape[:2]
        x = F.relu(self.conv(x.flatten(0, 1))).mean((2, 3))
        return self.out(self.lstm(x.view(batch, steps, -1))[0][:, -1])


class ConvLSTM(nn.Module):
    """Its gates as one convolution."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 + w(8), 4 * w(8), 3, padding=1)
        self.out, self.width = nn.Linear(w(8), 3), w(8)

    def forward(self, x: Any) -> Any:
        h = c = torch.zeros(x.shape[0], self.gates.out_channels // 4, *x.shape[3:])
        for step in range(x.shape[1]):
            i, f, g, o = self.gates(torch.cat([x[:, step], h], 1)).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.out(h.mean((2, 3)))


class Attention(nn.Module):
    """Heads of width 4, projections as linear layers, as in timm's ViT; ``shared`` key heads."""

    def __init__(self, heads: int, shared: int) -> None:
        super().__init__()
        self.heads, self.shared = heads, shared
        self.q, self.k, self.v = (nn.Linear(8, 4 * n) for n in (heads, shared, shared))
        self.stay = nn.Linear(4 * heads, 8)

    def forward(self, x: Any, y: Any) -> Any:
        q, k, v = (
            part.view(part.shape[0], part.shape[1], -1, 4).transpose(1, 2)
            for part in (self.q(x), self.k(y), self.v(y))
        )
        k, v = (part.repeat_interleave(q.shape[1] // k.shape[1], 1) for part in (k, v))
        x = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        return self.stay(x.flatten(2))


class Block(nn.Module):
    """Attention, feed-forward."""

    def __init__(self, w: Width, cross: bool = False, heads: int = 4, shared: int = 4) -> None:
        super().__init__()
        self.attention, self.cross = Attention(w(heads), w(shared)), cross
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.hidden, self.stay = nn.Linear(8, w(16)), nn.Linear(w(16), 8)
        self.out = nn.Linear(8, 3)

    def forward(self, x: Any, *other: Any) -> Any:
        x = self.norm1(x + self.attention(x, other[0] if self.cross else x))
        x = self.norm2(x + self.stay(F.relu(self.hidden(x))))
        return self.out(x.mean(1))


class Speech(nn.Module):
    """Conv1D."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.a, self.norm = nn.Conv1d(3, w(8), 3, dilation=2), nn.BatchNorm1d(w(8))
        self.b, self.out = nn.Conv1d(w(8), w(8), 3), nn.Linear(w(8), 3)

    def forward(self, x: Any) -> Any:
        x = self.norm(F.max_pool1d(F.relu(self.a(x)), 2))
        return self.out(F.relu(self.b(x)).mean(2))


def video(w: Width) -> nn.Module:
    """Conv3D."""
    return Pooled(
        w(8), nn.Conv3d(2, w(8), 3), nn.ReLU(), nn.BatchNorm3d(w(8)), nn.Conv3d(w(8), w(8), 2),
        nn.ReLU(),
    )  # fmt: skip


def nested(w: Width) -> nn.Module:
    """Modules inside modules."""
    tail = nn.Sequential(nn.Conv2d(w(8), w(8), 3), nn.ReLU())
    return Pooled(w(8), nn.Sequential(conv(3, w(8)), tail), conv(w(8), w(8)))


class Moved(nn.Module):
    """Permute and reshape in the middle."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.conv, self.dense = conv(3, w(8)), nn.Linear(w(8), w(8))
        self.out = nn.Linear(64 * w(8), 3)

    def forward(self, x: Any) -> Any:
        x = self.conv(x)
        x = x.reshape(x.shape[0], x.shape[1], 64).permute(0, 2, 1)
        return self.out(F.relu(self.dense(x)).flatten(1))


class Operators(nn.Module):
    """x + y, x * c."""

    def __init__(self, w: Width) -> None:
        super().__init__()
        self.a, self.b, self.top = conv(3, w(8)), conv(3, w(8)), conv(w(8), w(8))
        self.out = nn.Linear(w(8), 3)

    def forward(self, x: Any) -> Any:
        return self.out(self.top(self.a(x) * 0.5 + self.b(x)).mean((2, 3)))


def slopes(w: Width) -> nn.Module:
    """PReLU."""
    first = nn.Conv2d(3, w(8), 3), nn.PReLU(w(8))
    return Pooled(w(8), *first, nn.Conv2d(w(8), w(8), 3), nn.PReLU(w(8)))


def group_norm(w: Width) -> nn.Module:
    """GroupNorm."""
    model = Pooled(w(8))
    model.features.add_module("pairs", nn.Conv2d(3, w(8), 3))
    model.features.add_module("pairs_norm", nn.GroupNorm(w(4), w(8)))
    model.features.add_module("relu", nn.ReLU())
    model.features.add_module("top", conv(w(8), w(8)))
    return model


TWINS: dict[str, Callable[[Width], nn.Module]] = {
    "plain": plain,
    "flattened": Flattened,
    "residual": Residual,
    "projection": Projection,
    "dense_block": DenseBlock,
    "depthwise": depthwise,
    "separable": separable,
    "grouped": grouped,
    "unet": UNet,
    "gate": Gate,
    "shared": Shared,
    "many": Many,
    "embedding": Words,
    "lstm": lambda w: Recurrent(w, nn.LSTM),
    "gru": lambda w: Recurrent(w, nn.GRU),
    "bidirectional": lambda w: Recurrent(w, nn.LSTM, both=True),
    "states": States,
    "distributed": Distributed,
    "conv_lstm": ConvLSTM,
    "self_attention": Block,
    "cross_attention": lambda w: Block(w, cross=True),
    "grouped_queries": lambda w: Block(w, heads=8, shared=4),
    "speech": Speech,
    "video": video,
    "nested": nested,
    "moved": Moved,
    "operators": Operators,
    "slopes": slopes,
    "group_norm": group_norm,
}
IMAGE, FRAMES, CLIP = (3, 8, 8), (STEPS, 4), (3, 2, 6, 6)
SHAPES = {
    "shared": (IMAGE, IMAGE),
    "many": (IMAGE, (5,)),
    **dict.fromkeys(("lstm", "gru", "bidirectional", "states"), (FRAMES,)),
    **dict.fromkeys(("distributed", "conv_lstm"), (CLIP,)),
    **dict.fromkeys(("self_attention", "grouped_queries"), ((STEPS, 8),)),
    "cross_attention": ((STEPS, 8), (5, 8)),
    "speech": ((3, 16),),
    "video": ((2, 4, 6, 6),),
}


def silence(model: nn.Module) -> None:
    """As ``keras_topologies.silence``."""
    for path, layer in model.named_modules():
        name = path.split(".")[-1]
        gates = {"LSTM": 4, "GRU": 3}.get(type(layer).__name__, 1)
        gates = 4 if name == "gates" else gates
        for weight_name, weight in layer.named_parameters(recurse=False):
            if _stays(name) or isinstance(layer, nn.PReLU | nn.LayerNorm):
                continue
            axis = 0
            if isinstance(layer, nn.ConvTranspose2d | nn.Embedding) and weight_name == "weight":
                axis = 1
            units = weight.shape[axis] // gates
            gone = [g * units + u for g in range(gates) for u in _silent(name, units)]
            weight.data.index_fill_(axis, torch.tensor(gone), 0.0)
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            gone = torch.tensor(_silent(name, layer.num_features))
            layer.running_mean.index_fill_(0, gone, 0.0)


def _stays(path: str) -> bool:
    return path.split(".")[-1].startswith(("out", "stay"))


def _silent(name: str, count: int) -> list[int]:
    if name in ("q", "k", "v"):  # whole heads of width 4
        return [c for c in range(count) if c // 4 % 2]
    return [c for c in range(count) if (c // 2 if name.startswith("pairs") else c) % 2]


class Silence(tp.importance.Importance):
    """Tells Torch-Pruning which channels are silent: they are the least important."""

    def __init__(self, paths: dict[nn.Module, str]) -> None:
        self.paths = paths

    def __call__(self, group: Any, **_: Any) -> Any:
        """Scores of a group's channels. -> (channels of its root layer,)."""
        names = [self.paths.get(d.target.module, "").split(".")[-1] for d, _ in group]
        # A group may begin where it is read: with attention's last projection, not its values.
        name = next((n for n in names if n in ("q", "k", "v")), names[0])
        indices = group[0].idxs
        gone = set(_silent(name, max(indices) + 1))
        return torch.tensor([0.0 if index in gone else 1.0 for index in indices])


def verdict(name: str) -> str:
    """Prune to half the channels, and compare."""
    torch.manual_seed(0)
    model = TWINS[name](lambda n: n).eval()
    half = sum(p.numel() for p in TWINS[name](lambda n: n // 2).parameters())
    for layer in model.modules():
        for parameter in layer.parameters(recurse=False):
            parameter.data.normal_(0, 0.4)
        if hasattr(layer, "running_var"):
            layer.running_mean.normal_(0, 0.4)
            layer.running_var.uniform_(0.5, 1.5)
    silence(model)
    shapes = SHAPES.get(name, (IMAGE,))
    inputs = tuple(torch.randn(4, *shape) for shape in shapes)
    if name == "embedding":
        inputs = (torch.randint(0, VOCABULARY, (4, STEPS)),)
    before = _outputs(model, inputs)
    attentions = [layer for layer in model.modules() if isinstance(layer, Attention)]
    pruner = tp.pruner.MagnitudePruner(
        model,
        inputs if len(inputs) > 1 else inputs[0],
        importance=Silence({layer: path for path, layer in model.named_modules()}),
        pruning_ratio=0.5,
        ignored_layers=[layer for path, layer in model.named_modules() if _stays(path)],
        num_heads={
            part: count
            for a in attentions
            for part, count in ((a.q, a.heads), (a.k, a.shared), (a.v, a.shared))
        },
        prune_head_dims=False,
        prune_num_heads=True,
        head_pruning_ratio=0.5,
    )
    pruner.step()
    params = sum(p.numel() for p in model.parameters())
    after = _outputs(model, inputs)
    if any(a.shape != b.shape for a, b in zip(before, after, strict=True)):
        return "other shape"
    error = max(float((a - b).abs().max()) for a, b in zip(before, after, strict=True))
    if not error <= 1e-5:
        return "other outputs"
    return "cut" if params <= 1.05 * half else f"not all ({params / half:.1f} × the half)"


def _outputs(model: nn.Module, inputs: tuple[Any, ...]) -> list[Any]:
    with torch.no_grad():
        answer = model(*inputs)
    return list(answer) if isinstance(answer, tuple) else [answer]


if __name__ == "__main__":
    verdicts(verdict)

"""Torch-Pruning on the twin of ``resnet20.py``, run by ``accuracy_channels.py`` in its environment.

    resnet20_torch.py WEIGHTS.npz DATA.npz SETTINGS

The trained weights of the Keras model are carried over, its answers to sixteen pictures checked.
For each target the network is pruned to that share of its multiply-adds, with the criterion and
the ratios of Torch-Pruning's introduction (group magnitude, the same ratio everywhere, or a global
ranking), and trained on. Prints one JSON object.
"""

from __future__ import annotations

import copy
import json
import sys
from time import perf_counter
from typing import Any

import numpy as np
import torch
import torch_pruning as tp
from torch import nn
from torch.nn import functional as F

WIDTHS, BLOCKS, CLASSES = (16, 32, 64), 3, 10


def conv(i: int, o: int, size: int, stride: int) -> nn.Sequential:
    """Convolution and BatchNorm with Keras's settings."""
    layer = nn.Conv2d(i, o, size, stride=stride, padding=size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(o, eps=1e-5, momentum=0.1))


class Block(nn.Module):
    """A residual block, with a projection where the width changes."""

    def __init__(self, i: int, o: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv(i, o, 3, stride), conv(o, o, 3, 1)
        self.short = conv(i, o, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Any) -> Any:
        return F.relu(self.short(x) + self.conv2(F.relu(self.conv1(x))))


class ResNet20(nn.Module):
    """Answers with logits."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(1, WIDTHS[0], 3, 1)
        blocks, last = {}, WIDTHS[0]
        for stage, width in enumerate(WIDTHS):
            for block in range(BLOCKS):
                blocks[f"s{stage}b{block}"] = Block(last, width, 2 if block == 0 < stage else 1)
                last = width
        self.blocks, self.classes = nn.ModuleDict(blocks), nn.Linear(last, CLASSES)

    def forward(self, x: Any) -> Any:
        x = F.relu(self.stem(x))
        for block in self.blocks.values():
            x = block(x)
        return self.classes(x.mean((2, 3)))


def carry_over(model: ResNet20, weights: Any) -> None:
    """Set the twin's weights from the Keras model's, by layer name."""
    parts = {"stem": model.stem}
    for name, block in model.blocks.items():
        parts |= {f"{name}_conv1": block.conv1, f"{name}_conv2": block.conv2}
        if isinstance(block.short, nn.Sequential):
            parts[f"{name}_short"] = block.short
    with torch.no_grad():
        for name, (layer, norm) in parts.items():
            kernel = torch.from_numpy(weights[f"{name}/0"]).permute(3, 2, 0, 1)
            layer.weight.copy_(kernel)
            values = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
            for index, value in enumerate(values):
                value.copy_(torch.from_numpy(weights[f"{name}_bn/{index}"]))
        model.classes.weight.copy_(torch.from_numpy(weights["classes/0"]).T)
        model.classes.bias.copy_(torch.from_numpy(weights["classes/1"]))


def pruned(model: nn.Module, share: float, ranking: str) -> nn.Module:
    """The network with at most that share of its multiply-adds, as near to it as a ratio comes."""
    example = torch.zeros(1, 1, 28, 28)
    whole, _ = tp.utils.count_ops_and_params(model, example)
    low, high, best = 0.0, 0.99, model
    for _ in range(9):
        ratio, candidate = (low + high) / 2, copy.deepcopy(model)
        tp.pruner.MagnitudePruner(
            candidate,
            example,
            importance=tp.importance.GroupMagnitudeImportance(p=2),
            pruning_ratio=ratio,
            global_pruning=ranking == "global",
            max_pruning_ratio=0.95,
            ignored_layers=[candidate.classes],
        ).step()
        macs, _ = tp.utils.count_ops_and_params(candidate, example)
        if macs <= share * whole:
            best, high = candidate, ratio
        else:
            low = ratio
    return best


def train(model: nn.Module, data: Any, settings: dict[str, Any]) -> float:
    """Train on as the studio does: optimizer, batch, epochs, decay. -> seconds an epoch."""
    x, y = _tensors(data, "train")
    optimizer = torch.optim.Adam(model.parameters(), settings["learning_rate"], eps=1e-7)
    steps = settings["epochs"] * -(-len(x) // settings["batch_size"])
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(settings["seed"])
    begun = perf_counter()
    model.train()
    for _ in range(settings["epochs"]):
        for batch in torch.randperm(len(x), generator=generator).split(settings["batch_size"]):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
            decay.step()
    return (perf_counter() - begun) / max(1, settings["epochs"])


def accuracy(model: nn.Module, data: Any) -> float:
    """Share of the test pictures that are classified rightly."""
    x, y = _tensors(data, "test")
    model.eval()
    with torch.no_grad():
        right = sum(int((model(a).argmax(1) == b).sum()) for a, b in _pairs(x, y))
    return right / len(x)


def _pairs(x: Any, y: Any) -> Any:
    return zip(x.split(500), y.split(500), strict=True)


def _tensors(data: Any, split: str) -> tuple[Any, Any]:
    x = torch.from_numpy(np.ascontiguousarray(data[f"x_{split}"].transpose(0, 3, 1, 2)))
    return x, torch.from_numpy(data[f"y_{split}"].reshape(-1).astype("int64"))


def main() -> None:
    weights, data = np.load(sys.argv[1]), dict(np.load(sys.argv[2]))
    settings = json.loads(sys.argv[3])
    torch.manual_seed(settings["seed"])
    model = ResNet20()
    carry_over(model, weights)
    model.eval()
    pictures = torch.from_numpy(data["x_test"][:16].transpose(0, 3, 1, 2))
    with torch.no_grad():
        error = float(
            (model(pictures).softmax(1) - torch.from_numpy(weights["answers"])).abs().max()
        )
    assert error < 1e-4, f"the twin differs by {error}"
    example = torch.zeros(1, 1, 28, 28)
    whole, _ = tp.utils.count_ops_and_params(model, example)
    found = []
    for share in settings["shares"]:
        small = pruned(model, share, settings["ranking"])
        macs, params = tp.utils.count_ops_and_params(small, example)
        seconds = train(small, data, settings)
        result = {"share": share, "flops": macs / whole, "params": params}
        found.append({**result, "accuracy": accuracy(small, data), "epoch_seconds": seconds})
    print(json.dumps({"baseline": accuracy(model, data), "results": found}))


if __name__ == "__main__":
    main()

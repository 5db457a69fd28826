"""Torch-Pruning analyses and cuts its ResNet50 by half; run by ``cutting.py`` in its environment.

Prints one JSON object: seconds of each round, wall and processor time, and parameters.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter, process_time

import torch
import torch_pruning as tp
import torchvision


def main() -> None:
    torch.set_num_threads(2)
    rounds = []
    for _ in range(int(sys.argv[1])):
        model = torchvision.models.resnet50(weights=None).eval()
        example = torch.randn(1, 3, 224, 224)
        before = sum(parameter.numel() for parameter in model.parameters())
        wall, processor = perf_counter(), process_time()
        pruner = tp.pruner.MagnitudePruner(
            model,
            example,
            importance=tp.importance.MagnitudeImportance(p=1),
            pruning_ratio=0.5,
            ignored_layers=[model.fc],
        )
        pruner.step()
        rounds.append((perf_counter() - wall, process_time() - processor))
        after = sum(parameter.numel() for parameter in model.parameters())
    print(json.dumps({"rounds": rounds, "params": after / before}))


if __name__ == "__main__":
    main()

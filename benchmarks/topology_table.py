"""Topologies whose channels a tool can cut: the studio beside TF-MOT, a surgeon, Torch-Pruning.

    .venv/bin/python benchmarks/topology_table.py [--only NAME …] [--json FILE]

Half of the inner channels of each small model are made silent: zero for every input. Each tool is
asked to remove half of the channels, and gets a *cut* when its model has the outputs of before
(to 1e-5) and is no larger than the same model written with half the widths (5 % more is allowed).
The peers run in environments of their own, see ``peers.py``; PyTorch's are twins of the Keras
models, layer by layer. What a peer does instead is told in a word.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from benchmarks import keras_topologies as topologies
from benchmarks.peers import ask

TOLERANCE, MARGIN = 1e-5, 1.05
CUT = "cut"
COLUMNS = {
    "keras3": "studio, Keras 3",
    "tf_keras": "studio, tf_keras",
    "tfmot": "TF-MOT",
    "surgeon": "tf2-keras-surgeon",
    "torch": "Torch-Pruning",
}


def studio(family: str, names: list[str]) -> dict[str, str]:
    """What the studio does to each topology, by way of files as a user's model goes."""
    from pruning.analysis.profiler import analyse
    from pruning.frameworks._base import framework
    from pruning.intake import model_file
    from pruning.surgery.channels import cut
    from pruning.surgery.self_check import self_check

    door = framework(family)
    verdicts = {}
    for name in names:
        if name == "grouped_queries" and family != "keras3":
            verdicts[name] = "no such layer"
            continue
        model = topologies.BUILDERS[name](door.keras, lambda n: n)
        topologies.randomize(model)
        topologies.silence(model)
        half = topologies.BUILDERS[name](door.keras, lambda n: n // 2).count_params()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.keras"
            door.save(model, path)
            loaded = model_file.load(path)
            analysis = analyse(loaded, digest=name, name=name, bytes=path.stat().st_size)
            kept = {g.id: range(0, g.channels, 2) for g in analysis.groups if g.prunable}
            made = cut(analysis, kept)
            self_check(analysis, made)
            door.save(made.model, path)
            again = model_file.load(path).model
        verdicts[name] = judged(
            topologies.outputs(model), topologies.outputs(again), again.count_params(), half
        )
    return verdicts


def judged(before: list[np.ndarray], after: list[np.ndarray], params: int, half: int) -> str:
    """The verdict on one model: see the module's docstring."""
    if any(a.shape != b.shape for a, b in zip(before, after, strict=True)):
        return "other shape"
    error = max(float(np.abs(a - b).max()) for a, b in zip(before, after, strict=True))
    if not error <= TOLERANCE:
        return "other outputs"
    return CUT if params <= MARGIN * half else f"not all ({params / half:.1f} × the half)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(topologies.BUILDERS))
    parser.add_argument("--tools", nargs="*", default=list(COLUMNS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table: dict[str, dict[str, str]] = {}
    for tool in options.tools:
        if tool in ("keras3", "tf_keras"):
            table[tool] = studio(tool, options.only)
        else:
            table[tool] = ask(tool, f"inside_peers/topologies_in_{tool}.py", *options.only)
    titles = [COLUMNS[tool] for tool in options.tools]
    print("| topology | " + " | ".join(titles) + " |")
    print("|---|" + "---|" * len(titles))
    for name in options.only:
        cells = " | ".join(table[tool].get(name, "not tried") for tool in options.tools)
        print(f"| {topologies.title(name)} | {cells} |")
    counts = [list(table[tool].values()).count(CUT) for tool in options.tools]
    print(f"| **of {len(options.only)}** | " + " | ".join(f"**{n}**" for n in counts) + " |")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))
    ours = [t for t in options.tools if t in ("keras3", "tf_keras")]
    if any(v not in (CUT, "no such layer") for tool in ours for v in table[tool].values()):
        sys.exit("the studio does not cut all of them")


if __name__ == "__main__":
    main()

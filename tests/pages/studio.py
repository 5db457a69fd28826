"""A home folder as finished work leaves it, with real figures, for the pages' tests; no Keras."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
from streamlit.testing.v1 import AppTest

from pruning import storage
from pruning.comparison.result import Comparison, Latency, Sizes
from pruning.comparison.tasks import TASKS
from pruning.intake.dataset import Manifest
from pruning.runs.folder import RunFolder
from pruning.strategy.plan import PruningPlan, Target, Training
from pruning.strategy.planner import make_plan
from tests.pages import profiles

FRAME = Path(__file__).resolve().parents[2] / "pages" / "frame.py"
DATA = "fedcba9876543210fedc"
PREPARED = "00112233445566778899"
REF = f"{DATA}-{PREPARED}"
CLASSES = ("cat", "dog", "<b>bird</b>")
TESTS = 60


def build(home: Path):
    """A model with its profile, prepared pictures, and the model's baseline. -> the profile."""
    profile = profiles.resnet(blocks=(1, 1), width=8)
    model = profiles.store(profile, home)
    labels, before, _ = answers()
    folder = home / "data" / DATA / "prepared" / PREPARED
    rng = np.random.default_rng(2)
    storage.write_array(folder / "y_test.npy", labels)
    storage.write_array(folder / "x_test.npy", rng.random((TESTS, 4, 4, 1), np.float32))
    pictures = rng.integers(0, 255, (TESTS, 4, 4, 1), np.uint8)
    storage.write_array(folder / "preview" / "images.npy", pictures)
    manifest = Manifest(
        ref=REF, name="animals.zip", modality="image", task="classification", classes=CLASSES,
        counts={"train": 640, "val": 60, "test": TESTS}, class_counts={}, x_shape=(4, 4, 1),
        x_dtype="float32", y_shape=(), preprocessing={"modality": "image"}, pipeline=("grey",),
    )  # fmt: skip
    storage.write_json(folder / "manifest.json", manifest.to_dict())
    scores = TASKS["classification"].scores(labels, before, "probabilities")
    storage.write_json(model / "baselines" / f"{REF}.json", {"scores": asdict(scores)})
    return profile


def answers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, and predictions before and after: 50 right before; 4 of those broken, 2 fixed."""
    labels = np.arange(TESTS) % 3
    said = {"before": labels.copy(), "after": labels.copy()}
    said["before"][:10] = (labels[:10] + 1) % 3
    said["after"][2:10] = (labels[2:10] + 1) % 3
    said["after"][10:14] = (labels[10:14] + 1) % 3
    before, after = (0.1 + 0.7 * np.eye(3, dtype=np.float32)[said[k]] for k in ("before", "after"))
    return labels, before, after


def plan_for(profile, scores=None, **changes) -> PruningPlan:
    folder = storage.home() / "models" / profile.digest
    settings = {"target": Target("flops", 0.5), "training": Training(epochs=2)} | changes
    return make_plan(profile, folder, PruningPlan(**settings), scores=scores)


def run(home: Path, profile, identifier: str = "20260101-120000-abcdef", *, state: str = "done",
        created: float = 1_767_268_800.0, **record) -> RunFolder:  # fmt: skip
    """A run in a final state; a done one has its comparison and predictions."""
    folder = RunFolder(home / "runs" / identifier)
    request = {"kind": "prune", "model": profile.digest, "data": REF, "created": created}
    storage.write_json(folder.request, request)
    storage.write_json(folder.plan, plan_for(profile).to_dict())
    lines = [
        f'{{"t": {1e9 + i}, "step": {10 * i}, "steps": 20, "epoch": {i}, "loss": {1 / i}, '
        f'"accuracy": {0.5 + 0.1 * i}, "val_loss": {1 / i}, "val_accuracy": {0.6 + 0.1 * i}}}\n'
        for i in (1, 2)
    ]
    storage.write_bytes(folder.metrics, "".join(lines).encode())
    storage.write_bytes(folder.log, b"-- load\n-- cut\nthe last line\n")
    results = _results(folder, profile) if state == "done" else {}
    content = {
        "pid": 1, "process_started": 0.0, "state": state, "progress": None, "error": None,
        "stages": [
            {"name": "load", "state": "done", "seconds": 1.5},
            {"name": "cut", "state": "done", "seconds": 0.5},
            {"name": "retrain", "state": "done", "seconds": 61.0},
        ],
        "results": results, "started": created, "finished": created + 63,
    }  # fmt: skip
    storage.write_json(folder.record, content | record)
    return folder


def running(stage: str) -> dict:
    """What the record of a run says while this process works on that stage."""
    me = psutil.Process(os.getpid())
    return {
        "state": "running", "pid": me.pid, "process_started": me.create_time(), "finished": None,
        "stages": [
            {"name": "load", "state": "done", "seconds": 1.0},
            {"name": stage, "state": "running", "seconds": None},
            {"name": "save", "state": "waiting", "seconds": None},
        ],
    }  # fmt: skip


def _results(folder: RunFolder, profile) -> dict:
    labels, before, after = answers()
    task = TASKS["classification"]
    paired = task.pair(labels, before, after, "probabilities", CLASSES)
    sizes = (Sizes(1000, 1000, 42_000, 9000, 4000), Sizes(500, 500, 20_000, 6000, 2000))
    fields = {
        name: getattr(paired, name)
        for name in paired.__dataclass_fields__
        if name in Comparison.__dataclass_fields__
    }
    comparison = Comparison(
        task="classification", samples=TESTS,
        before=task.scores(labels, before, "probabilities"),
        after=task.scores(labels, after, "probabilities"),
        sizes_before=sizes[0], sizes_after=sizes[1],
        latency_before=Latency(2.0, 2.5, 3, (1.9, 2.0, 2.5)),
        latency_after=Latency(1.0, 1.5, 3, (0.9, 1.0, 1.5)),
        seconds={"train": 61.0, "step_before": 0.010, "step_after": 0.006},
        **fields,
    )  # fmt: skip
    comparison.save(folder.comparison)
    storage.write_array(folder.path / "before.npy", before)
    storage.write_array(folder.path / "after.npy", after)
    storage.write_bytes(folder.path / "model.keras", b"m" * 6000)
    storage.write_json(folder.channels, {"layers": {}})
    pairs = {
        name: {"before": getattr(sizes[0], name), "after": getattr(sizes[1], name)}
        for name in ("params", "flops", "bytes", "gzip_bytes")
    }
    return {
        **pairs, "model": "model.keras", "metric": "accuracy",
        "accuracy": {
            "before": comparison.before.value.value, "after": comparison.after.value.value
        },
        "seconds": {"retrain": 60.0},
    }  # fmt: skip


def page(name: str, **query: str) -> AppTest:
    """Open a page inside the frame, as a link with these query parameters does."""
    app = AppTest.from_file(str(FRAME), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    app.switch_page(f"{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def texts(app: AppTest) -> str:
    """Every word that the page shows in Markdown, captions, alerts and metrics."""
    kinds = (
        "title",
        "header",
        "subheader",
        "markdown",
        "caption",
        "info",
        "warning",
        "error",
        "text",
    )
    parts = [e.value for kind in kinds for e in app.get(kind)]
    parts += [getattr(e.proto, "title", "") for e in app.error]
    parts += [f"{m.label} {m.value} {m.delta} {m.proto.delta_description}" for m in app.metric]
    return "\n".join(str(part) for part in parts)


def now() -> float:
    return time.time()

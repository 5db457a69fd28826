"""Judge a model as it was uploaded on the test samples, before anything is pruned."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pruning import storage
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.intake.store import model_folder, model_path
from pruning.runs.jobs._base import Job, Task


def run(task: Task) -> dict[str, Any]:
    """Write ``baselines/<ref>.json`` and ``.npy`` beside the model; request: model, data."""
    from pruning.comparison.evaluate import evaluate
    from pruning.intake.model_file import load

    identifier, ref = task.request["model"], task.request["data"]
    task.stages("load", "evaluate")
    with task.stage("load"):
        dataset = Dataset.open(prepared_folder(ref))
        loaded = load(model_path(identifier))
    with task.stage("evaluate"):

        def tell(entry: dict[str, Any]) -> None:
            done, total = entry["done"], entry["total"]
            task.progress(done / total, f"{done:,} of {total:,} test samples")

        scores, predictions = evaluate(
            loaded.model, loaded.framework, dataset, should_stop=task.should_stop, report=tell
        )
    folder = model_folder(identifier) / "baselines"
    storage.write_array(folder / f"{ref}.npy", predictions)
    storage.write_json(folder / f"{ref}.json", {"scores": asdict(scores)})
    made = [f"models/{identifier}/baselines/{ref}.{suffix}" for suffix in ("json", "npy")]
    return {"scores": asdict(scores), "made": made}


JOB = Job("baseline", run)

"""Judge a model as it was uploaded on the test samples, before anything is pruned."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pruning import storage
from pruning.intake.dataset import Dataset, prepared_folder
from pruning.intake.store import model_folder, model_path
from pruning.runs.jobs._base import Job, Task

if TYPE_CHECKING:
    import numpy as np

    from pruning.comparison.result import Scores

_MOSTLY_GRAPH = 4.0  # seconds of which a good part went into making Keras's graph
_AGAIN = 640  # samples that are answered again then: more than go without a graph
_TIMES = 2


def run(task: Task) -> dict[str, Any]:
    """Write ``baselines/<ref>.json`` and ``.npy`` beside the model; request: model, data.

    The JSON has ``scores`` and ``seconds_per_sample``, from which the time of a retraining is
    estimated.
    """
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

        def answer(
            rows: slice | None, report: Callable[[dict[str, Any]], None]
        ) -> tuple[Scores, np.ndarray, float]:
            """Scores, predictions, and how long one of these samples took."""
            started = time.monotonic()
            scores, predictions = evaluate(
                loaded.model, loaded.framework, dataset,
                rows=rows, should_stop=task.should_stop, report=report,
            )  # fmt: skip
            return scores, predictions, (time.monotonic() - started) / len(predictions)

        scores, predictions, pace = answer(None, tell)
        if pace * len(predictions) < _MOSTLY_GRAPH:
            # Beside it a spare worker may be starting: the quickest is what the model can do.
            some = slice(0, _AGAIN)
            pace = min(pace, *(answer(some, lambda entry: None)[2] for _ in range(_TIMES)))
    folder = model_folder(identifier) / "baselines"
    storage.write_array(folder / f"{ref}.npy", predictions)
    record = {"scores": asdict(scores), "seconds_per_sample": pace}
    storage.write_json(folder / f"{ref}.json", record)
    made = [f"models/{identifier}/baselines/{ref}.{suffix}" for suffix in ("json", "npy")]
    return {"scores": asdict(scores), "made": made}


JOB = Job("baseline", run)

"""A small model of each Keras on disk, and data that it answers all right."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np

from pruning.command_line import main
from pruning.frameworks._base import framework
from tests.models import build, keras_of, outputs, samples

SCHEMAS = Path(__file__).parent / "contracts" / "cli_schemas"
SUFFIXES = {"keras3": ".keras", "tf_keras": ".h5"}


@dataclass(frozen=True)
class Files:
    """What a user of the command line has.

    Attributes:
        model: A residual network for images of 8 x 8 x 3 and three classes.
        data: 60 samples to train, 12 to validate, 30 to test, labelled as the model answers.
    """

    folder: Path
    family: str
    model: Path
    data: Path

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The data's arrays."""
        with np.load(self.data, allow_pickle=False) as content:
            return {name: content[name] for name in content.files}


def make_files(folder: Path, family: str) -> Files:
    """Write the model and its data."""
    model = build("residual_identity", family)
    x = samples(model, 102)[0]
    # Logits shifted by their medians share the samples out over the classes.
    _shift_logits(model, x)
    answers = outputs(model, [x])[0].argmax(axis=1)
    cuts = {"train": slice(0, 60), "val": slice(60, 72), "test": slice(72, 102)}
    arrays = {f"{n}_{k}": v[s] for k, s in cuts.items() for n, v in (("x", x), ("y", answers))}
    files = Files(folder, family, folder / f"model{SUFFIXES[family]}", folder / "data.npz")
    framework(family).save(model, files.model)
    np.savez(files.data, **arrays)
    return files


def _shift_logits(model: Any, x: np.ndarray) -> None:
    layer = model.get_layer("logits")
    kernel, bias = layer.get_weights()
    logits = np.log(outputs(model, [x])[0])
    layer.set_weights([kernel, bias - np.median(logits, axis=0)])


def load_plainly(path: Path | str, family: str) -> Any:
    """Load as a stranger would: the family's own ``load_model``, nothing of the studio."""
    return keras_of(family).models.load_model(str(path), compile=False)


def answer(capfd: Any, schema: str, *arguments: object, code: int = 0) -> dict[str, Any]:
    """Run a command with ``--json`` and return its answer, checked against its schema."""
    capfd.readouterr()
    assert main([*map(str, arguments), "--json"]) == code
    record: dict[str, Any] = json.loads(capfd.readouterr().out)
    jsonschema.validate(record, json.loads((SCHEMAS / f"{schema}.json").read_text()))
    return record

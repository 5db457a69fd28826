"""Rebuild the demos from Debian packages: ``python -m pruning.demos.build [NAME …]``.

For each demo: pack ``data.zip``, prepare its arrays as an upload is prepared, train, evaluate on
the test split, and write the model, ``demo.json`` and ``LICENCE.md`` beside the data. See
``docs/demos.md``. Seeds are fixed; another machine or version of TensorFlow still gives slightly
different weights.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pruning import storage
from pruning.demos._recipe import Recipe
from pruning.demos.build_image import RECIPE as IMAGE
from pruning.demos.build_speech import RECIPE as SPEECH
from pruning.demos.build_text import RECIPE as TEXT
from pruning.frameworks._base import framework
from pruning.frameworks.greetings import give_no_advice
from pruning.intake.dataset import SPLITS
from pruning.intake.prepare import prepare

RECIPES = {recipe.name: recipe for recipe in (IMAGE, SPEECH, TEXT)}
SEED = 7


def build(recipe: Recipe, out: Path, cache: Path, *, keep_data: bool) -> dict[str, Any]:
    """Make one demo in ``out``.

    Args:
        recipe: What to make.
        out: The demo's folder.
        cache: Where packages are unpacked.
        keep_data: Train again on the ``data.zip`` that is there.

    Returns:
        The content of ``demo.json``.
    """
    data = out / "data.zip"
    if not keep_data:
        recipe.write_data(data, cache)
    prepared = prepare(data)
    arrays = {split: (prepared.x(split), prepared.y(split)) for split in SPLITS}
    classes = list(prepared.manifest.classes)
    model = train(recipe, arrays, len(classes))
    framework(recipe.family).save(model, out / recipe.model_file)
    x, y = arrays["test"]
    right = model.predict(x, batch_size=256, verbose=0).argmax(-1) == y
    record = {
        "name": recipe.name,
        "title": recipe.title,
        "task": recipe.task,
        "modality": recipe.modality,
        "family": recipe.family,
        "model": recipe.model_file,
        "data": data.name,
        "classes": classes,
        "params": int(model.count_params()),
        "accuracy": round(float(right.mean()), 4),
        "test_samples": len(y),
        "train_samples": len(arrays["train"][1]),
        "limits": list(recipe.limits),
        "licence": recipe.licence,
        "source": recipe.source,
    }
    storage.write_json(out / "demo.json", record)
    licence = f"# Licence of the {recipe.name} demo\n\n{recipe.attribution.strip()}\n"
    storage.write_bytes(out / "LICENCE.md", licence.encode())
    for name in ("demo.json", "LICENCE.md"):
        (out / name).chmod(0o644)  # the home folder's files are private, these are not
    return record


def train(recipe: Recipe, arrays: dict[str, tuple[np.ndarray, np.ndarray]], classes: int) -> Any:
    """Train the recipe's network on augmented copies of the training split.

    Args:
        recipe: Network and schedule.
        arrays: x (n, *shape) and y (n,) of each split.
        classes: Outputs of the network.
    """
    keras = framework(recipe.family).keras
    keras.utils.set_random_seed(SEED)
    generator = np.random.default_rng(SEED)
    x, y = arrays["train"]
    model = recipe.build_model(x.shape[1:], classes)
    steps = recipe.epochs * -(-len(x) // recipe.batch)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    model.compile(
        optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    for epoch in range(recipe.epochs):
        model.fit(
            recipe.augment(x, generator),
            y,
            batch_size=recipe.batch,
            initial_epoch=epoch,
            epochs=epoch + 1,
            validation_data=arrays["val"],
            verbose=2,
        )
    return model


def main(arguments: list[str] | None = None) -> int:
    """Build the named demos, or all."""
    parser = argparse.ArgumentParser(prog="python -m pruning.demos.build", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(RECIPES)}; or all")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="parent folder")
    parser.add_argument("--keep-data", action="store_true", help="train only, on data.zip as it is")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(RECIPES)
    if unknown:
        parser.error(f"there is no demo {sorted(unknown)[0]!r}; there are {', '.join(RECIPES)}")
    give_no_advice()
    with tempfile.TemporaryDirectory() as home:  # prepared data and packages: of no use later
        os.environ["PRUNING_STUDIO_HOME"] = home
        for name in options.names or RECIPES:
            cache = Path(home) / "packages"
            record = build(RECIPES[name], options.out / name, cache, keep_data=options.keep_data)
            print(f"{name}: {record['accuracy']:.4f} of {record['test_samples']:,} samples right")
    return 0


if __name__ == "__main__":
    sys.exit(main())

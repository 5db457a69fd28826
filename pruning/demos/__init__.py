"""Three demos: small data and trained dense models, so that the first click works.

Each is a folder here: the model, ``data.zip`` in the form of an upload, ``demo.json`` and
``LICENCE.md``. ``python -m pruning.demos.build`` makes them again.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pruning import storage
from pruning.errors import NotFoundError

ORDER = ("image", "speech", "text")


@dataclass(frozen=True)
class Demo:
    """One demo, as its card shows it.

    Attributes:
        name: Name on the command line and of the folder.
        title, task: A name and one sentence.
        modality: ``image``, ``audio`` or ``text``.
        family: ``keras3`` or ``tf_keras``, the Keras that saved the model.
        model, data: Files; ``data`` is a zip as a user would upload it.
        classes: In the order of the model's outputs.
        params: Of the model.
        accuracy: Of the model on its ``test_samples`` test samples, 0 to 1.
        train_samples: Samples that retraining has.
        bytes: Of model and data together.
        limits: What the accuracy does not say.
        licence, source: Of the data, short; ``attribution`` is the file with all of it.
    """

    name: str
    title: str
    task: str
    modality: str
    family: str
    model: Path
    data: Path
    classes: tuple[str, ...]
    params: int
    accuracy: float
    test_samples: int
    train_samples: int
    bytes: int
    limits: tuple[str, ...]
    licence: str
    source: str
    attribution: Path


def demos() -> list[Demo]:
    """All demos in the order of their cards."""
    return [demo(name) for name in ORDER]


def demo(name: str) -> Demo:
    """Return the demo of that name.

    Raises:
        NotFoundError: There is none.
    """
    if name not in ORDER:
        raise NotFoundError(
            f"There is no demo {name!r}.",
            expected=f"One of: {', '.join(ORDER)}.",
            fix="Name one of these, or use your own model and data.",
        )
    folder = Path(__file__).parent / name
    record = storage.read_json(folder / "demo.json")
    model, data = folder / record["model"], folder / record["data"]
    return Demo(
        name=name,
        title=record["title"],
        task=record["task"],
        modality=record["modality"],
        family=record["family"],
        model=model,
        data=data,
        classes=tuple(record["classes"]),
        params=record["params"],
        accuracy=record["accuracy"],
        test_samples=record["test_samples"],
        train_samples=record["train_samples"],
        bytes=model.stat().st_size + data.stat().st_size,
        limits=tuple(record["limits"]),
        licence=record["licence"],
        source=record["source"],
        attribution=folder / "LICENCE.md",
    )


def is_demo(identifier: str) -> bool:
    """Whether an upload of that id is a demo's model or data as the studio has them."""
    return identifier in _identifiers()


@cache
def _identifiers() -> frozenset[str]:
    files = (file for each in demos() for file in (each.model, each.data))
    return frozenset(storage.digest_file(file) for file in files)


def copy_to(name: str, out: Path) -> tuple[Path, Path]:
    """Copy a demo's model, data and licence into a folder, which is made.

    Returns:
        The copied model and data.

    Raises:
        NotFoundError: There is no such demo.
        StorageError: The folder cannot be written.
    """
    chosen = demo(name)
    copies = []
    for file in (chosen.model, chosen.data, chosen.attribution):
        copy = out / file.name
        with storage.replacing(copy) as target, file.open("rb") as source:
            shutil.copyfileobj(source, target)
        copy.chmod(0o644)  # a user's folder, not the private home folder
        copies.append(copy)
    return copies[0], copies[1]

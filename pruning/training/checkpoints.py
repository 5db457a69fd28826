"""Weights kept during a training: ``last.weights.h5`` and ``best.weights.h5``.

Plain Keras reads them with ``model.load_weights``. They are written beside and moved into place, so
that a worker killed while writing leaves the previous ones whole.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pruning import storage
from pruning.errors import StorageError

LAST = "last.weights.h5"
BEST = "best.weights.h5"


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run."""

    folder: Path

    def save(self, model: Any, *, best: bool) -> None:
        """Keep the weights as the last, and as the best ones too.

        Raises:
            StorageError: The disk is full.
        """
        beside = self.folder / "writing.weights.h5"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            model.save_weights(str(beside))
            if best:
                copy = self.folder / "copying.weights.h5"
                shutil.copyfile(beside, copy)
                copy.replace(self.folder / BEST)
            beside.replace(self.folder / LAST)
        except OSError as error:
            if storage.disk_full(error) is None:
                raise
            raise StorageError(
                "The disk is full: a checkpoint could not be written.",
                expected="Free space for two copies of the model's weights.",
                fix="Free some space (delete old runs) and start the run again.",
            ) from error
        finally:
            beside.unlink(missing_ok=True)

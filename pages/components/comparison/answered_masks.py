"""What both models answer at each pixel of a sample, as masks beside the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.components import masks
from pages.components.sample import Gallery
from pruning import storage
from pruning.analysis.readings import Reading, reading_of
from pruning.comparison.tasks.classification import predicted_classes
from pruning.runs.folder import RunFolder

_NARROWEST = 76  # pixels of a mask: five beside each other in half of a wide page


@dataclass(frozen=True, eq=False)
class AnsweredMasks:
    """Labels and answers of test samples; they stay on disk until a sample is drawn.

    Attributes:
        gallery: The samples.
        before, after: Predictions, float32 (n, height, width, outputs).
        reading: What they mean.
        colours: Of the classes.
    """

    gallery: Gallery
    before: np.ndarray
    after: np.ndarray
    reading: Reading
    colours: masks.Palette

    def label(self, index: int) -> np.ndarray:
        """Class numbers of a sample, (height, width)."""
        return np.asarray(self.gallery.dataset.y("test")[index])

    def truth(self, index: int) -> str:
        """What a sample shows, in words."""
        return masks.in_words(self.label(index), self.colours)

    def show(self, index: int) -> None:
        """Draw a sample, its label, both answers, and where they differ, side by side."""
        label, colours = self.label(index), self.colours
        before, after = (
            predicted_classes(np.asarray(side[index : index + 1]), self.reading)[0]
            for side in (self.before, self.after)
        )
        picture = self.gallery.image(index)
        drawn: list[Callable[[], None]] = [
            lambda: masks.show(label, colours, "label", picture),
            lambda: masks.show(before, colours, "before", picture),
            lambda: masks.show(after, colours, "after", picture),
            lambda: masks.show(
                masks.change(label, before, after), masks.CHANGE, "right and wrong", picture
            ),
        ]
        if picture is not None:
            drawn.insert(0, lambda: masks.show_sample(picture, index))
        with st.grid(len(drawn), min_column_width=_NARROWEST, gap="xsmall"):
            for draw in drawn:
                draw()

    def legend(self) -> None:
        """Say what the colours mean."""
        masks.legend(self.colours)
        masks.legend(masks.CHANGE)


def open_masks(folder: RunFolder, gallery: Gallery, activation: str | None) -> AnsweredMasks | None:
    """The masks of a run; ``None`` where samples have no class at each pixel."""
    manifest = gallery.dataset.manifest
    if not masks.there_are(manifest):
        return None
    before, after = (
        storage.read_array(folder.path / f"{side}.npy", mapped=True) for side in ("before", "after")
    )
    reading = reading_of(before, activation)
    return AnsweredMasks(gallery, before, after, reading, masks.palette_of(manifest))

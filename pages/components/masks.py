"""Labels of each pixel as pictures, a colour for each class, and what the colours mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st

from pages.components.text import apart, visible
from pruning import quantities
from pruning.charts import theme
from pruning.intake.dataset import Manifest

_NAME = 24
_COMMON = 3  # classes of a mask that are told in words
_SHARP = 240  # pixels: smaller masks are enlarged to about this, or a browser blurs their edges


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours of classes.

    Attributes:
        names: What the legend says, in the order of its colours.
        colours: Of the legend, ``#RRGGBB``.
        of_class: The place in both of each class, (classes,).
    """

    names: tuple[str, ...]
    colours: tuple[str, ...]
    of_class: np.ndarray


#: What came of each pixel; the colours are those of the model that alone is right.
CHANGE = Palette(
    ("both right", "only before right", "only after right", "both wrong"),
    (theme.BOTH_RIGHT, theme.BEFORE, theme.AFTER, theme.BOTH_WRONG),
    np.arange(4),
)


def there_are(manifest: Manifest) -> bool:
    """Whether each pixel of a picture has a class."""
    return manifest.task == "classification" and len(manifest.y_shape) == 2


def palette(classes: Sequence[str], counts: Sequence[int] = ()) -> Palette:
    """A colour for each class; of more than can be told apart, for those with most pixels.

    Args:
        classes: Their names.
        counts: Pixels of each; without them the first classes have colours of their own.
    """
    names, most = apart(classes, _NAME), len(theme.CLASSES)
    if len(classes) <= most:
        return Palette(tuple(names), theme.CLASSES[: len(classes)], np.arange(len(classes)))
    pixels = np.zeros(len(classes)) if len(counts) != len(classes) else np.asarray(counts)
    shown = np.sort(np.argsort(-pixels, kind="stable")[: most - 1])
    of_class = np.full(len(classes), len(shown))
    of_class[shown] = np.arange(len(shown))
    rest = f"{len(classes) - len(shown)} other classes"
    return Palette(
        (*(names[place] for place in shown), rest),
        (*theme.CLASSES[: len(shown)], theme.FROZEN),
        of_class,
    )


def palette_of(manifest: Manifest) -> Palette:
    """The colours of prepared data's classes."""
    return palette(manifest.classes, manifest.class_counts.get("test", ()))


def change(truth: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Places of :data:`CHANGE`, where masks are right and wrong. Class numbers, all (h, w)."""
    return np.where(before == truth, np.where(after == truth, 0, 1), np.where(after == truth, 2, 3))


def draw(mask: np.ndarray, colours: Palette, like: np.ndarray | None = None) -> np.ndarray:
    """A mask as a picture. Class numbers (h, w) -> uint8 (height, width, 3).

    Args:
        mask: What is drawn; each pixel becomes a rectangle of one colour.
        colours: Of the classes.
        like: A picture whose proportions it gets.
    """
    table = np.array([list(bytes.fromhex(colour[1:])) for colour in colours.colours], np.uint8)
    sides = mask.shape if like is None else like.shape[:2]
    height, width = (side * max(1, _SHARP // max(sides)) for side in sides)
    rows = np.arange(height) * mask.shape[0] // height
    columns = np.arange(width) * mask.shape[1] // width
    picture: np.ndarray = table[colours.of_class[mask[np.ix_(rows, columns)]]]
    return picture


def in_words(mask: np.ndarray, colours: Palette) -> str:
    """What most pixels are, for who cannot see it: ``background 80.1 %, dog 19.9 %``."""
    counts = np.bincount(colours.of_class[mask].ravel(), minlength=len(colours.names))
    common = [place for place in np.argsort(-counts, kind="stable")[:_COMMON] if counts[place]]
    return ", ".join(
        f"{colours.names[place]} {quantities.percent(counts[place] / mask.size)}"
        for place in common
    )


def show_sample(picture: np.ndarray, index: int) -> None:
    """Draw the picture of a test sample in the current container, as wide as its masks."""
    st.image(picture, caption="sample", width="stretch", alt=f"Test sample {index + 1:,}")


def show(mask: np.ndarray, colours: Palette, caption: str, like: np.ndarray | None = None) -> None:
    """Draw a mask in the current container, as wide as that is."""
    said = f"{caption}: {visible(in_words(mask, colours))}"
    st.image(draw(mask, colours, like), caption=caption, width="stretch", alt=said)


def legend(colours: Palette) -> None:
    """Say what the colours mean, in one line."""
    entries = (
        f'<span style="display:inline-block;margin-right:1rem">'
        f'<span style="display:inline-block;width:.8em;height:.8em;border-radius:2px;'
        f'border:1px solid #8A96A1;background:{colour};margin-right:.35em"></span>'
        f"{escape(name)}</span>"
        for name, colour in zip(colours.names, colours.colours, strict=True)
    )
    st.html(f'<div style="font-size:.875rem;line-height:1.6">{"".join(entries)}</div>')

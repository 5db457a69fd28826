"""Text that came out of a file, made safe for Markdown.

Layer names, class names and file names are chosen by whoever made the file: ``<img onerror=…>``
and ``:red[…]`` are legal ones. They are shown as text, never as markup.
"""

from __future__ import annotations

import re
import unicodedata

from pruning import quantities

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SHORTCODE = re.compile(r"\\:(?=[A-Za-z0-9_+])")
_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # Keras writes its errors with them
_INVISIBLE_JOINER = "\N{WORD JOINER}"


def plain(text: str, length: int | None = None) -> str:
    """Escape ``text`` for Markdown, on one line, shortened in the middle to ``length``.

    Args:
        text: Anything.
        length: Characters to keep, before escaping; ``None`` keeps all.
    """
    line = visible(text)
    if length is not None:
        line = quantities.middle(line, length)
    escaped = _PUNCTUATION.sub(r"\\\1", line)
    # Emoji and icon shortcodes are replaced after Markdown's escapes are read: break them.
    return _SHORTCODE.sub(rf"\\:{_INVISIBLE_JOINER}", escaped)


def uncoloured(text: str) -> str:
    """Take a terminal's colours out of a worker's words."""
    return _TERMINAL_COLOUR.sub("", text)


def visible(text: str, length: int | None = None) -> str:
    """Put text of a file on one line without control and direction characters.

    For widgets that show text as it is (tables, select boxes, charts).
    """
    if not text.isprintable():
        text = uncoloured(text)
        text = "".join(
            " " if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") else char
            for char in text
        )
    line = " ".join(text.split()) or "(no name)"
    return line if length is None else quantities.middle(line, length)

"""Text that came out of a file, made safe for Markdown.

Layer names, class names and file names are chosen by whoever made the file: ``<img onerror=…>``
and ``:red[…]`` are legal ones. They are shown as text, never as markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from pruning import quantities

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SHORTCODE = re.compile(r"\\:(?=[A-Za-z0-9_+])")
_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # Keras writes its errors with them
_INVISIBLE_JOINER = "\N{WORD JOINER}"
_RIGHT_TO_LEFT = ("R", "AL", "AN")
_ISOLATED = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


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
    escaped = _SHORTCODE.sub(rf"\\:{_INVISIBLE_JOINER}", escaped)
    if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in line):
        return escaped.join(_ISOLATED)  # or figures behind a Hebrew name stand before it
    return escaped


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


def apart(names: Sequence[str], length: int) -> list[str]:
    """Shorten names as :func:`visible` does; those that would look alike show where they differ.

    Args:
        names: Of classes or the like, which may share a long beginning and end.
        length: Characters to keep.

    Returns:
        A name each, all of them different; names that are the same throughout have a number.
    """
    short = [visible(name, length) for name in names]
    alike = _repeated(short)
    if not alike:
        return short
    whole = [visible(name) for name in names]
    shared = {
        look: _shared([full for full, other in zip(whole, short, strict=True) if other == look])
        for look in alike
    }
    told = [
        _around(full, *shared[look], length) if look in alike else look
        for full, look in zip(whole, short, strict=True)
    ]
    twins = _repeated(told)
    told = [
        _around_and_end(full, *shared[look], length)
        if look in alike and name in twins and len(full) > length
        else name
        for full, look, name in zip(whole, short, told, strict=True)
    ]
    twins = _repeated(told)
    return [f"{name} ({number})" if name in twins else name for number, name in enumerate(told, 1)]


def labels(names: Iterable[str], length: int) -> dict[str, str]:
    """What to show for each of these names, told apart by :func:`apart`."""
    once = list(dict.fromkeys(names))
    return dict(zip(once, apart(once, length), strict=True))


def _repeated(names: Sequence[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def _shared(names: Sequence[str]) -> tuple[int, int]:
    """Characters that all names have in common at their beginning, and at their end."""
    head = _beginning(names)
    return head, _beginning([name[head:][::-1] for name in names])


def _beginning(names: Sequence[str]) -> int:
    first, last = min(names), max(names)  # what these two share, all between them share
    pairs = enumerate(zip(first, last, strict=False))
    return next((place for place, (one, other) in pairs if one != other), len(first))


def _around(name: str, head: int, tail: int, length: int) -> str:
    """The part of a name between what it shares with others, and as much around it as fits."""
    begin = max(0, head - max(0, length - 2 - (len(name) - head - tail)) // 2)
    core = name[begin : begin + length - 2]
    before = "…" if begin else ""
    return f"{before}{core}{'…' if begin + length - 2 < len(name) else ''}"


def _around_and_end(name: str, head: int, tail: int, length: int) -> str:
    """The same in half of the characters, and the end: others may differ there as well."""
    half = length // 2
    part = _around(name, head, tail, half)
    return part + name[half - length :] if part.endswith("…") else _around(name, head, tail, length)

"""Bytes to text: the encoding is told by the content, and a guess is said to be one."""

from __future__ import annotations

import codecs

import numpy as np

from pruning.errors import DataFileError

_MARKS = (  # UTF-32 first: its little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = 0.4  # more letters than this outside ASCII are not a Western European text


def decode_text(name: str, content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Decode a text of unknown encoding.

    UTF-8, and UTF-16 and UTF-32 with or without their mark, are recognised for certain; what is
    left is read as Windows-1252 (which holds Latin-1) when the result looks like Western text.

    Args:
        name: For the message.
        content: The bytes.
        encoding: Take this one instead of guessing.

    Returns:
        The text, and a note for the reader; the note is empty when the encoding is certain.

    Raises:
        DataFileError: The bytes are no text, or in an encoding that cannot be told.
    """
    if encoding is not None:
        return _as_named(name, content, encoding), ""
    for mark, named in _MARKS:
        if content.startswith(mark):
            return _as_named(name, content, named), ""
    unmarked = _utf16_without_mark(content)
    if unmarked is not None:
        return _as_named(name, content, unmarked), ""
    if b"\x00" in content:
        raise DataFileError(
            f"{name} is not text: it has zero bytes.",
            expected="A text file in UTF-8.",
            fix="Save it as plain text (CSV UTF-8), not in a program's own format.",
        )
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        return _western(name, content)


def texts_of(what: str, array: np.ndarray) -> list[str]:
    """Strings of a NumPy array, of characters or of bytes in UTF-8, one after the other.

    Args:
        what: What they are, in the plural, to begin a sentence with.
        array: Of the kind ``U`` or ``S``, of any shape.

    Raises:
        DataFileError: Bytes that are not UTF-8, or characters that do not exist.
    """
    try:
        found = array.ravel().tolist()
        texts = [text.decode() if isinstance(text, bytes) else text for text in found]
        "".join(texts).encode()  # half characters
    except (ValueError, SystemError) as error:  # NumPy's for characters that do not exist
        raise DataFileError(
            f"{what} cannot be read as text: {error}.",
            expected="Strings, or bytes in UTF-8.",
            fix="Save them with numpy.array(names), names being a list of strings.",
        ) from error
    return texts


def _as_named(name: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except LookupError as error:
        raise DataFileError(
            f"There is no encoding {encoding!r}.",
            expected="A name such as utf-8, cp1251, shift_jis, gb18030 or latin-1.",
            fix="Correct the name, or give none to have it guessed.",
        ) from error
    except UnicodeError as error:
        raise DataFileError(
            f"{name} is not valid {encoding} text: {error}",
            expected="A complete text file in one encoding.",
            fix="Save it again as UTF-8.",
        ) from error


def _utf16_without_mark(content: bytes) -> str | None:
    """Every second byte of Western text in UTF-16 is zero."""
    start = content[:4096]
    if len(start) < 4 or len(content) % 2:
        return None
    half = len(start) // 2
    if start[1::2].count(0) > 0.7 * half and start[0::2].count(0) == 0:
        return "utf-16-le"
    if start[0::2].count(0) > 0.7 * half and start[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _western(name: str, content: bytes) -> tuple[str, str]:
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _unknown(name) from error
    letters = sum(1 for character in text if character.isalpha() or ord(character) > 127)
    foreign = sum(1 for character in text if ord(character) > 127)
    if foreign > _FOREIGN * max(letters, 1):
        raise _unknown(name)
    return text, f"{name} is not UTF-8; it was read as Windows-1252 (Latin-1)."


def _unknown(name: str) -> DataFileError:
    return DataFileError(
        f"{name} is in an encoding that could not be recognised.",
        expected="A text file in UTF-8.",
        fix="Save it again as UTF-8, or name its encoding, for example cp1251 or shift_jis.",
    )

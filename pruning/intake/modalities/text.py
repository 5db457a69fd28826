"""Text: words (or characters) to a row of token numbers of the model's length.

Token 0 is padding, 1 is unknown, the vocabulary follows from 2: as ``keras.layers``'
``TextVectorization`` numbers them.

Settings (``preprocessing``):
    length: Tokens a text; longer ones are cut, shorter ones padded.
    max_tokens: Size of the embedding; the two reserved tokens count.
    lowercase: Fold case.
    tokens: ``words`` (punctuation dropped, as ``TextVectorization`` does) · ``words and marks``
        (punctuation marks are tokens too) · ``characters``.
    padding, truncating: ``post`` (at the end) or ``pre``.
    vocabulary: Tokens in order; ``fit`` builds it from the training texts when it is missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from pruning.errors import DataFileError, MismatchError
from pruning.intake.modalities._base import Modality, ModelInput, Sample, choice, whole_number

PADDING, UNKNOWN, RESERVED = 0, 1, 2
PREVIEW_CHARACTERS = 2000
MAX_CHARACTERS = 1_000_000
OPEN_LENGTH, OPEN_TOKENS = 100, 10_000

_ASCII_PUNCTUATION = re.compile(r"[!\"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']")
_WORDS_AND_MARKS = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_TOKENS = {
    "words": "words",
    "words and marks": "words and punctuation marks",
    "characters": "characters",
}
_ENDS = ("post", "pre")
# First lines that vocabulary files reserve for padding and unknown, in their usual spellings.
_PADDING_NAMES = {"", "[PAD]", "<pad>", "<PAD>", "[pad]"}
_UNKNOWN_NAMES = {"[UNK]", "<unk>", "<UNK>", "[unk]", "<OOV>", "<oov>"}


def suggest(model_input: ModelInput) -> dict[str, Any]:
    """Take the length from the input's shape and the vocabulary's size from the embedding.

    Raises:
        MismatchError: The model does not read one row of tokens.
    """
    if len(model_input.shape) != 1:
        sizes = ", ".join("any" if size is None else str(size) for size in model_input.shape)
        raise MismatchError(
            f"The model reads samples of shape ({sizes}), which no row of tokens fits.",
            expected="(length,), one token number for each word.",
            fix="Open a model that reads texts, or save what this one reads as .npz.",
        )
    tokens = model_input.vocabulary or OPEN_TOKENS
    return {
        "modality": "text",
        "length": model_input.shape[0] or OPEN_LENGTH,
        "max_tokens": tokens,
        "lowercase": True,
        # An alphabet fits in so small an embedding, a language does not.
        "tokens": "characters" if tokens <= 200 else "words",
        "padding": "post",
        "truncating": "post",
    }


def implied(given: Mapping[str, Any]) -> dict[str, Any]:
    """A vocabulary tells by its tokens what texts are split into, however many it has."""
    tokens = given.get("vocabulary")
    if not isinstance(tokens, list) or not tokens:
        return {}
    return {"tokens": "words" if 2 * _longer(tokens) > len(tokens) else "characters"}


def tokenise(text: str, preprocessing: dict[str, Any]) -> list[str]:
    """Split a text into tokens, by the settings ``lowercase`` and ``tokens``."""
    kind = choice(preprocessing, "tokens", _TOKENS, "words")
    if preprocessing.get("lowercase", True):
        text = text.lower()
    if kind == "characters":
        return list(text)
    if kind == "words":
        return _ASCII_PUNCTUATION.sub("", text).split()
    return _WORDS_AND_MARKS.findall(text)


def build_vocabulary(texts: Iterable[str], preprocessing: dict[str, Any]) -> list[str]:
    """Most frequent tokens first, equally frequent ones by code point: always the same list.

    Returns:
        At most ``max_tokens`` − 2 tokens.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(tokenise(text, preprocessing))
    ordered = sorted(counts, key=lambda token: (-counts[token], token))
    return ordered[: _max_tokens(preprocessing) - RESERVED]


def read_vocabulary(content: str) -> list[str]:
    """Read a vocabulary file: one token a line, most frequent first.

    Leading lines for padding and unknown (``[PAD]``, an empty line, ``[UNK]``, …) are dropped:
    the two tokens are reserved anyway.

    Raises:
        DataFileError: No tokens, or a token twice.
    """
    tokens = [line.rstrip("\r") for line in content.removeprefix("\ufeff").split("\n")]
    if tokens and tokens[-1] == "":
        tokens.pop()
    if tokens and tokens[0] in _PADDING_NAMES:
        tokens.pop(0)
    if tokens and tokens[0] in _UNKNOWN_NAMES:
        tokens.pop(0)
    _check_vocabulary(tokens)
    return tokens


def _check_vocabulary(tokens: Any) -> None:
    """Refuse what does not number every token once."""
    if not isinstance(tokens, list) or not tokens or not all(isinstance(t, str) for t in tokens):
        problem = "is empty or no list of words"
    elif len(set(tokens)) < len(tokens):
        twice = next(token for token, count in Counter(tokens).items() if count > 1)
        problem = f"holds {twice!r} more than once"
    else:
        return
    raise DataFileError(
        f"The vocabulary {problem}.",
        expected="One token a line, each once, in the order of the model's embedding.",
        fix="Export it again, or leave it out: it is then built from the training texts.",
    )


def _check_kind(preprocessing: dict[str, Any]) -> None:
    """Refuse a vocabulary of words where texts are split into characters: none would be found."""
    tokens = preprocessing.get("vocabulary") or ()
    longer = _longer(tokens)
    kind = choice(preprocessing, "tokens", _TOKENS, "words")
    if kind == "characters" and 2 * longer > len(tokens):
        raise MismatchError(
            f"{longer:,} of the vocabulary's {len(tokens):,} tokens are longer than a character, "
            "but the texts are split into characters.",
            expected="A vocabulary of what the texts are split into.",
            fix="Choose words as tokens, or the vocabulary of a model that reads characters.",
        )


def _longer(tokens: Sequence[Any]) -> int:
    return sum(len(str(token)) > 1 for token in tokens)


def fit(preprocessing: dict[str, Any], samples: Sequence[Any]) -> dict[str, Any]:
    """Build the vocabulary from the training texts, or check the one that was given.

    Raises:
        DataFileError: The given vocabulary is unusable or does not fit ``max_tokens``.
        MismatchError: It is of words, and the texts are split into characters.
    """
    if "vocabulary" not in preprocessing:
        texts = (_as_text("a training text", sample) for sample in samples)
        return {**preprocessing, "vocabulary": build_vocabulary(texts, preprocessing)}
    tokens = preprocessing["vocabulary"]
    _check_vocabulary(tokens)
    _check_kind(preprocessing)
    if len(tokens) + RESERVED > _max_tokens(preprocessing):
        raise DataFileError(
            f"The vocabulary has {len(tokens):,} tokens; with padding and unknown that is more "
            f"than max_tokens, {_max_tokens(preprocessing):,}.",
            expected=f"At most {_max_tokens(preprocessing) - RESERVED:,} tokens.",
            fix="Use the vocabulary that belongs to this model, or cut the list.",
        )
    return preprocessing


def decode(name: str, content: Any, preprocessing: dict[str, Any]) -> Sample:
    """Turn one text into token numbers.

    Returns:
        value int32 (length,); preview the text, cut after ``PREVIEW_CHARACTERS``.

    Raises:
        DataFileError: No text, not UTF-8, or too long.
    """
    text = _as_text(name, content)
    length = _length(preprocessing)
    numbers = _numbers(preprocessing)
    row = [numbers.get(token, UNKNOWN) for token in tokenise(text, preprocessing)]
    cut_end = choice(preprocessing, "truncating", _ENDS, "post") == "post"
    row = row[:length] if cut_end else row[max(0, len(row) - length) :]
    value = np.full(length, PADDING, np.int32)
    if choice(preprocessing, "padding", _ENDS, "post") == "post":
        value[: len(row)] = row
    else:
        value[length - len(row) :] = row
    return Sample(value, text[:PREVIEW_CHARACTERS])


# The vocabulary list of the settings used last, and its token numbers: decode is called once a
# sample, always with the same settings, and 10,000 tokens are too many to number each time.
_last: tuple[list[str], dict[str, int]] = ([], {})


def _numbers(preprocessing: dict[str, Any]) -> dict[str, int]:
    """Token -> number, from 2."""
    global _last
    tokens: list[str] = preprocessing.get("vocabulary", [])
    known, numbers = _last  # read once: another thread may put another vocabulary there
    if known is not tokens:
        _check_vocabulary(tokens)
        numbers = {token: number + RESERVED for number, token in enumerate(tokens)}
        _last = (tokens, numbers)
    return numbers


def _as_text(name: str, content: Any) -> str:
    """Check that a sample is text."""
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _unreadable(name, "is not in UTF-8") from error
    if not isinstance(content, str):
        raise _unreadable(name, f"is no text but {content!r}")
    if len(content) > MAX_CHARACTERS:
        raise _unreadable(name, f"has {len(content):,} characters")
    return content


def _unreadable(name: str, why: str) -> DataFileError:
    return DataFileError(
        f"{name} {why}.",
        expected=f"Text in UTF-8 of at most {MAX_CHARACTERS:,} characters.",
        fix="Choose another column, or save the file as UTF-8.",
    )


def _length(preprocessing: dict[str, Any]) -> int:
    return whole_number(preprocessing, "length", OPEN_LENGTH, high=100_000)


def _max_tokens(preprocessing: dict[str, Any]) -> int:
    return whole_number(preprocessing, "max_tokens", OPEN_TOKENS, low=RESERVED + 1, high=10_000_000)


def describe(preprocessing: dict[str, Any]) -> tuple[str, ...]:
    """Say the pipeline in words.

    Raises:
        MismatchError: The vocabulary is of words, and the texts are split into characters.
    """
    _check_kind(preprocessing)
    case = ("lower case",) if preprocessing.get("lowercase", True) else ()
    if "vocabulary" in preprocessing:
        vocabulary = f"vocabulary of {len(preprocessing['vocabulary']):,} tokens"
    else:
        vocabulary = f"the {_max_tokens(preprocessing) - RESERVED:,} most frequent tokens"
    end = {"post": "first", "pre": "last"}[choice(preprocessing, "truncating", _ENDS, "post")]
    side = {"post": "after", "pre": "before"}[choice(preprocessing, "padding", _ENDS, "post")]
    return (
        *case,
        _TOKENS[choice(preprocessing, "tokens", _TOKENS, "words")],
        vocabulary,
        f"the {end} {_length(preprocessing):,}, zeros {side} shorter texts",
    )


def output_shape(preprocessing: dict[str, Any]) -> tuple[int, ...]:
    """Shape of one sample, without the batch."""
    return (_length(preprocessing),)


MODALITY = Modality(
    name="text",
    title="Text",
    suffixes=(),
    suggest=suggest,
    fit=fit,
    decode=decode,
    describe=describe,
    output_shape=output_shape,
    stored="int32",
    implied=implied,
)

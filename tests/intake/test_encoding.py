"""Text in any common encoding is read as it was written, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.errors import DataFileError
from pruning.intake.encoding import decode_text

SENTENCE = "Ein schöner Film über Käse, naïve et déjà vu.\n"
readable = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufeff"), min_size=1)


@given(readable)
def test_utf8_round_trips(text: str) -> None:
    assert decode_text("t", text.encode()) == (text, "")


@given(readable, st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_a_byte_order_mark_tells_the_encoding(text: str, encoding: str) -> None:
    assert decode_text("t", text.encode(encoding)) == (text, "")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_recognised(encoding: str) -> None:
    assert decode_text("t", SENTENCE.encode(encoding)) == (SENTENCE, "")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_text_is_read_with_a_note(encoding: str) -> None:
    text, note = decode_text("a.csv", SENTENCE.encode(encoding))
    assert text == SENTENCE
    assert note == "a.csv is not UTF-8; it was read as Windows-1252 (Latin-1)."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Это хороший фильм\n" * 5, "cp1251"),
        ("Это хороший фильм\n" * 5, "koi8-r"),
        ("これは良い映画です\n" * 5, "shift_jis"),
        ("这是一部好电影\n" * 5, "gb18030"),
    ],
)
def test_other_encodings_are_refused_until_named(text: str, encoding: str) -> None:
    with pytest.raises(DataFileError, match="encoding that could not be recognised") as caught:
        decode_text("a.csv", text.encode(encoding))
    assert "UTF-8" in caught.value.fix
    assert decode_text("a.csv", text.encode(encoding), encoding) == (text, "")


def test_bytes_are_not_text() -> None:
    with pytest.raises(DataFileError, match="zero bytes"):
        decode_text("a.csv", bytes(range(256)))


def test_a_wrong_or_unknown_encoding_is_refused() -> None:
    with pytest.raises(DataFileError, match="not valid ascii"):
        decode_text("a.csv", SENTENCE.encode(), "ascii")
    with pytest.raises(DataFileError, match="no encoding 'klingon'"):
        decode_text("a.csv", SENTENCE.encode(), "klingon")


def test_truncated_utf16_is_refused() -> None:
    with pytest.raises(DataFileError, match="not valid utf-16"):
        decode_text("a.csv", SENTENCE.encode("utf-16")[:-1])

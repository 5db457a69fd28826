"""Texts to token numbers: computed by hand, and equal to Keras's TextVectorization."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pruning.errors import DataFileError, MismatchError
from pruning.intake.modalities import text
from pruning.intake.modalities._base import ModelInput

SETTINGS = {"length": 4, "max_tokens": 100, "lowercase": True}
FITTED = {**SETTINGS, "vocabulary": ["the", "cat", "dog"]}


def row(content, **more):
    return text.decode("a", content, {**FITTED, **more}).value.tolist()


def test_vocabulary_by_frequency_then_alphabet():
    texts = ["b a c", "c b", "c d"]
    assert text.build_vocabulary(texts, SETTINGS) == ["c", "b", "a", "d"]


def test_vocabulary_leaves_room_for_padding_and_unknown():
    texts = ["b a c", "c b", "c d"]
    assert text.build_vocabulary(texts, {**SETTINGS, "max_tokens": 4}) == ["c", "b"]


def test_fit_learns_once_and_keeps_what_is_given():
    fitted = text.fit(SETTINGS, ["Dog, dog!", "cat"])
    assert fitted["vocabulary"] == ["dog", "cat"]
    assert text.fit(fitted, ["other"]) == fitted


def test_known_unknown_and_padding():
    assert row("The bird") == [2, 1, 0, 0]
    assert row("the cat, the dog & the rest") == [2, 3, 2, 4]
    assert text.decode("a", "the", FITTED).value.dtype == np.int32


def test_padding_and_truncating_at_the_start():
    assert row("the cat", padding="pre") == [0, 0, 2, 3]
    assert row("the cat the dog cat", truncating="pre") == [3, 2, 4, 3]
    assert row("") == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("words", ["dont", "stop", "now"]),
        ("words and marks", ["don't", "stop", "-", "now", "!"]),
        ("characters", list("don't stop-now!")),
    ],
)
def test_ways_to_split(kind, expected):
    content = "Don't stop - now!" if kind != "characters" else "Don't stop-now!"
    assert text.tokenise(content, {"tokens": kind}) == expected


def test_case_can_be_kept():
    assert text.tokenise("The Cat", {"lowercase": False}) == ["The", "Cat"]


def test_tokens_equal_keras_text_vectorization():
    import keras

    texts = ["The cat's hat; (it) is -- 3.5 feet!", "ÄRGER über_all", "a\tb\nc", "50% 'quoted'"]
    vocabulary = text.build_vocabulary(texts, SETTINGS)
    layer = keras.layers.TextVectorization(
        vocabulary=vocabulary, output_sequence_length=8, standardize="lower_and_strip_punctuation"
    )
    # TensorFlow folds ASCII letters only: capitals beyond ASCII are left out of the comparison.
    compared = [texts[0], "über_all", *texts[2:]]
    expected = np.stack([np.asarray(layer(line)) for line in compared])
    got = [row(line, length=8, vocabulary=vocabulary) for line in compared]
    np.testing.assert_array_equal(got, expected)


def test_vocabulary_files():
    assert text.read_vocabulary("the\ncat\n") == ["the", "cat"]
    assert text.read_vocabulary("\ufeffthe\r\ncat") == ["the", "cat"]
    assert text.read_vocabulary("\n[UNK]\nthe\n") == ["the"]  # as Keras writes get_vocabulary()
    assert text.read_vocabulary("[PAD]\n<unk>\nthe\n") == ["the"]
    assert text.read_vocabulary(" \na\n") == [" ", "a"]  # a space is a token of characters


@pytest.mark.parametrize("content", ["", "\n", "a\nb\na\n"])
def test_unusable_vocabulary_files(content):
    with pytest.raises(DataFileError, match="vocabulary"):
        text.read_vocabulary(content)


@pytest.mark.parametrize("take", [lambda settings: text.fit(settings, []), text.describe])
def test_a_vocabulary_of_words_does_not_fit_texts_split_into_characters(take):
    letters = {**SETTINGS, "tokens": "characters"}
    with pytest.raises(MismatchError, match="2 of the vocabulary's 3 tokens are longer"):
        take({**letters, "vocabulary": ["good", "bad", "a"]})
    assert take({**letters, "vocabulary": ["a", "b", "<s>"]})  # a mark of the model's author


def test_a_vocabulary_larger_than_the_embedding_is_refused():
    with pytest.raises(DataFileError, match="more than max_tokens, 4"):
        text.fit({**FITTED, "max_tokens": 4}, [])


def test_two_vocabularies_in_turn_do_not_mix():
    assert row("cat", vocabulary=["cat"]) == [2, 0, 0, 0]
    assert row("cat", vocabulary=["dog", "cat"]) == [3, 0, 0, 0]


def test_suggestions_fit_the_model():
    chosen = text.suggest(ModelInput((60,), "int32", vocabulary=5000))
    assert (chosen["length"], chosen["max_tokens"], chosen["tokens"]) == (60, 5000, "words")
    assert text.output_shape(chosen) == (60,)
    letters = text.suggest(ModelInput((82,), vocabulary=40))
    assert letters["tokens"] == "characters"
    assert text.output_shape(text.suggest(ModelInput((None,)))) == (100,)


@pytest.mark.parametrize(
    ("vocabulary", "tokens"),
    [
        (["good", "bad", "a", "<s>"], "words"),  # a language of few words
        (["e", "a", " ", "<s>"], "characters"),
        ([chr(0x4E00 + place) for place in range(3000)], "characters"),
    ],
)
def test_a_vocabulary_tells_what_texts_are_split_into(vocabulary, tokens):
    entries = ModelInput((60,), "int32", vocabulary=len(vocabulary) + text.RESERVED)
    settings = text.MODALITY.settings(entries, {"vocabulary": vocabulary})
    assert settings["tokens"] == tokens
    assert text.fit(settings, []) == settings
    chosen = {"vocabulary": vocabulary, "tokens": "words and marks"}
    assert text.MODALITY.settings(entries, chosen)["tokens"] == "words and marks"


@pytest.mark.parametrize("vocabulary", [None, [], "good"])
def test_what_is_no_vocabulary_tells_nothing(vocabulary):
    assert text.implied({"vocabulary": vocabulary}) == {}


@pytest.mark.parametrize("shape", [(), (28, 28), (10, 4, 1)])
def test_inputs_that_are_no_row_of_tokens_are_refused(shape):
    with pytest.raises(MismatchError, match="no row of tokens"):
        text.suggest(ModelInput(shape))


@pytest.mark.parametrize("content", [None, 3.5, float("nan"), b"\xff\xfe\x00x", "x" * 1_000_001])
def test_unusable_texts_are_named(content):
    with pytest.raises(DataFileError, match="row 3"):
        text.decode("row 3", content, FITTED)


def test_utf8_bytes_are_text():
    assert text.decode("a", "\ufeffthe".encode(), FITTED).value[0] == 2


def test_without_a_vocabulary_nothing_is_decoded():
    with pytest.raises(DataFileError, match="vocabulary"):
        text.decode("a", "the", SETTINGS)


@given(content=st.text(max_size=60), length=st.integers(1, 12), pre=st.booleans())
def test_every_text_gives_numbers_of_the_vocabulary(content, length, pre):
    side = "pre" if pre else "post"
    got = np.array(row(content, length=length, padding=side, truncating=side))
    count = min(length, len(text.tokenise(content, FITTED)))
    assert got.shape == (length,)
    assert ((got >= 0) & (got <= 4)).all()
    assert np.count_nonzero(got) == count
    filled = got[length - count :] if pre else got[:count]
    assert (filled > 0).all()


@given(st.lists(st.text(alphabet="ab c", max_size=8), max_size=6), st.randoms())
def test_the_order_of_the_texts_does_not_change_the_vocabulary(texts, random):
    shuffled = list(texts)
    random.shuffle(shuffled)
    assert text.build_vocabulary(texts, SETTINGS) == text.build_vocabulary(shuffled, SETTINGS)


def test_the_pipeline_in_words():
    assert text.describe(FITTED) == (
        "lower case",
        "words",
        "vocabulary of 3 tokens",
        "the first 4, zeros after shorter texts",
    )
    assert text.describe(SETTINGS)[2] == "the 98 most frequent tokens"

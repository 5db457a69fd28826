"""Arrays are read by rows, and pickles never."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pruning.errors import DataFileError
from pruning.intake import npz
from pruning.intake.npz import Pair, open_npz, pairs
from tests.intake.make_files import zip_of

arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_]),
    hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=6),
)


@settings(deadline=None)
@given(arrays, st.booleans(), st.booleans(), st.integers(1, 60))
def test_blocks_of_rows_are_the_array(
    tmp_path_factory: pytest.TempPathFactory,
    array: np.ndarray,
    compressed: bool,
    fortran: bool,
    block_bytes: int,
) -> None:
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    stored = np.asfortranarray(array) if fortran else array
    (np.savez_compressed if compressed else np.savez)(path, a=stored)
    with open_npz(path) as opened, pytest.MonkeyPatch.context() as patch:
        patch.setattr(npz, "CHUNK_BYTES", block_bytes)
        blocks = list(opened.chunks("a"))
        whole = opened.read("a")
    assert np.array_equal(np.concatenate(blocks), array, equal_nan=array.dtype.kind == "f")
    assert np.array_equal(whole, array, equal_nan=array.dtype.kind == "f")
    assert whole.dtype == array.dtype


def keys_of(tmp_path: Path, **shapes: int) -> tuple[Pair, ...]:
    path = tmp_path / "a.npz"
    np.savez(path, **{key: np.zeros((count, 2)) for key, count in shapes.items()})
    with open_npz(path) as opened:
        return pairs(opened)


def test_all_splits(tmp_path: Path) -> None:
    found = keys_of(tmp_path, x_test=1, y_test=1, x_train=3, y_train=3, x_val=2, y_val=2)
    assert found == (
        Pair("x_train", "y_train", 0),
        Pair("x_val", "y_val", 1),
        Pair("x_test", "y_test", 2),
    )


def test_one_pair_to_be_split(tmp_path: Path) -> None:
    assert keys_of(tmp_path, X=3, y=3, extra=1) == (Pair("X", "y", None),)


def test_keras_own_files_have_no_validation(tmp_path: Path) -> None:
    found = keys_of(tmp_path, x_train=3, y_train=3, x_test=2, y_test=2)
    assert [pair.split for pair in found] == [0, 2]


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"x": 3, "y": 4}, "3 samples in x and 4 labels in y"),
        ({"x_train": 3}, "x_train and no y_train"),
        ({"x_test": 3, "y_test": 3}, "holds the arrays x_test, y_test"),
        ({"arr_0": 3, "arr_1": 3}, "holds the arrays arr_0, arr_1"),
        ({"x": 3, "y": 3, "x_test": 3, "y_test": 3}, "holds the arrays"),
        ({"x_val": 1, "y_val": 1, "x_dev": 1, "y_dev": 1}, "holds the arrays"),
        ({"x": 0, "y": 0}, "x in a.npz has no samples"),
    ],
)
def test_keys_that_do_not_make_data(tmp_path: Path, shapes: dict[str, int], words: str) -> None:
    with pytest.raises(DataFileError, match=words):
        keys_of(tmp_path, **shapes)


def test_pickled_arrays_are_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([[1], [1, 2]], dtype=object), y=np.array([0, 1]))
    with pytest.raises(DataFileError, match=r"x of a\.npz holds pickled Python objects") as caught:
        open_npz(path).__enter__()
    assert "pickle could run any program" in caught.value.expected


def test_structured_values_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros(3, [("a", "f4"), ("b", "i4")]), y=np.zeros(3))
    with pytest.raises(DataFileError, match="holds values of the type"):
        open_npz(path).__enter__()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("kept", [4, 60, 128, -1])
def test_a_truncated_array_is_refused(tmp_path: Path, kept: int) -> None:
    path = zip_of(tmp_path / "a.npz", {"x.npy": npy(np.zeros(100))[:kept]})
    with pytest.raises(DataFileError, match=r"array x of a\.npz is damaged"):
        open_npz(path).__enter__()


def test_a_header_that_promises_terabytes_is_refused(tmp_path: Path) -> None:
    content = npy(np.zeros(10, np.uint8)).replace(b"(10,), }           ", b"(10000000000000,), }")
    path = zip_of(tmp_path / "a.npz", {"x.npy": content})
    with pytest.raises(DataFileError, match="shorter than its header says"):
        open_npz(path).__enter__()


def test_a_damaged_array_is_told_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", npy(np.full(100_000, 7, np.uint8)))
    content = path.read_bytes()
    place = content.index(bytes([7] * 100)) + 90_000
    path.write_bytes(content[:place] + b"\x08" + content[place + 1 :])
    with open_npz(path) as opened, pytest.raises(DataFileError, match="damaged: Bad CRC-32"):
        list(opened.chunks("x"))


def test_class_names(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros(2), y=np.arange(2), classes=np.array(["Hund", "Katze"]))
    with open_npz(path) as opened:
        assert npz.class_names(opened) == ("Hund", "Katze")
    np.savez(path, x=np.zeros(2), y=np.arange(2), classes=np.arange(2))
    with open_npz(path) as opened, pytest.raises(DataFileError, match="array classes has the type"):
        npz.class_names(opened)

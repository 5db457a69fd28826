"""Arrays are read by rows, and pickles never."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pruning.errors import DataFileError
from pruning.intake import limits, npz
from pruning.intake.npz import open_npz
from tests.intake.make_files import zip_of

arrays = hnp.arrays(
    st.sampled_from([np.uint8, np.int64, np.float32, np.float64, np.bool_]),
    hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=6),
)


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


@pytest.mark.parametrize(
    ("array", "words", "fix"),
    [
        (np.zeros(2**21, np.uint8), "is read whole", "smaller type"),
        (np.zeros((2**11, 2**10), np.uint8, order="F"), "in Fortran order", "ascontiguousarray"),
    ],
)
def test_what_has_to_be_read_whole_has_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, array: np.ndarray, words: str, fix: str
) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=array)
    with open_npz(path) as opened:
        assert sum(len(block) for block in opened.chunks("a")) == len(array)
        monkeypatch.setattr(limits, "MAX_WHOLE_BYTES", 2**20)
        with pytest.raises(DataFileError, match=words) as caught:
            opened.read("a")
    assert fix in caught.value.fix


def test_class_names(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros(2), y=np.arange(2), classes=np.array(["Hund", "Katze"]))
    with open_npz(path) as opened:
        assert npz.class_names(opened) == ("Hund", "Katze")
    np.savez(path, x=np.zeros(2), y=np.arange(2), classes=np.arange(2))
    with open_npz(path) as opened, pytest.raises(DataFileError, match="array classes has the type"):
        npz.class_names(opened)

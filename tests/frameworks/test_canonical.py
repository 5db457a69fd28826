"""The size of a canonical file follows from the shapes, and nothing in it is lost."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning.frameworks import canonical
from pruning.frameworks._base import framework
from pruning.frameworks.canonical import make_canonical, padded
from tests import models

both = pytest.mark.parametrize("family", models.FAMILIES)
formats = pytest.mark.parametrize("suffix", ["keras", "h5"])
Shapes = list[tuple[int, int]]


def written(folder: Path, shapes: Shapes, width: int = 64) -> Path:
    """An HDF5 file as Keras writes it: arrays in groups, a configuration as an attribute."""
    path = folder / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"name": "m_7", "filters": width})
        for place, shape in enumerate(shapes):
            group = file.create_group(f"layers/layer{place}")
            group.attrs["weight_names"] = [f"layer{place}/kernel".encode()]
            group["kernel"] = np.full(shape, place, "float32")
    return path


def canonical_size(shapes: Shapes, width: int = 64) -> int:
    with TemporaryDirectory() as folder:
        path = written(Path(folder), shapes, width)
        make_canonical(path)
        return path.stat().st_size


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), max_size=24),
    st.integers(1, 10**8 - 1),
)
def test_the_size_is_a_constant_and_the_bytes_of_the_arrays(shapes: Shapes, width: int) -> None:
    smallest = canonical_size([(1, 1)] * len(shapes))
    values = sum(rows * columns - 1 for rows, columns in shapes)
    assert canonical_size(shapes, width) == smallest + 4 * values


def test_the_order_of_writing_leaves_gaps_otherwise(tmp_path: Path) -> None:
    """What makes the rewriting necessary: 36 bytes more in the arrays, others in the file."""
    sizes = [written(tmp_path, [(1, n), (30, 30)] * 9).stat().st_size for n in (511, 512)]
    assert sizes[1] - sizes[0] != 4 * 9


def test_a_canonical_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path, [(3, 4), (60, 70), (1, 2)])
    make_canonical(path)
    once, held = path.stat().st_size, content(path)
    make_canonical(path)
    assert (path.stat().st_size, content(path)) == (once, held)


@given(st.lists(st.integers(1, 10**8 - 1), min_size=1), st.integers(10**8, 2**64 - 1))
def test_the_text_is_as_long_whatever_its_numbers(numbers: list[int], long: int) -> None:
    config = {"name": "conv_12", "units": numbers, "rate": 0.25, "axis": -1, "id": long}
    other = {**config, "units": [7] * len(numbers), "id": 2**64 - 1}
    text = padded(json.dumps(config))
    assert len(text) == len(padded(json.dumps(other)))
    assert json.loads(text) == config


@pytest.mark.parametrize("value", ["12", '1 " 5 \\', -3, 1.5, 1e-07, 1e22, 12.25, 0, None])
def test_what_no_cut_changes_gets_no_blanks(value: Any) -> None:
    text = json.dumps({"value": value})
    assert padded(text) == text


def test_blanks_by_hand() -> None:
    assert padded('[64, "64", 123456789]') == '[64, "64", 123456789]' + " " * (6 + 11)


@both
@formats
@pytest.mark.parametrize("name", ["residual_identity", "nested_functional", "bidirectional"])
def test_nothing_is_lost(
    name: str, suffix: str, family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, path = framework(family), tmp_path / f"model.{suffix}"
    before: dict[str, Any] = {}

    def look_and_rewrite(file: Path) -> None:
        before.update(content(file))
        canonical.make_canonical(file)

    monkeypatch.setattr(f"pruning.frameworks.{family}.make_canonical", look_and_rewrite)
    kind.save(models.build(name, family), path)
    assert len(before) > 10
    assert content(path) == before


@both
@formats
def test_plain_keras_reads_it(suffix: str, family: str, tmp_path: Path) -> None:
    model, kind = models.build("residual_identity", family), framework(family)
    kind.save(model, tmp_path / f"model.{suffix}")
    loaded = kind.keras.models.load_model(tmp_path / f"model.{suffix}")
    inputs = models.samples(model)
    pairs = zip(models.outputs(model, inputs), models.outputs(loaded, inputs), strict=True)
    for expected, actual in pairs:
        np.testing.assert_array_equal(expected, actual)


def content(path: Path) -> dict[str, Any]:
    """All that a model file holds, by place; texts without blanks at their ends."""
    if not zipfile.is_zipfile(path):
        with h5py.File(path) as file:
            return tables(file)
    with zipfile.ZipFile(path) as archive:
        texts = [name for name in archive.namelist() if name.endswith("json")]
        held: dict[str, Any] = {name: archive.read(name).rstrip() for name in texts}
        with archive.open("model.weights.h5") as stream, h5py.File(stream) as file:
            return {**held, **tables(file)}


def tables(file: Any) -> dict[str, Any]:
    """Attributes, names and arrays of an HDF5 file."""
    held: dict[str, Any] = {}

    def note(name: str, entry: Any) -> None:
        for key, value in entry.attrs.items():
            held[f"{name}@{key}"] = value.rstrip() if isinstance(value, str) else repr(value)
        group = isinstance(entry, h5py.Group)
        held[name] = sorted(entry) if group else (entry.dtype.str, entry[()].tolist())

    note("", file)
    file.visititems(note)
    return held

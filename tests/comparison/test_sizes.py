import gzip
from pathlib import Path

import numpy as np
import pytest

from pruning.comparison.sizes import gzip_bytes, sizes
from pruning.frameworks._base import framework
from tests.models import FAMILIES, build


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("file_format", ["keras", "h5"])
def test_sizes_are_of_the_saved_file(family: str, file_format: str, tmp_path: Path) -> None:
    model = build("vgg", family)
    path = tmp_path / f"model.{file_format}"
    framework(family).save(model, path)
    found = sizes(model, framework(family), file_format, flops=123)
    assert found.params == found.nonzero_params == model.count_params()
    assert found.flops == 123
    # A .keras file holds the time of saving, compressed differently each second.
    assert found.bytes == pytest.approx(path.stat().st_size, abs=64)
    assert found.gzip_bytes == pytest.approx(len(gzip.compress(path.read_bytes(), 6)), abs=256)


def test_zeros_are_counted_and_shrink_the_gzip() -> None:
    model = build("vgg", "keras3")
    dense = sizes(model, framework("keras3"), "keras", 0)
    weights = model.get_weights()
    kernel = next(i for i, weight in enumerate(weights) if weight.ndim == 4)
    weights[kernel] = np.zeros_like(weights[kernel])
    model.set_weights(weights)
    sparse = sizes(model, framework("keras3"), "keras", 0)
    assert sparse.nonzero_params == dense.params - weights[kernel].size
    assert sparse.params == dense.params
    assert sparse.gzip_bytes < dense.gzip_bytes - 2 * weights[kernel].size


def test_gzip_bytes_equals_gzip(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(np.random.default_rng(0).integers(0, 20, 3_000_000, np.uint8).tobytes())
    assert gzip_bytes(path) == len(gzip.compress(path.read_bytes(), 6, mtime=0))
